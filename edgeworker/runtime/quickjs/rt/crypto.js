// crypto: WebCrypto is the edge's own, which the recorded cases of workerd hold.
import { ask, bufferOf, bytesOf, define, host, tag } from "edgeworker:host";
import "edgeworker:streams";
import { decode, encode, setKeys } from "edgeworker:values";

const MAKE = Symbol("make");
class CryptoKey {
  #told;
  constructor(made, told) {
    if (made !== MAKE) throw new TypeError("Illegal constructor");
    this.#told = told;
  }
  get type() { return this.#told.type; }
  get extractable() { return this.#told.extractable; }
  get algorithm() { return { ...this.#told.algorithm }; }
  get usages() { return [...this.#told.usages]; }
  static _id(key) { return key.#told.id; }
}
tag(CryptoKey, "CryptoKey");

setKeys(CryptoKey, CryptoKey._id, (told) => {
  const algorithm = decode(told.algorithm);
  if (algorithm.publicExponent instanceof ArrayBuffer) algorithm.publicExponent = new Uint8Array(algorithm.publicExponent);
  return new CryptoKey(MAKE, { ...told, algorithm });
});

class SubtleCrypto {
  timingSafeEqual(a, b) {
    const [one, other] = [bytesOf(a), bytesOf(b)];
    if (one === undefined || other === undefined) {
      throw new TypeError("Failed to execute 'timingSafeEqual' on 'SubtleCrypto': parameter 1 is not of type 'JsBufferSource'.");
    }
    if (one.byteLength !== other.byteLength) throw new TypeError("Input buffers must have the same byte length.");
    let difference = 0;
    for (let at = 0; at < one.byteLength; at++) difference |= one[at] ^ other[at];
    return difference === 0;
  }
}
const METHODS = ["digest", "importKey", "exportKey", "generateKey", "sign", "verify", "encrypt", "decrypt", "deriveBits", "deriveKey", "wrapKey", "unwrapKey"];
for (const method of METHODS) {
  const run = async (...values) => {
    const given = values.map((value) => (value !== null && typeof value === "object" && !bytesOf(value) && !Array.isArray(value) && !(value instanceof CryptoKey) && !(value instanceof ArrayBuffer) ? definedOnly(value) : value));
    const text = await ask("subtle", JSON.stringify({ method, values: given.map((value) => encode(value)) }));
    return decode(JSON.parse(text));
  };
  Object.defineProperty(SubtleCrypto.prototype, method, { value: run, configurable: true, writable: true });
}
// Most digests are of short texts by a known name: the edge answers them at once.
const HASHES = { "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512" };
const { digest } = SubtleCrypto.prototype;
Object.defineProperty(SubtleCrypto.prototype, "digest", {
  value: async function digest_(algorithm, data) {
    const hash = Object.hasOwn(HASHES, algorithm) ? HASHES[algorithm] : undefined;
    const bytes = bytesOf(data);
    if (typeof algorithm !== "string" || hash === undefined || bytes === undefined) return digest.call(this, algorithm, data);
    return host.hash(hash, bufferOf(bytes));
  },
  configurable: true, writable: true,
});
tag(SubtleCrypto, "SubtleCrypto");

function definedOnly(value) {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined));
}

// A WritableStream whose `digest` is that of all that was written.
class DigestStream extends WritableStream {
  #digest;
  #pieces = [];
  #written = 0;
  constructor(algorithm) {
    const name = String(typeof algorithm === "object" && algorithm !== null ? algorithm.name : algorithm).toUpperCase();
    const { promise, resolve, reject } = Promise.withResolvers();
    promise.catch(() => undefined);
    super({
      write: (piece) => {
        const bytes = typeof piece === "string" ? new TextEncoder().encode(piece) : bytesOf(piece);
        if (bytes === undefined) {
          const error = new TypeError("DigestStream is a byte stream but received an object of non-ArrayBuffer/ArrayBufferView/string type on its writable side.");
          reject(error);
          throw error;
        }
        this.#pieces.push(bytes.slice());
        this.#written += bytes.byteLength;
      },
      close: async () => {
        const all = new Uint8Array(this.#written);
        let at = 0;
        for (const piece of this.#pieces) {
          all.set(piece, at);
          at += piece.byteLength;
        }
        this.#pieces = [];
        resolve(await crypto.subtle.digest(name, all));
      },
      abort: (reason) => reject(reason),
    });
    if (!Object.hasOwn(HASHES, name) && name !== "MD5") throw new DOMException("Unrecognized or unimplemented digest algorithm requested.", "NotSupportedError");
    this.#digest = promise;
  }
  get digest() { return this.#digest; }
  get bytesWritten() { return BigInt(this.#written); }
}

class Crypto {
  DigestStream = DigestStream;
  subtle = new SubtleCrypto();
  getRandomValues(array) {
    if (!ArrayBuffer.isView(array) || array instanceof Float32Array || array instanceof Float64Array || array instanceof DataView) {
      throw new DOMException("ArrayBufferView argument to getRandomValues() must be an integer-typed view.", "TypeMismatchError");
    }
    if (array.byteLength > 65536) throw new DOMException("getRandomValues() only accepts buffers of size <= 64K.", "QuotaExceededError");
    bytesOf(array).set(new Uint8Array(host.random(array.byteLength)));
    return array;
  }
  randomUUID() { return host.uuid(); }
}
tag(Crypto, "Crypto");

define({ CryptoKey, SubtleCrypto, Crypto, crypto: new Crypto() });
