// "node:string_decoder": text of bytes that come in pieces, without a character that is cut in two.
import { Buffer } from "node:buffer";

export class StringDecoder {
  #rest = Buffer.alloc(0);
  #decoder;
  constructor(encoding = "utf8") {
    this.encoding = String(encoding).toLowerCase().replace("utf-8", "utf8").replace("ucs2", "utf16le").replace("utf-16le", "utf16le");
    if (this.encoding === "utf8") this.#decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  }
  write(chunk) {
    if (typeof chunk === "string") return chunk;
    if (this.#decoder !== undefined) return this.#decoder.decode(chunk, { stream: true });
    const size = { base64: 3, base64url: 3, utf16le: 2 }[this.encoding] ?? 1;
    const all = Buffer.concat([this.#rest, Buffer.from(chunk)]);
    const whole = all.length - (all.length % size);
    this.#rest = all.subarray(whole);
    return all.toString(this.encoding, 0, whole);
  }
  end(chunk) {
    const text = chunk === undefined ? "" : this.write(chunk);
    const rest = this.#decoder === undefined ? this.#rest.toString(this.encoding) : this.#decoder.decode();
    this.#rest = Buffer.alloc(0);
    return text + rest;
  }
}
export default { StringDecoder };
