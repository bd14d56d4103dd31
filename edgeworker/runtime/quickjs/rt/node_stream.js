// "node:stream": the npm package readable-stream, which is Node.js's own streams.
import { addBuiltins } from "edgeworker:builtins";
import { Buffer } from "node:buffer";
import Stream from "edgeworker:readable-stream";

function concat(chunks) {
  const bytes = chunks.map((chunk) => (typeof chunk === "string" ? new TextEncoder().encode(chunk) : chunk));
  const made = new Uint8Array(bytes.reduce((size, one) => size + one.byteLength, 0));
  let at = 0;
  for (const one of bytes) {
    made.set(one, at);
    at += one.byteLength;
  }
  return made;
}

const { Readable, Writable, Duplex, Transform, PassThrough, finished, pipeline, addAbortSignal, compose, promises } = Stream;
// The package has no streams of the web platform to convert from and to.
Readable.fromWeb = (stream, options) => Readable.from(stream, { objectMode: false, ...options });
Readable.toWeb = (readable) => ReadableStream.from((async function* pieces() {
  for await (const chunk of readable) yield typeof chunk === "string" ? new TextEncoder().encode(chunk) : new Uint8Array(chunk);
})());
Writable.toWeb = (writable) => new WritableStream({
  write: (chunk) => new Promise((resolve, reject) => void writable.write(chunk, (error) => (error ? reject(error) : resolve()))),
  close: () => new Promise((resolve, reject) => void (writable.once("error", reject), writable.end(resolve))),
  abort: (reason) => void writable.destroy(reason),
});
Writable.fromWeb = (stream) => {
  const writer = stream.getWriter();
  const settle = (promise, done) => void promise.then(() => done(), done);
  return new Writable({
    write: (chunk, _encoding, done) => settle(writer.write(chunk), done),
    final: (done) => settle(writer.close(), done),
  });
};
export const consumers = {
  async buffer(stream) { return Buffer.from(await consumers.arrayBuffer(stream)); },
  async arrayBuffer(stream) {
    const chunks = [];
    for await (const chunk of stream) chunks.push(chunk);
    return concat(chunks).buffer;
  },
  async text(stream) { return new TextDecoder().decode(await consumers.arrayBuffer(stream)); },
  async json(stream) { return JSON.parse(await consumers.text(stream)); },
};
export { Stream, Readable, Writable, Duplex, Transform, PassThrough, finished, pipeline, addAbortSignal, compose, promises };
export const { isReadable, isErrored, isDisturbed, destroy } = Stream;
addBuiltins({ stream: Stream });
export default Stream;
