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
for (const [name, code] of Object.entries(CODES)) {
  const constant = `${name.replace(/Error$/, "").replace(/([a-z])([A-Z])/g, "$1_$2").toUpperCase()}_ERR`;
  for (const holder of [DOMException, DOMException.prototype]) Object.defineProperty(holder, constant, { value: code, enumerable: true });
}
tag(DOMException, "DOMException");
setDOMException(DOMException);

class Event {
  #type;
  #options;
  #prevented = false;
  _target = null;
  _stopped = false;
  constructor(type, options = {}) {
    if (arguments.length === 0) throw new TypeError("Event needs a type");
    this.#type = String(type);
    this.#options = options ?? {};
    this.timeStamp = performance.now();
  }
  get type() { return this.#type; }
  get target() { return this._target; }
  get currentTarget() { return this._target; }
  get srcElement() { return this._target; }
  get bubbles() { return Boolean(this.#options.bubbles); }
  get cancelable() { return Boolean(this.#options.cancelable); }
  get composed() { return Boolean(this.#options.composed); }
  get defaultPrevented() { return this.#prevented; }
  get eventPhase() { return this._target === null ? 0 : 2; }
  get isTrusted() { return false; }
  composedPath() { return this._target === null ? [] : [this._target]; }
  preventDefault() { if (this.cancelable) this.#prevented = true; }
  stopPropagation() {}
  stopImmediatePropagation() { this._stopped = true; }
}
Object.assign(Event.prototype, { NONE: 0, CAPTURING_PHASE: 1, AT_TARGET: 2, BUBBLING_PHASE: 3 });
tag(Event, "Event");

class CustomEvent extends Event {
  constructor(type, options = {}) {
    super(type, options);
    this.detail = options?.detail ?? null;
  }
}

class MessageEvent extends Event {
  constructor(type, options = {}) {
    super(type, options);
    this.data = options?.data ?? null;
  }
}

class ErrorEvent extends Event {
  constructor(type, options = {}) {
    super(type, options);
    this.message = options?.message ?? "";
    this.error = options?.error;
  }
}

class CloseEvent extends Event {
  constructor(type, options = {}) {
    super(type, options);
    Object.assign(this, { code: options?.code ?? 0, reason: options?.reason ?? "", wasClean: Boolean(options?.wasClean) });
  }
}

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
    event._target = this;
    const handler = this[`on${event.type}`];
    if (typeof handler === "function") handler.call(this, event);
    for (const { listener, once } of this.#listeners.get(event.type) ?? []) {
      if (event._stopped) break;
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
