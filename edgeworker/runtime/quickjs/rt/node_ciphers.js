// Keys out of passwords, and ciphers, of "node:crypto".
import { ask, bufferOf, bytesOf, host } from "edgeworker:host";
import { concat } from "edgeworker:blob";
import { Buffer } from "node:buffer";

const bytes = (value, encoding) => (typeof value === "string" ? Buffer.from(value, encoding) : value._bytes ?? bytesOf(value));
const hex = (value, encoding) => Buffer.from(bytes(value, encoding)).toString("hex");

function failed(text) {
  const error = new Error(text);
  if (text.startsWith("Unknown cipher")) error.code = "ERR_CRYPTO_UNKNOWN_CIPHER";
  return error;
}
function now(operation, told, content = new ArrayBuffer(0)) {
  const made = host[operation](JSON.stringify(told), content);
  if (typeof made === "string") throw failed(made);
  return Buffer.from(made);
}
function later(told, callback) {
  ask("derive", JSON.stringify(told)).then((found) => callback(null, Buffer.from(found.buffer)), (error) => callback(error));
}

const scryptOf = (secret, salt, length, options = {}) => ({
  method: "scrypt", secret: hex(secret), salt: hex(salt), length, N: options.N ?? options.cost ?? 16384, r: options.r ?? options.blockSize ?? 8,
  p: options.p ?? options.parallelization ?? 1, maxmem: options.maxmem ?? 32 * 1024 * 1024,
});
export const scryptSync = (secret, salt, length, options) => now("derive", scryptOf(secret, salt, length, options));
export const scrypt = (secret, salt, length, options, callback) => typeof options === "function"
  ? later(scryptOf(secret, salt, length), options) : later(scryptOf(secret, salt, length, options), callback);

const pbkdf2Of = (secret, salt, iterations, length, hash) => ({ method: "pbkdf2", secret: hex(secret), salt: hex(salt), iterations, length, hash });
export const pbkdf2Sync = (...values) => now("derive", pbkdf2Of(...values));
export const pbkdf2 = (secret, salt, iterations, length, hash, callback) => later(pbkdf2Of(secret, salt, iterations, length, hash), callback);

const hkdfOf = (hash, secret, salt, info, length) => ({ method: "hkdf", hash, secret: hex(secret), salt: hex(salt), info: hex(info), length });
export const hkdfSync = (...values) => bufferOf(now("derive", hkdfOf(...values)));
export const hkdf = (hash, secret, salt, info, length, callback) => later(hkdfOf(hash, secret, salt, info, length), (error, made) => callback(error, made && bufferOf(made)));

// All of the text is kept until final(): update() gives nothing, so that what both give together is right.
class Cipher {
  #told;
  #parts = [];
  #tag;
  constructor(decrypts, name, key, nonce) {
    this.#told = { decrypts, name: String(name), key: hex(key), nonce: nonce === null || nonce === undefined ? "" : hex(nonce), pads: true };
  }
  update(data, from, to) {
    if (this.#parts === null) throw failed("Unsupported state");
    this.#parts.push(bytes(data, from).slice());
    return to === undefined || to === "buffer" ? Buffer.alloc(0) : "";
  }
  final(encoding) {
    if (this.#parts === null) throw failed("Unsupported state");
    const { decrypts, name } = this.#told;
    const isGcm = /gcm$/i.test(name);
    if (decrypts && isGcm && this.#tag === undefined) throw failed("Unsupported state or unable to authenticate data");
    const content = bufferOf(concat(decrypts && isGcm ? [...this.#parts, this.#tag] : this.#parts));
    this.#parts = null;
    let made = now("cipher", this.#told, content);
    if (!decrypts && isGcm) {
      this.#tag = made.subarray(-16);
      made = made.subarray(0, -16);
    }
    return encoding === undefined || encoding === "buffer" ? made : made.toString(encoding);
  }
  setAAD(data) { this.#told.aad = (this.#told.aad ?? "") + hex(data); return this; }
  setAutoPadding(pads = true) { this.#told.pads = pads; return this; }
  getAuthTag() {
    if (this.#tag === undefined) throw failed("Invalid state for operation getAuthTag");
    return Buffer.from(this.#tag);
  }
  setAuthTag(tag, encoding) {
    const given = bytes(tag, encoding);
    if (given.byteLength !== 16) throw failed(`Invalid authentication tag length: ${given.byteLength}; this engine takes 16 bytes`);
    this.#tag = given.slice();
    return this;
  }
}
export const createCipheriv = (name, key, nonce) => new Cipher(false, name, key, nonce);
export const createDecipheriv = (name, key, nonce) => new Cipher(true, name, key, nonce);
export const getCiphers = () => [128, 192, 256].flatMap((bits) => ["cbc", "ctr", "ecb", "gcm"].map((mode) => `aes-${bits}-${mode}`));
