// DOMException, events and AbortSignal. Sources: https://webidl.spec.whatwg.org/, https://dom.spec.whatwg.org/
import { define, setDOMException, tag } from "edgeworker:host";

const CODES = {
  IndexSizeError: 1, HierarchyRequestError: 3, WrongDocumentError: 4, InvalidCharacterError: 5, NotFoundError: 8,
  NotSupportedError: 9, InvalidStateError: 11, SyntaxError: 12, InvalidModificationError: 13, NamespaceError: 14,
  InvalidAccessError: 15, TypeMismatchError: 17, SecurityError: 18, NetworkError: 19, AbortError: 20,
  URLMismatchError: 21, QuotaExceededError: 22, TimeoutError: 23, InvalidNodeTypeError: 24, DataCloneError: 25,
};

class DOMException extends Error {
  #name;
  constructor(message = "", options = "Error") {
    super(message);
    const isObject = typeof options === "object" && options !== null;
    this.#name = isObject ? String(options.name ?? "Error") : String(options);
    if (isObject && "cause" in options) this.cause = options.cause;
  }
  get name() {
    return this.#name;
  }
  get code() {
    return CODES[this.#name] ?? 0;
  }
}
const OLD_CONSTANTS = { DOMSTRING_SIZE_ERR: 2, NO_DATA_ALLOWED_ERR: 6, INUSE_ATTRIBUTE_ERR: 10, VALIDATION_ERR: 16 };
const constantOf = (name) => `${name.replace(/Error$/, "").replace(/([a-z])([A-Z])/g, "$1_$2").toUpperCase()}_ERR`;
const constants = Object.entries(CODES).map(([name, code]) => [constantOf(name).replace("URLMISMATCH", "URL_MISMATCH"), code]);
for (const [constant, code] of [...constants, ["NO_MODIFICATION_ALLOWED_ERR", 7], ...Object.entries(OLD_CONSTANTS)]) {
  for (const holder of [DOMException, DOMException.prototype]) Object.defineProperty(holder, constant, { value: code, enumerable: true });
}
tag(DOMException, "DOMException");
setDOMException(DOMException);

// Under symbols: what a script lists of an event does not show them.
const TARGET = Symbol("target");
const STOPPED = Symbol("stopped");

class Event {
  #type;
  #options;
  #prevented = false;
  #timeStamp = performance.now();
  [TARGET] = null;
  [STOPPED] = false;
  constructor(type, options = {}) {
    if (arguments.length === 0) throw new TypeError("Event needs a type");
    this.#type = String(type);
    this.#options = options ?? {};
  }
  get type() { return this.#type; }
  get target() { return this[TARGET]; }
  get currentTarget() { return this[TARGET]; }
  get srcElement() { return this[TARGET]; }
  get bubbles() { return Boolean(this.#options.bubbles); }
  get cancelable() { return Boolean(this.#options.cancelable); }
  get composed() { return Boolean(this.#options.composed); }
  get defaultPrevented() { return this.#prevented; }
  get returnValue() { return !this.#prevented; }
  get cancelBubble() { return false; }
  set cancelBubble(_value) {}
  get timeStamp() { return this.#timeStamp; }
  get eventPhase() { return this[TARGET] === null ? 0 : 2; }
  get isTrusted() { return false; }
  composedPath() { return this[TARGET] === null ? [] : [this[TARGET]]; }
  preventDefault() { if (this.cancelable) this.#prevented = true; }
  stopPropagation() {}
  stopImmediatePropagation() { this[STOPPED] = true; }
}
for (const holder of [Event, Event.prototype]) {
  for (const [name, value] of Object.entries({ NONE: 0, CAPTURING_PHASE: 1, AT_TARGET: 2, BUBBLING_PHASE: 3 })) {
    Object.defineProperty(holder, name, { value, enumerable: true });
  }
}
tag(Event, "Event");

class CustomEvent extends Event {
  #detail;
  constructor(type, options = {}) {
    super(type, options);
    this.#detail = options?.detail ?? null;
  }
  get detail() { return this.#detail; }
}

class MessageEvent extends Event {
  constructor(type, options = {}) {
    super(type, options);
    const { data = null, origin = null, lastEventId = "", source = null, ports = [] } = options ?? {};
    Object.assign(this, { ports, source, lastEventId, origin, data });
  }
}

class ErrorEvent extends Event {
  #told;
  constructor(type, options = {}) {
    super(type, options);
    this.#told = { message: "", filename: "", lineno: 0, colno: 0, error: undefined, ...options };
  }
  get message() { return this.#told.message; }
  get filename() { return this.#told.filename; }
  get lineno() { return this.#told.lineno; }
  get colno() { return this.#told.colno; }
  get error() { return this.#told.error; }
}

class CloseEvent extends Event {
  constructor(type, options = {}) {
    super(type, options);
    Object.assign(this, { code: options?.code ?? 0, reason: options?.reason ?? "", wasClean: Boolean(options?.wasClean) });
  }
}

for (const made of [CustomEvent, MessageEvent, ErrorEvent, CloseEvent]) tag(made, made.name);

class EventTarget {
  #listeners = new Map();
  addEventListener(type, listener, options) {
    if (listener === null || listener === undefined) return;
    const list = this.#listeners.get(String(type)) ?? [];
    if (list.some((one) => one.listener === listener)) return;
    const { once = false, signal } = typeof options === "object" && options !== null ? options : {};
    if (signal?.aborted) return;
    signal?.addEventListener("abort", () => this.removeEventListener(type, listener), { once: true });
    this.#listeners.set(String(type), [...list, { listener, once }]);
  }
  removeEventListener(type, listener) {
    const list = this.#listeners.get(String(type));
    if (list !== undefined) this.#listeners.set(String(type), list.filter((one) => one.listener !== listener));
  }
  dispatchEvent(event) {
    event[TARGET] = this;
    const handler = this[`on${event.type}`];
    if (typeof handler === "function") handler.call(this, event);
    for (const { listener, once } of this.#listeners.get(event.type) ?? []) {
      if (event[STOPPED]) break;
      if (once) this.removeEventListener(event.type, listener);
      try {
        if (typeof listener === "function") listener.call(this, event);
        else listener.handleEvent(event);
      } catch (error) {
        console.error(error);
      }
    }
    return !event.defaultPrevented;
  }
}
tag(EventTarget, "EventTarget");

const MAKE = Symbol("make");
class AbortSignal extends EventTarget {
  #aborted = false;
  #reason;
  onabort = null;
  constructor(made) {
    if (made !== MAKE) throw new TypeError("Illegal constructor");
    super();
  }
  static abort(reason) {
    const signal = new AbortSignal(MAKE);
    signal[MAKE](reason);
    return signal;
  }
  static timeout(milliseconds) {
    const signal = new AbortSignal(MAKE);
    setTimeout(() => signal[MAKE](new DOMException("The operation was aborted due to timeout", "TimeoutError")), milliseconds);
    return signal;
  }
  static any(signals) {
    const made = new AbortSignal(MAKE);
    for (const signal of signals) {
      if (signal.aborted) {
        made[MAKE](signal.reason);
        break;
      }
      signal.addEventListener("abort", () => made[MAKE](signal.reason), { once: true });
    }
    return made;
  }
  get aborted() { return this.#aborted; }
  get reason() { return this.#reason; }
  throwIfAborted() { if (this.#aborted) throw this.#reason; }
  [MAKE](reason = new DOMException("The operation was aborted", "AbortError")) {
    if (this.#aborted) return;
    this.#aborted = true;
    this.#reason = reason;
    this.dispatchEvent(new Event("abort"));
  }
}
tag(AbortSignal, "AbortSignal");

class AbortController {
  #signal = new AbortSignal(MAKE);
  get signal() { return this.#signal; }
  abort(reason) { this.#signal[MAKE](reason); }
}
tag(AbortController, "AbortController");
export const newSignal = () => new AbortSignal(MAKE);

define({ DOMException, Event, CustomEvent, MessageEvent, ErrorEvent, CloseEvent, EventTarget, AbortSignal, AbortController });
