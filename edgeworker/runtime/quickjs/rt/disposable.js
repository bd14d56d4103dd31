// DisposableStack and AsyncDisposableStack. Source: https://tc39.es/proposal-explicit-resource-management/
import { define, tag } from "edgeworker:host";

for (const name of ["dispose", "asyncDispose"]) {
  if (Symbol[name] === undefined) Object.defineProperty(Symbol, name, { value: Symbol(`Symbol.${name}`) });
}

function suppress(failure, error) {
  return failure === undefined ? { error } : { error: new SuppressedError(error, failure.error, "An error was suppressed during disposal") };
}

class Stack {
  _disposed = false;
  _work = []; // in the order of what is added; the last one is done first
  get disposed() { return this._disposed; }
  adopt(value, onDispose) {
    if (typeof onDispose !== "function") throw new TypeError(`${onDispose} is not a function`);
    this._add(() => onDispose(value));
    return value;
  }
  defer(onDispose) {
    if (typeof onDispose !== "function") throw new TypeError(`${onDispose} is not a function`);
    this._add(() => onDispose());
  }
  move() {
    this._check();
    const made = new this.constructor();
    made._work = this._work;
    this._work = [];
    this._disposed = true;
    return made;
  }
  _add(work) {
    this._check();
    this._work.push(work);
  }
  _check() {
    if (this._disposed) throw new ReferenceError(`Cannot add values to a disposed ${this.constructor.name}!`);
  }
  _end() {
    this._disposed = true;
    const work = this._work.reverse();
    this._work = [];
    return work;
  }
}

class DisposableStack extends Stack {
  use(value) {
    this._check();
    if (value === null || value === undefined) return value;
    const dispose = value[Symbol.dispose];
    if (typeof dispose !== "function") throw new TypeError("Symbol(Symbol.dispose) is not a function");
    this._add(() => dispose.call(value));
    return value;
  }
  dispose() {
    let failure;
    for (const work of this._end()) {
      try {
        work();
      } catch (error) {
        failure = suppress(failure, error);
      }
    }
    if (failure !== undefined) throw failure.error;
  }
  [Symbol.dispose]() { this.dispose(); }
}

class AsyncDisposableStack extends Stack {
  use(value) {
    this._check();
    if (value === null || value === undefined) return value;
    const dispose = value[Symbol.asyncDispose] ?? value[Symbol.dispose];
    if (typeof dispose !== "function") throw new TypeError("Symbol(Symbol.asyncDispose) is not a function");
    this._add(() => dispose.call(value));
    return value;
  }
  async disposeAsync() {
    let failure;
    for (const work of this._end()) {
      try {
        await work();
      } catch (error) {
        failure = suppress(failure, error);
      }
    }
    if (failure !== undefined) throw failure.error;
  }
  [Symbol.asyncDispose]() { return this.disposeAsync(); }
}
tag(DisposableStack, "DisposableStack");
tag(AsyncDisposableStack, "AsyncDisposableStack");
define({ DisposableStack, AsyncDisposableStack });
