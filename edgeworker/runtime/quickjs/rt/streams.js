// Streams of the Workers runtime over web-streams-polyfill.
import { ask, bufferOf, bytesOf, define, host, tag } from "edgeworker:host";
import * as streams from "edgeworker:web-streams-polyfill";
import "edgeworker:text";

const { ReadableStream, TransformStream } = streams;
define({ ...streams });
for (const made of [streams.ReadableStream, streams.WritableStream, streams.TransformStream]) {
  Object.defineProperty(made, "name", { value: /Readable/.test(made.name) ? "ReadableStream" : made.name, configurable: true });
}
if (ReadableStream.from === undefined) {
  ReadableStream.from = (source) => {
    const items = source[Symbol.asyncIterator]?.() ?? source[Symbol.iterator]();
    return new ReadableStream({
      async pull(controller) {
        const { done, value } = await items.next();
        if (done) controller.close();
        else controller.enqueue(await value);
      },
      async cancel(reason) { await items.return?.(reason); },
    });
  };
}

export const lengths = new WeakMap();

class IdentityTransformStream extends TransformStream {
  constructor() {
    super({
      transform(chunk, controller) {
        const bytes = typeof chunk === "string" ? new TextEncoder().encode(chunk) : bytesOf(chunk);
        if (bytes === undefined) throw new TypeError("This TransformStream is being used as a byte stream, but received an object of non-ArrayBuffer/ArrayBufferView/string type on its writable side.");
        controller.enqueue(bytes);
      },
    });
  }
}

class FixedLengthStream extends TransformStream {
  constructor(length) {
    const expected = Number(length);
    let seen = 0;
    super({
      transform(chunk, controller) {
        const bytes = bytesOf(chunk);
        seen += bytes.byteLength;
        if (seen > expected) throw new TypeError("Attempt to write too many bytes through a FixedLengthStream.");
        controller.enqueue(bytes);
      },
      flush() {
        if (seen < expected) throw new TypeError("FixedLengthStream did not see all expected bytes before close().");
      },
    });
    lengths.set(this.readable, expected);
  }
}

class TextEncoderStream extends TransformStream {
  constructor() {
    const encoder = new TextEncoder();
    super({ transform: (chunk, controller) => controller.enqueue(encoder.encode(String(chunk))) });
  }
  get encoding() { return "utf-8"; }
}

class TextDecoderStream extends TransformStream {
  constructor(label, options) {
    const decoder = new TextDecoder(label, options);
    super({
      transform(chunk, controller) {
        const text = decoder.decode(chunk, { stream: true });
        if (text !== "") controller.enqueue(text);
      },
      flush(controller) {
        const text = decoder.decode();
        if (text !== "") controller.enqueue(text);
      },
    });
    this.encoding = decoder.encoding;
  }
}

function codec(direction, format) {
  const id = host.codec(direction, String(format));
  if (id === 0) throw new TypeError("The compression format must be either 'deflate', 'deflate-raw' or 'gzip'.");
  const run = (operation, bytes, controller) => {
    const made = host[operation](id, bytes);
    if (made === null) throw new TypeError("Failed to decompress.");
    if (made.byteLength > 0) controller.enqueue(new Uint8Array(made));
  };
  return {
    transform(chunk, controller) {
      const bytes = bytesOf(chunk);
      if (bytes === undefined) throw new TypeError("A compression stream takes bytes.");
      run("codec_write", bufferOf(bytes), controller);
    },
    flush(controller) { run("codec_end", new ArrayBuffer(0), controller); },
  };
}
class CompressionStream extends TransformStream {
  constructor(format) { super(codec("compress", format)); }
}
class DecompressionStream extends TransformStream {
  constructor(format) { super(codec("decompress", format)); }
}
for (const made of [IdentityTransformStream, FixedLengthStream, TextEncoderStream, TextDecoderStream, CompressionStream, DecompressionStream]) tag(made, made.name);
streams.ReadableStreamBYOBReader.prototype.readAtLeast = function readAtLeast(min, view) {
  return this.read(view, { min });
};

// A stream over a body that the edge holds.
export function openNative(state) {
  return new ReadableStream({
    type: "bytes",
    async pull(controller) {
      const found = await ask("read", JSON.stringify({ id: state.id }));
      if (found === "") {
        controller.close();
        controller.byobRequest?.respond(0);
      } else controller.enqueue(new Uint8Array(found.buffer));
    },
    cancel() { host.close_body(state.id); },
  }, { highWaterMark: 0 });
}

define({ IdentityTransformStream, FixedLengthStream, TextEncoderStream, TextDecoderStream, CompressionStream, DecompressionStream });
