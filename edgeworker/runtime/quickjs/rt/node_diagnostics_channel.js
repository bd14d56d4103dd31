// "node:diagnostics_channel".
const channels = new Map();

export class Channel {
  #subscribers = [];
  constructor(name) { this.name = name; }
  get hasSubscribers() { return this.#subscribers.length > 0; }
  subscribe(listener) { this.#subscribers = [...this.#subscribers, listener]; }
  unsubscribe(listener) {
    const before = this.#subscribers.length;
    this.#subscribers = this.#subscribers.filter((one) => one !== listener);
    return this.#subscribers.length < before;
  }
  publish(message) { for (const listener of this.#subscribers) listener(message, this.name); }
  bindStore() {}
  unbindStore() { return false; }
  runStores(_message, work, self, ...values) { return work.apply(self, values); }
}
export function channel(name) {
  if (!channels.has(name)) channels.set(name, new Channel(name));
  return channels.get(name);
}
export const hasSubscribers = (name) => channel(name).hasSubscribers;
export const subscribe = (name, listener) => channel(name).subscribe(listener);
export const unsubscribe = (name, listener) => channel(name).unsubscribe(listener);
export function tracingChannel(name) {
  const of = (event) => channel(`tracing:${name}:${event}`);
  return {
    start: of("start"), end: of("end"), asyncStart: of("asyncStart"), asyncEnd: of("asyncEnd"), error: of("error"), hasSubscribers: false,
    traceSync: (work, _context, self, ...values) => work.apply(self, values),
    tracePromise: (work, _context, self, ...values) => work.apply(self, values),
    traceCallback: (work, _position, _context, self, ...values) => work.apply(self, values),
    subscribe() {}, unsubscribe() {},
  };
}
export default { Channel, channel, hasSubscribers, subscribe, unsubscribe, tracingChannel };
