// "node:buffer": the npm package `buffer`, which does not know base64url.
import { Buffer, INSPECT_MAX_BYTES, SlowBuffer, kMaxLength } from "edgeworker:buffer";

const isUrl = (encoding) => typeof encoding === "string" && encoding.toLowerCase() === "base64url";
const { from, isEncoding, byteLength } = Buffer;
const { toString, write } = Buffer.prototype;
Buffer.from = (value, encoding, length) => from(value, isUrl(encoding) ? "base64" : encoding, length);
Buffer.isEncoding = (encoding) => isUrl(encoding) || isEncoding(encoding);
Buffer.byteLength = (value, encoding) => byteLength(value, isUrl(encoding) ? "base64" : encoding);
Buffer.prototype.toString = function (encoding, start, end) {
  if (!isUrl(encoding)) return toString.call(this, encoding, start, end);
  return toString.call(this, "base64", start, end).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
};
Buffer.prototype.write = function (text, ...rest) {
  return write.call(this, text, ...rest.map((value) => (isUrl(value) ? "base64" : value)));
};

const { Blob, File, atob, btoa } = globalThis;
export { Blob, Buffer, File, INSPECT_MAX_BYTES, SlowBuffer, atob, btoa, kMaxLength };
export default { Blob, Buffer, File, INSPECT_MAX_BYTES, SlowBuffer, atob, btoa, kMaxLength };
