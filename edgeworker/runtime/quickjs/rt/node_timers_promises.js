// "node:timers/promises".
const wait = (start, stop) => (delay, value, { signal } = {}) => new Promise((resolve, reject) => {
  const abort = () => {
    stop(id);
    reject(Object.assign(new Error("The operation was aborted"), { name: "AbortError", code: "ABORT_ERR", cause: signal.reason }));
  };
  const id = start(() => {
    signal?.removeEventListener("abort", abort);
    resolve(value);
  }, delay);
  if (signal?.aborted) abort();
  else signal?.addEventListener("abort", abort, { once: true });
});
const setTimeoutPromise = wait(globalThis.setTimeout, globalThis.clearTimeout);
const immediately = wait((work) => globalThis.setTimeout(work, 0), globalThis.clearTimeout);
const setImmediatePromise = (value, options) => immediately(0, value, options);
async function* setIntervalPromise(delay, value, options) {
  for (;;) yield await setTimeoutPromise(delay, value, options);
}
export const scheduler = { wait: (delay, options) => setTimeoutPromise(delay, undefined, options), yield: () => setImmediatePromise() };
export { setTimeoutPromise as setTimeout, setImmediatePromise as setImmediate, setIntervalPromise as setInterval };
export default { setTimeout: setTimeoutPromise, setImmediate: setImmediatePromise, setInterval: setIntervalPromise, scheduler };
