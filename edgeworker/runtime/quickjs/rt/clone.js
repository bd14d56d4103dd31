// structuredClone. Source: https://html.spec.whatwg.org/#structuredserializeinternal
import { define } from "edgeworker:host";

const ERRORS = { Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError };

function clone(value, seen) {
  if (typeof value === "function" || typeof value === "symbol") {
    throw new DOMException(`${String(value).slice(0, 100)} could not be cloned.`, "DataCloneError");
  }
  if (value === null || typeof value !== "object") return value;
  if (seen.has(value)) return seen.get(value);
  const keep = (made) => {
    seen.set(value, made);
    return made;
  };
  if (value instanceof Date) return keep(new Date(value.getTime()));
  if (value instanceof RegExp) return keep(new RegExp(value.source, value.flags));
  for (const kind of [Boolean, Number, String]) if (value instanceof kind) return keep(Object(value.valueOf()));
  if (value instanceof ArrayBuffer) return keep(value.slice(0));
  if (ArrayBuffer.isView(value)) {
    const buffer = clone(value.buffer, seen);
    return keep(new value.constructor(buffer, value.byteOffset, value instanceof DataView ? value.byteLength : value.length));
  }
  if (value instanceof Map) {
    const made = keep(new Map());
    for (const [key, item] of [...value]) made.set(clone(key, seen), clone(item, seen));
    return made;
  }
  if (value instanceof Set) {
    const made = keep(new Set());
    for (const item of [...value]) made.add(clone(item, seen));
    return made;
  }
  if (value instanceof Error) {
    const made = keep(new (ERRORS[value.name] ?? Error)(value.message));
    if ("cause" in value) made.cause = clone(value.cause, seen);
    return made;
  }
  if (Array.isArray(value)) {
    const made = keep(new Array(value.length));
    for (const key of Object.keys(value)) made[key] = clone(value[key], seen);
    return made;
  }
  if (value instanceof Blob) return value;
  if (value instanceof Promise || value instanceof WeakMap || value instanceof WeakSet || value instanceof Request || value instanceof Response || value instanceof ReadableStream) {
    throw new DOMException(`${Object.prototype.toString.call(value)} could not be cloned.`, "DataCloneError");
  }
  const made = keep({});
  for (const key of Object.keys(value)) made[key] = clone(value[key], seen);
  return made;
}

function cloneAndTransfer(value, options = undefined) {
  const buffers = [...(options?.transfer ?? [])];
  if (new Set(buffers).size < buffers.length) throw new DOMException("A value is transferred twice.", "DataCloneError");
  for (const buffer of buffers) {
    if (!(buffer instanceof ArrayBuffer) || buffer.detached) throw new DOMException("The value cannot be transferred.", "DataCloneError");
  }
  const made = clone(value, new Map(buffers.map((buffer) => [buffer, buffer.slice(0)])));
  for (const buffer of buffers) buffer.transfer();
  return made;
}

define({ structuredClone: cloneAndTransfer });
