// "node:stream": the old Stream that packages inherit from. Readable and the like are not in this engine.
import { EventEmitter } from "node:events";

// A function and not a class: util.inherits() and Stream.call(this) are how packages use it.
export function Stream() {}
Object.setPrototypeOf(Stream, EventEmitter);
Stream.prototype = Object.create(EventEmitter.prototype, { constructor: { value: Stream, writable: true, configurable: true } });
Stream.prototype.pipe = function pipe(target) {
  this.on("data", (chunk) => target.write(chunk));
  this.on("end", () => target.end());
  target.emit("pipe", this);
  return target;
};

const absent = (name) => class {
  constructor() {
    throw new Error(`node:stream's ${name} is not in the embedded JavaScript engine; run the worker in workerd: npm install --save-dev wrangler in the project, or javascript.engine = "workerd".`);
  }
};
export const Readable = absent("Readable");
export const Writable = absent("Writable");
export const Duplex = absent("Duplex");
export const Transform = absent("Transform");
export const PassThrough = absent("PassThrough");
Object.assign(Stream, { Stream, Readable, Writable, Duplex, Transform, PassThrough });
export default Stream;
