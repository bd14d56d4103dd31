// "node:async_hooks": AsyncLocalStorage and AsyncResource, as the Workers runtime has them.
import { addBuiltins } from "edgeworker:builtins";
import { bound, currentFrame, enterFrame, watchPromises, withFrame } from "edgeworker:async_context";

watchPromises();

export class AsyncLocalStorage {
  static bind(work) { return bound(work); }
  static snapshot() {
    const kept = currentFrame();
    return (work, ...values) => withFrame(kept, () => work(...values));
  }
  #default;
  constructor({ defaultValue } = {}) { this.#default = defaultValue; }
  getStore() {
    const frame = currentFrame();
    return frame.has(this) ? frame.get(this) : this.#default;
  }
  run(store, work, ...values) { return withFrame(new Map(currentFrame()).set(this, store), () => work(...values)); }
  exit(work, ...values) { return this.run(undefined, work, ...values); }
  enterWith(store) { enterFrame(new Map(currentFrame()).set(this, store)); }
  disable() {}
}
export class AsyncResource {
  #frame = currentFrame();
  constructor(type) { this.type = type; }
  static bind(work) { return bound(work); }
  bind(work) { return (...values) => this.runInAsyncScope(work, undefined, ...values); }
  runInAsyncScope(work, self, ...values) { return withFrame(this.#frame, () => work.apply(self, values)); }
  asyncId() { return 0; }
  triggerAsyncId() { return 0; }
  emitDestroy() { return this; }
}
export const executionAsyncId = () => 0;
export const triggerAsyncId = () => 0;
export const createHook = () => ({ enable() { return this; }, disable() { return this; } });
const hooks = { AsyncLocalStorage, AsyncResource, executionAsyncId, triggerAsyncId, createHook };
addBuiltins({ async_hooks: hooks });
export default hooks;
