// "node:events". EventEmitter is a function and not a class: old packages call it on their own objects.
const listenersOf = (emitter) => {
  if (!Object.hasOwn(emitter, "_events") || !(emitter._events instanceof Map)) {
    Object.defineProperty(emitter, "_events", { value: new Map(), configurable: true, writable: true });
  }
  return emitter._events;
};
const add = (emitter, name, listener, isFirst) => {
  if (typeof listener !== "function") {
    const text = `The "listener" argument must be of type function. Received ${listener === null ? "null" : typeof listener}`;
    throw Object.assign(new TypeError(text), { code: "ERR_INVALID_ARG_TYPE" });
  }
  const all = listenersOf(emitter);
  if (all.has("newListener")) emitter.emit("newListener", name, listener.listener ?? listener);
  const list = all.get(name) ?? [];
  all.set(name, isFirst ? [listener, ...list] : [...list, listener]);
  return emitter;
};
const onlyOnce = (emitter, name, listener) => {
  const wrapped = (...values) => {
    emitter.removeListener(name, wrapped);
    return listener.apply(emitter, values);
  };
  wrapped.listener = listener;
  return wrapped;
};

export function EventEmitter() {
  listenersOf(this);
}
const methods = {
  on(name, listener) { return add(this, name, listener, false); },
  addListener(name, listener) { return add(this, name, listener, false); },
  prependListener(name, listener) { return add(this, name, listener, true); },
  once(name, listener) { return this.on(name, onlyOnce(this, name, listener)); },
  prependOnceListener(name, listener) { return this.prependListener(name, onlyOnce(this, name, listener)); },
  removeListener(name, listener) {
    const all = listenersOf(this);
    const list = all.get(name) ?? [];
    const at = list.findLastIndex((one) => one === listener || one.listener === listener);
    if (at < 0) return this;
    if (list.length === 1) all.delete(name);
    else all.set(name, list.toSpliced(at, 1));
    if (all.has("removeListener")) this.emit("removeListener", name, listener);
    return this;
  },
  off(name, listener) { return this.removeListener(name, listener); },
  removeAllListeners(name) {
    if (name === undefined) listenersOf(this).clear();
    else listenersOf(this).delete(name);
    return this;
  },
  emit(name, ...values) {
    const list = listenersOf(this).get(name) ?? [];
    if (list.length === 0 && name === "error") {
      if (values[0] instanceof Error) throw values[0];
      throw Object.assign(new Error(`Unhandled error. (${values[0]})`), { code: "ERR_UNHANDLED_ERROR", context: values[0] });
    }
    for (const listener of list) listener.apply(this, values);
    return list.length > 0;
  },
  listeners(name) { return (listenersOf(this).get(name) ?? []).map((one) => one.listener ?? one); },
  rawListeners(name) { return [...(listenersOf(this).get(name) ?? [])]; },
  listenerCount(name) { return (listenersOf(this).get(name) ?? []).length; },
  eventNames() { return [...listenersOf(this).keys()]; },
  setMaxListeners(count) {
    Object.defineProperty(this, "_maxListeners", { value: count, configurable: true, writable: true });
    return this;
  },
  getMaxListeners() { return this._maxListeners ?? EventEmitter.defaultMaxListeners; },
};
for (const [name, value] of Object.entries(methods)) {
  Object.defineProperty(EventEmitter.prototype, name, { value, configurable: true, writable: true, enumerable: true });
}

export const once = (emitter, name, options = {}) => new Promise((resolve, reject) => {
  const isTarget = typeof emitter.addEventListener === "function";
  const add = (event, listener) => (isTarget ? emitter.addEventListener(event, listener, { once: true }) : emitter.once(event, listener));
  const abort = () => reject(Object.assign(new Error("The operation was aborted"), { name: "AbortError", code: "ABORT_ERR" }));
  if (options.signal?.aborted) return abort();
  options.signal?.addEventListener("abort", abort, { once: true });
  add(name, (...values) => resolve(values));
  if (name !== "error" && !isTarget) emitter.once("error", reject);
});
export async function* on(emitter, name) {
  const seen = [], waiting = [];
  const listener = (...values) => (waiting.length > 0 ? waiting.shift()(values) : seen.push(values));
  emitter.on(name, listener);
  try {
    for (;;) yield seen.length > 0 ? seen.shift() : await new Promise((resolve) => waiting.push(resolve));
  } finally {
    emitter.off(name, listener);
  }
}
export const defaultMaxListeners = 10;
export const captureRejectionSymbol = Symbol.for("nodejs.rejection");
export const errorMonitor = Symbol("events.errorMonitor");
export const listenerCount = (emitter, name) => emitter.listenerCount(name);
export const getEventListeners = (emitter, name) => emitter.listeners(name);
export const setMaxListeners = () => undefined;
Object.assign(EventEmitter, {
  EventEmitter, once, on, defaultMaxListeners, captureRejectionSymbol, errorMonitor, listenerCount, getEventListeners, setMaxListeners,
});
export default EventEmitter;
