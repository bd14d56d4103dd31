// TextEncoder, TextDecoder, atob, btoa. Sources: https://encoding.spec.whatwg.org/, https://infra.spec.whatwg.org/#forgiving-base64
import { bufferOf, bytesOf, define, host, tag } from "edgeworker:host";

class TextEncoder {
  get encoding() { return "utf-8"; }
  encode(text = "") {
    return new Uint8Array(host.encode(String(text).toWellFormed()));
  }
  encodeInto(text, target) {
    let read = 0, written = 0;
    for (const character of String(text).toWellFormed()) {
      const bytes = this.encode(character);
      if (written + bytes.length > target.length) break;
      target.set(bytes, written);
      written += bytes.length;
      read += character.length;
    }
    return { read, written };
  }
}
tag(TextEncoder, "TextEncoder");

// How many bytes at the end begin a character that is not whole.
function unfinished(bytes) {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back];
    if ((byte & 0xc0) === 0x80) continue;
    const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc2 ? 2 : 1;
    return needed > back ? back : 0;
  }
  return 0;
}

// Encodings whose characters do not show where they end: they are decoded at the end of the stream.
const OF_SEVERAL_BYTES = ["shift_jis", "euc-jp", "iso-2022-jp", "gbk", "gb18030", "big5", "euc-kr"];

class TextDecoder {
  #encoding;
  #fatal;
  #ignoreBOM;
  #kept = new Uint8Array();
  #hasBegun = false;
  constructor(label = "utf-8", options = {}) {
    const name = host.encoding(String(label));
    if (name === "") throw new RangeError(`"${label}" is not a valid encoding.`);
    this.#encoding = name;
    this.#fatal = Boolean(options?.fatal);
    this.#ignoreBOM = Boolean(options?.ignoreBOM);
  }
  get encoding() { return this.#encoding; }
  get fatal() { return this.#fatal; }
  get ignoreBOM() { return this.#ignoreBOM; }
  decode(input = new Uint8Array(), options = {}) {
    let bytes = bytesOf(input);
    if (bytes === undefined) throw new TypeError("TextDecoder.decode() takes an ArrayBuffer or a view of one.");
    if (this.#kept.length > 0) {
      const joined = new Uint8Array(this.#kept.length + bytes.length);
      joined.set(this.#kept);
      joined.set(bytes, this.#kept.length);
      bytes = joined;
      this.#kept = new Uint8Array();
    }
    if (options?.stream) {
      const left = this.#encoding === "utf-8" ? unfinished(bytes) : this.#encoding.startsWith("utf-16") ? bytes.length % 2 : OF_SEVERAL_BYTES.includes(this.#encoding) ? bytes.length : 0;
      this.#kept = bytes.slice(bytes.length - left);
      bytes = bytes.subarray(0, bytes.length - left);
    }
    const text = host.decode(this.#encoding, this.#fatal, bufferOf(bytes));
    if (text === null) throw new TypeError("Failed to decode input.");
    const begins = !this.#hasBegun;
    this.#hasBegun = Boolean(options?.stream) && (this.#hasBegun || bytes.length > 0);
    return begins && !this.#ignoreBOM && text.startsWith("\ufeff") ? text.slice(1) : text;
  }
}
tag(TextDecoder, "TextDecoder");

export const encode = (text) => new Uint8Array(host.encode(String(text).toWellFormed()));
export const decodeBody = (bytes) => {
  const text = host.decode("utf-8", false, bufferOf(bytes));
  return text.startsWith("\ufeff") ? text.slice(1) : text;
};

function btoa(text) {
  const encoded = host.btoa(String(text));
  if (encoded === null) throw new DOMException("btoa() can only operate on characters in the Latin1 (ISO/IEC 8859-1) range.", "InvalidCharacterError");
  return encoded;
}

function atob(text) {
  const decoded = host.atob(String(text));
  if (decoded === null) throw new DOMException("atob() called with invalid base64-encoded data. (Only whitespace, '+', '/', alphanumeric ASCII, and up to two terminal '=' signs when the input data length is divisible by 4 are allowed.)", "InvalidCharacterError");
  return decoded;
}

define({ TextEncoder, TextDecoder, atob, btoa });
