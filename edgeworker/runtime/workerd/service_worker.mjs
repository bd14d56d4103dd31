// Runs before a service worker's script: the listeners that it adds become the handlers of a module, and its bindings
// are globals.
import { env } from "cloudflare:workers";
for (const [name, value] of Object.entries(env)) {
  Object.defineProperty(globalThis, name, { value, configurable: true, enumerable: true, writable: true });
}
const listeners = { fetch: [], scheduled: [] };
const native = { add: globalThis.addEventListener, remove: globalThis.removeEventListener };
globalThis.addEventListener = (type, listener, options) => {
  if (!Object.hasOwn(listeners, type)) native.add.call(globalThis, type, listener, options);
  else listeners[type].push(typeof listener === "function" ? listener : (event) => listener.handleEvent(event));
};
globalThis.removeEventListener = (type, listener, options) => {
  if (!Object.hasOwn(listeners, type)) native.remove.call(globalThis, type, listener, options);
};
// workerd makes no such event for a script.
const make = (kind, members) => Object.create(kind.prototype, Object.getOwnPropertyDescriptors(members));
const handlers = {};
Object.defineProperty(globalThis, Symbol.for("edgeworker.listeners"), { value: handlers });
Object.defineProperty(handlers, "fetch", { get: () => listeners.fetch.length === 0 ? undefined : async (request, env, ctx) => {
  let answered;
  const event = make(FetchEvent, {
    type: "fetch",
    request,
    respondWith(response) {
      if (answered !== undefined) {
        const text = "FetchEvent.respondWith() has already been called; it can only be called once.";
        throw new DOMException(text, "InvalidStateError");
      }
      answered = Promise.resolve(response);
    },
    waitUntil: (promise) => ctx.waitUntil(promise),
    passThroughOnException: () => ctx.passThroughOnException(),
  });
  for (const listener of listeners.fetch) {
    listener(event);
    if (answered !== undefined) return answered;
  }
  // Nothing answered: the request goes to what stands behind the worker, as on Cloudflare.
  return fetch(request);
} });
Object.defineProperty(handlers, "scheduled", { get: () => listeners.scheduled.length === 0 ? undefined : async (controller, env, ctx) => {
  const waits = [];
  const event = make(ScheduledEvent, {
    type: "scheduled",
    cron: controller.cron,
    scheduledTime: controller.scheduledTime,
    noRetry: () => controller.noRetry(),
    waitUntil: (promise) => { waits.push(promise); ctx.waitUntil(promise); },
  });
  for (const listener of listeners.scheduled) listener(event);
  await Promise.all(waits);
} });
