// The way to the edge: the functions of `host` answer at once, `ask` gives a promise. What crosses is a text, a number, a
// boolean, null or an ArrayBuffer. The global that Python sets is taken away before the worker's own modules run.
import { currentFrame, enterFrame } from "edgeworker:async_context";

export const host = globalThis.__edgeworker_host;
delete globalThis.__edgeworker_host;

const pending = new Map();
let next = 1;
let invocation = 0;

// The invocation that the running code belongs to: code runs until nothing is left to do, so what began it says whose it is.
export const currentInvocation = () => invocation;

const EMPTY_FRAME = new Map(); // frames are never changed

export function enter(id, frame = EMPTY_FRAME) {
  invocation = id;
  enterFrame(frame);
}

export function runAs(id, work, frame = EMPTY_FRAME) {
  enter(id, frame);
  return work();
}

export function ask(operation, text = "", buffer = null) {
  return new Promise((resolve, reject) => {
    const id = next++;
    pending.set(id, { resolve, reject, invocation, frame: currentFrame() });
    host.start(id, invocation, operation, text, buffer);
  });
}

// A fetch() of these parts; gives the response.
export function askFetch(method, url, headers, redirect, cf, target, body, buffer) {
  return new Promise((resolve, reject) => {
    const id = next++;
    pending.set(id, { resolve, reject, invocation, frame: currentFrame() });
    host.fetch(id, invocation, method, url, headers, redirect, cf, target, body, buffer);
  });
}

function take(id) {
  const waiting = pending.get(id);
  if (waiting === undefined) return undefined;
  pending.delete(id);
  invocation = waiting.invocation;
  enterFrame(waiting.frame);
  return waiting;
}

let makeResponse;
export const setMakeResponse = (make) => void (makeResponse = make);

export function receiveFetch(id, status, phrase, headers, url, redirected, body, buffer, webSocket) {
  const waiting = take(id);
  if (waiting !== undefined) waiting.resolve(makeResponse(status, phrase, headers, url, redirected, body, buffer, webSocket));
}

export function settle(id, error, text, buffer) {
  const waiting = take(id);
  if (waiting === undefined) return;
  if (error === null) waiting.resolve(buffer === undefined ? text : { text, buffer });
  else waiting.reject(makeError(JSON.parse(error)));
}

let DOMExceptionClass;
export const setDOMException = (value) => void (DOMExceptionClass = value);
const plain = { Error, TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError };

export function makeError({ name, message }) {
  if (Object.hasOwn(plain, name)) return new plain[name](message);
  if (/^[A-Z][A-Za-z]*Error$/.test(name)) return new DOMExceptionClass(message, name);
  return Object.assign(new Error(message), { name });
}

// One text or a failure, from an operation that answers at once.
export function call(operation, ...values) {
  const { error, value } = JSON.parse(host[operation](...values));
  if (error !== undefined) throw makeError(error);
  return value;
}

export function bytesOf(value) {
  // Not a Buffer: its slice() is a view of the same memory.
  if (value instanceof Uint8Array && value.constructor === Uint8Array) return value;
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  return undefined;
}

// A buffer of exactly these bytes, which the host may keep.
export function bufferOf(value) {
  const view = bytesOf(value);
  if (view === undefined) throw new TypeError("The value is not an ArrayBuffer or a view of one.");
  if (view.byteOffset === 0 && view.byteLength === view.buffer.byteLength) return view.buffer;
  return view.slice().buffer;
}

export function define(names) {
  for (const [name, value] of Object.entries(names)) {
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true, enumerable: false });
  }
}

export function tag(constructor, name) {
  Object.defineProperty(constructor.prototype, Symbol.toStringTag, { value: name, configurable: true });
}
