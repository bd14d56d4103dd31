// The body of a Request or Response: nothing, bytes, a body that the edge holds, or a stream of the script.
import { ask, bufferOf, bytesOf, host } from "edgeworker:host";
import { concat } from "edgeworker:blob";
import { lengths, openNative } from "edgeworker:streams";
import { decodeBody, encode } from "edgeworker:text";

const USED = "Body has already been used. It can only be used once. Use tee() first if you need to read it twice.";
const NOT_BYTES = "This ReadableStream did not return bytes.";
const natives = new WeakMap(); // a stream that was opened over a native body -> its state

// The state of a body is under a symbol: what a script lists of an object does not show it.
export const BODY = Symbol("body");
export const NO_BODY = Object.freeze({ kind: "none", used: false });
export const nativeBody = (told) => ({ kind: "native", used: false, id: told.id, encoding: told.encoding, length: told.length });

// The state and the Content-Type that the value brings.
export function extract(value) {
  if (value === null || value === undefined) return { state: NO_BODY, type: null };
  if (value instanceof ReadableStream) {
    if (value.locked || value._disturbed) throw new TypeError(value._disturbed ? USED : "This ReadableStream is currently locked to a reader.");
    const native = natives.get(value);
    if (native !== undefined) {
      value.getReader();
      return { state: nativeBody(native), type: null };
    }
    return { state: { kind: "stream", used: false, stream: value, length: lengths.get(value) }, type: null };
  }
  const bytes = bytesOf(value);
  if (bytes !== undefined) return { state: { kind: "bytes", used: false, bytes: bytes.slice() }, type: null };
  if (value instanceof Blob) return { state: { kind: "bytes", used: false, bytes: value._bytes }, type: value.type || null };
  if (value instanceof FormData) {
    const made = value._encode();
    return { state: { kind: "bytes", used: false, bytes: made.bytes }, type: made.type };
  }
  const type = value instanceof URLSearchParams ? "application/x-www-form-urlencoded;charset=UTF-8" : "text/plain;charset=UTF-8";
  return { state: { kind: "bytes", used: false, bytes: encode(value) }, type };
}

function open(state) {
  if (state.stream !== undefined) return state.stream;
  if (state.kind === "native") {
    state.stream = openNative(state);
    natives.set(state.stream, state);
  } else {
    const bytes = state.bytes;
    state.stream = new ReadableStream({
      type: "bytes",
      start(controller) {
        if (bytes.byteLength > 0) controller.enqueue(bytes.slice());
        controller.close();
      },
    }, { highWaterMark: 0 });
    lengths.set(state.stream, bytes.byteLength);
  }
  return state.stream;
}

export function isUsed(state) {
  return state.used || Boolean(state.stream?._disturbed);
}

function use(state) {
  if (isUsed(state)) throw new TypeError(USED);
  if (state.stream?.locked) throw new TypeError("This ReadableStream is currently locked to a reader.");
  state.used = true;
}

async function readAll(state) {
  if (state.kind === "none") return new Uint8Array();
  use(state);
  if (state.kind === "bytes") return state.bytes;
  if (state.kind === "native") {
    state.stream?.getReader();
    return new Uint8Array((await ask("read_all", JSON.stringify({ id: state.id }))).buffer);
  }
  const reader = state.stream.getReader();
  const pieces = [];
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return concat(pieces);
    if (typeof value === "string") throw new TypeError(NOT_BYTES);
    pieces.push(asBytes(value));
  }
}

export function asBytes(chunk) {
  const bytes = typeof chunk === "string" ? encode(chunk) : bytesOf(chunk);
  if (bytes === undefined) throw new TypeError(NOT_BYTES);
  return bytes;
}

// Two states in place of one, for clone().
export function tee(state) {
  if (state.kind === "none") return NO_BODY;
  if (isUsed(state) || state.stream?.locked) throw new TypeError(USED);
  if (state.kind === "bytes") return { kind: "bytes", used: false, bytes: state.bytes };
  if (state.kind === "native" && state.stream === undefined) {
    const [ours, theirs] = JSON.parse(host.tee(state.id));
    state.id = ours;
    return { ...state, id: theirs };
  }
  const [ours, theirs] = open(state).tee();
  Object.assign(state, { kind: "stream", stream: ours });
  return { kind: "stream", used: false, stream: theirs };
}

// Streams that the edge reads, by number.
const sent = new Map();
let nextStream = 1;

const NOTHING_SENT = Object.freeze({ body: null, buffer: null });

// How the edge is told of a body (null, "bytes" or JSON), and the bytes that go beside it. Uses the body up.
export function send(state) {
  if (state === NO_BODY) return NOTHING_SENT;
  use(state);
  if (state.kind === "bytes") return { body: "bytes", buffer: bufferOf(state.bytes) };
  if (state.kind === "native") return { body: JSON.stringify({ native: state.id, encoding: state.encoding }), buffer: null };
  const id = nextStream++;
  sent.set(id, state.stream.getReader());
  return { body: JSON.stringify({ stream: id, length: state.length }), buffer: null };
}

// The next piece of a stream that was sent; undefined at its end.
export async function pull(id) {
  const { done, value } = await sent.get(id).read();
  if (done) sent.delete(id);
  return done ? undefined : bufferOf(asBytes(value));
}

export async function cancel(id) {
  const reader = sent.get(id);
  sent.delete(id);
  await reader?.cancel();
}

export class Body {
  constructor() {
    if (new.target === Body) throw new TypeError("Illegal constructor");
  }
  get body() { return this[BODY].kind === "none" ? null : open(this[BODY]); }
  get bodyUsed() { return this[BODY].kind !== "none" && isUsed(this[BODY]); }
  async bytes() { return (await readAll(this[BODY])).slice(); }
  async arrayBuffer() { return (await readAll(this[BODY])).slice().buffer; }
  async text() { return decodeBody(await readAll(this[BODY])); }
  async json() { return JSON.parse(await this.text()); }
  async blob() { return new Blob([await readAll(this[BODY])], { type: this.headers.get("content-type") ?? "" }); }
  async formData() {
    const type = this.headers.get("content-type");
    return FormData._parse(bufferOf(await readAll(this[BODY])), type ?? "");
  }
}
