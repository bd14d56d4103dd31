// "node:util".
import { format as formatValues, inspect as inspectValue } from "edgeworker:console";

export const format = formatValues;
export const inspect = Object.assign((value) => inspectValue(value, typeof value === "string" ? 1 : 0), { custom: Symbol.for("nodejs.util.inspect.custom") });
export function inherits(child, parent) {
  Object.defineProperty(child, "super_", { value: parent, writable: true, configurable: true });
  Object.setPrototypeOf(child.prototype, parent.prototype);
}
const CUSTOM = Symbol.for("nodejs.util.promisify.custom");
export const promisify = Object.assign((work) => work[CUSTOM] ?? function promisified(...values) {
  return new Promise((resolve, reject) => {
    work.call(this, ...values, (error, value) => (error ? reject(error) : resolve(value)));
  });
}, { custom: CUSTOM });
export const callbackify = (work) => (...values) => {
  const callback = values.pop();
  work(...values).then((value) => callback(null, value), (error) => callback(error));
};
export const deprecate = (work) => work;
export const debuglog = () => () => undefined;
export const isDeepStrictEqual = (a, b) => {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
  if (a instanceof Date) return a.getTime() === b.getTime();
  if (a instanceof Map || a instanceof Set) return isDeepStrictEqual([...a], [...b]);
  const [one, other] = [Object.keys(a), Object.keys(b)];
  return one.length === other.length && one.every((key) => Object.hasOwn(b, key) && isDeepStrictEqual(a[key], b[key]));
};
const named = (name) => (value) => Object.prototype.toString.call(value) === `[object ${name}]`;
export const types = {
  isDate: named("Date"), isRegExp: named("RegExp"), isMap: named("Map"), isSet: named("Set"), isPromise: (value) => value instanceof Promise,
  isNativeError: (value) => value instanceof Error, isArrayBuffer: named("ArrayBuffer"), isAnyArrayBuffer: named("ArrayBuffer"),
  isTypedArray: (value) => ArrayBuffer.isView(value) && !(value instanceof DataView), isUint8Array: (value) => value instanceof Uint8Array,
  isArrayBufferView: ArrayBuffer.isView, isAsyncFunction: named("AsyncFunction"), isGeneratorFunction: named("GeneratorFunction"),
  isProxy: () => false, isWeakMap: named("WeakMap"), isWeakSet: named("WeakSet"), isDataView: named("DataView"),
  isSymbolObject: (value) => typeof value === "object" && named("Symbol")(value),
  isBoxedPrimitive: (value) => typeof value === "object" && /^\[object (Number|String|Boolean|BigInt|Symbol)\]$/.test(Object.prototype.toString.call(value)),
  isKeyObject: (value) => Object.prototype.toString.call(value) === "[object KeyObject]", isCryptoKey: (value) => value instanceof CryptoKey,
};
const { TextDecoder, TextEncoder } = globalThis;
export { TextDecoder, TextEncoder };
export const stripVTControlCharacters = (text) => String(text).replace(/\x1b\[[0-9;]*[A-Za-z]/g, "");
export const toUSVString = (text) => String(text).toWellFormed();
export const debug = debuglog;
export const aborted = (signal) => new Promise((resolve) => (signal.aborted ? resolve() : signal.addEventListener("abort", () => resolve(), { once: true })));
export const isArray = Array.isArray;
export default {
  format, inspect, inherits, promisify, callbackify, deprecate, debuglog, isDeepStrictEqual, types, TextDecoder, TextEncoder, isArray, stripVTControlCharacters,
  toUSVString, debug, aborted,
};
