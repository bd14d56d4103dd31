// What AsyncLocalStorage keeps, by the piece of work that runs. Whatever waits takes it along: promises of the edge, timers, and,
// once a worker imports node:async_hooks, each then() of a promise. `await` itself calls no then() that can be seen, so esbuild
// lowers it in such workers. Where it is not lowered, work that goes on after its first part keeps its frame until the next event.
let frame = new Map();
let isLowered = true;
export const setLowered = (value) => void (isLowered = value);
export const currentFrame = () => frame;
export function withFrame(next, work) {
  const before = frame;
  frame = next;
  let made;
  try {
    made = work();
    return made;
  } finally {
    if (isLowered || !(made instanceof Promise)) frame = before;
  }
}
export function enterFrame(next) { frame = next; }
export const bound = (work) => {
  const kept = frame;
  return function inFrame(...values) { return withFrame(kept, () => work.apply(this, values)); };
};

let isWatching = false;
export function watchPromises() {
  if (isWatching) return;
  isWatching = true;
  const then = Promise.prototype.then;
  const wrap = (callback, kept) => (typeof callback === "function" ? (value) => withFrame(kept, () => callback(value)) : callback);
  Object.defineProperty(Promise.prototype, "then", {
    value: function then_(onFulfilled, onRejected) {
      return then.call(this, wrap(onFulfilled, frame), wrap(onRejected, frame));
    },
    configurable: true, writable: true,
  });
  const { queueMicrotask } = globalThis;
  globalThis.queueMicrotask = (callback) => queueMicrotask(bound(callback));
}
