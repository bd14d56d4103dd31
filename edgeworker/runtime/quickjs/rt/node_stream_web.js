// "node:stream/web".
const {
  ReadableStream, ReadableStreamDefaultReader, ReadableStreamBYOBReader, WritableStream, WritableStreamDefaultWriter, TransformStream,
  ByteLengthQueuingStrategy, CountQueuingStrategy, CompressionStream, DecompressionStream, TextDecoderStream, TextEncoderStream,
} = globalThis;
export {
  ReadableStream, ReadableStreamDefaultReader, ReadableStreamBYOBReader, WritableStream, WritableStreamDefaultWriter, TransformStream,
  ByteLengthQueuingStrategy, CountQueuingStrategy, CompressionStream, DecompressionStream, TextDecoderStream, TextEncoderStream,
};
export default {
  ReadableStream, ReadableStreamDefaultReader, ReadableStreamBYOBReader, WritableStream, WritableStreamDefaultWriter, TransformStream,
  ByteLengthQueuingStrategy, CountQueuingStrategy, CompressionStream, DecompressionStream, TextDecoderStream, TextEncoderStream,
};
