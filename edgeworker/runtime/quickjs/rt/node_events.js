// "node:events".
export class EventEmitter {
  static defaultMaxListeners = 10;
  on(name, listener) {
    const all = EventEmitter.#of(this);
    all.set(name, [...(all.get(name) ?? []), listener]);
    return this;
  }
  static #of(emitter) {
    if (!Object.hasOwn(emitter, "_events") || !(emitter._events instanceof Map)) {
      Object.defineProperty(emitter, "_events", { value: new Map(), configurable: true, writable: true });
    }
    return emitter._events;
  }
  prependListener(name, listener) {
    const all = EventEmitter.#of(this);
    all.set(name, [listener, ...(all.get(name) ?? [])]);
    return this;
  }
  addListener(name, listener) { return this.on(name, listener); }
  once(name, listener) {
    const wrapped = (...values) => {
      this.off(name, wrapped);
      return listener.apply(this, values);
    };
    wrapped.listener = listener;
    return this.on(name, wrapped);
  }
  off(name, listener) {
    const all = EventEmitter.#of(this);
    const list = all.get(name) ?? [];
    const at = list.findLastIndex((one) => one === listener || one.listener === listener);
    if (at >= 0) all.set(name, list.toSpliced(at, 1));
    return this;
  }
  removeListener(name, listener) { return this.off(name, listener); }
  removeAllListeners(name) {
    if (name === undefined) EventEmitter.#of(this).clear();
    else EventEmitter.#of(this).delete(name);
    return this;
  }
  emit(name, ...values) {
    const list = EventEmitter.#of(this).get(name) ?? [];
    if (list.length === 0 && name === "error") throw values[0] instanceof Error ? values[0] : new Error(`Unhandled error. (${values[0]})`);
    for (const listener of list) listener.apply(this, values);
    return list.length > 0;
  }
  listeners(name) { return (EventEmitter.#of(this).get(name) ?? []).map((one) => one.listener ?? one); }
  listenerCount(name) { return (EventEmitter.#of(this).get(name) ?? []).length; }
  eventNames() { return [...EventEmitter.#of(this).keys()]; }
  setMaxListeners() { return this; }
  getMaxListeners() { return EventEmitter.defaultMaxListeners; }
}
EventEmitter.EventEmitter = EventEmitter;
export const once = (emitter, name) => new Promise((resolve, reject) => {
  emitter.once(name, (...values) => resolve(values));
  if (name !== "error") emitter.once("error", reject);
});
EventEmitter.once = once;
export default EventEmitter;
