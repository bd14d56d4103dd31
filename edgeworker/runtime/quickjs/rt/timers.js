// Timers, queueMicrotask, Date and performance: time is the edge's clock.
import { currentFrame } from "edgeworker:async_context";
import { currentInvocation, define, host, runAs } from "edgeworker:host";
import { NativeDate, parseDate, timeOf } from "edgeworker:utc_dates";

const timers = new Map();
let next = 1;

function add(callback, delay, values, repeats) {
  if (typeof callback !== "function") throw new TypeError(`Failed to execute '${repeats ? "setInterval" : "setTimeout"}' on 'ServiceWorkerGlobalScope': parameter 1 is not of type 'function'.`);
  const id = next++;
  const milliseconds = Math.max(0, Math.min(Number(delay) || 0, 2 ** 31 - 1));
  timers.set(id, { callback, values, repeats, milliseconds, invocation: currentInvocation(), frame: currentFrame() });
  host.timer(id, currentInvocation(), milliseconds);
  return id;
}

export function fire(id) {
  const timer = timers.get(id);
  if (timer === undefined) return;
  if (timer.repeats) host.timer(id, timer.invocation, Math.max(1, timer.milliseconds));
  else timers.delete(id);
  runAs(timer.invocation, () => timer.callback(...timer.values), timer.frame);
}

function clear(id) {
  if (timers.delete(Number(id))) host.cancel_timer(Number(id));
}

function Date(...values) {
  if (new.target === undefined) return new NativeDate(host.now()).toString();
  return Reflect.construct(NativeDate, [values.length === 0 ? host.now() : timeOf(values)], new.target);
}
Object.setPrototypeOf(Date, NativeDate);
Date.prototype = NativeDate.prototype;
Object.defineProperty(Date, "prototype", { writable: false });
Object.defineProperty(Date.prototype, "constructor", { value: Date, writable: true, configurable: true });
Object.defineProperty(Date, "length", { value: 7, configurable: true });
Date.now = () => host.now();
Date.parse = (text) => parseDate(String(text));

const origin = host.now();
define({
  Date,
  performance: { timeOrigin: origin, now: () => host.now() - origin, mark() {}, measure() {}, toJSON: () => ({ timeOrigin: origin }) },
  setTimeout: (callback, delay, ...values) => add(callback, delay, values, false),
  setInterval: (callback, delay, ...values) => add(callback, delay, values, true),
  setImmediate: (callback, ...values) => add(callback, 0, values, false),
  clearTimeout: clear,
  clearInterval: clear,
  clearImmediate: clear,
  queueMicrotask: (callback) => {
    if (typeof callback !== "function") throw new TypeError("queueMicrotask() takes a function.");
    Promise.resolve().then(() => {
      try {
        callback();
      } catch (error) {
        reportError(error);
      }
    });
  },
});
