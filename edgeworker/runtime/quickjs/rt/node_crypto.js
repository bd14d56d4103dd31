// "node:crypto", as far as hashing, HMAC, signatures, ciphers and keys out of passwords go. The work is done by the edge.
import { bufferOf, bytesOf, call, host } from "edgeworker:host";
import { concat } from "edgeworker:blob";
import { Buffer } from "node:buffer";
import * as ciphers from "edgeworker:node_ciphers";

export const {
  scrypt, scryptSync, pbkdf2, pbkdf2Sync, hkdf, hkdfSync, createCipheriv, createDecipheriv, getCiphers,
} = ciphers;

const asBytes = (value, encoding) => {
  if (typeof value === "string") return Buffer.from(value, encoding === "buffer" ? undefined : encoding);
  if (value instanceof KeyObject) return value._bytes;
  const bytes = bytesOf(value);
  if (bytes === undefined) {
    const error = new TypeError('The "data" argument must be of type string or an instance of Buffer, TypedArray, or DataView.');
    throw Object.assign(error, { code: "ERR_INVALID_ARG_TYPE" });
  }
  return bytes;
};
const output = (bytes, encoding) => {
  const buffer = Buffer.from(bytes);
  return encoding === undefined || encoding === null || encoding === "buffer" ? buffer : buffer.toString(encoding);
};
const hashName = (name) => String(name).toLowerCase().replace(/^rsa-/, "").replace("sha-", "sha");

class Hash {
  #parts = [];
  #finish;
  constructor(finish) { this.#finish = finish; }
  update(data, encoding) {
    if (this.#parts === null) throw Object.assign(new Error("Digest already called"), { code: "ERR_CRYPTO_HASH_FINALIZED" });
    this.#parts.push(asBytes(data, encoding).slice());
    return this;
  }
  digest(encoding) {
    if (this.#parts === null) throw Object.assign(new Error("Digest already called"), { code: "ERR_CRYPTO_HASH_FINALIZED" });
    const content = bufferOf(concat(this.#parts));
    this.#parts = null;
    return output(this.#finish(content), encoding);
  }
}

export function createHash(name) {
  const digest = (content) => host.hash(hashName(name), content);
  if (digest(new ArrayBuffer(0)) === null) throw new Error(`Digest method not supported: ${name}`);
  return new Hash(digest);
}

export function createHmac(name, key) {
  const bytes = bufferOf(asBytes(key).slice());
  const digest = (content) => host.hmac(hashName(name), bytes, content);
  if (digest(new ArrayBuffer(0)) === null) throw new Error(`Invalid digest: ${name}`);
  return new Hash(digest);
}

export const hash = (name, data, encoding = "hex") => createHash(name).update(data).digest(encoding);

export class KeyObject {
  constructor(told) { Object.assign(this, told); }
  get [Symbol.toStringTag]() { return "KeyObject"; }
  get symmetricKeySize() { return this.type === "secret" ? this._bytes.byteLength : undefined; }
  export(options = {}) {
    if (this.type === "secret") return options.format === "jwk" ? { kty: "oct", k: Buffer.from(this._bytes).toString("base64url") } : Buffer.from(this._bytes);
    return this._pem;
  }
}
function hidden(told) {
  const made = new KeyObject({ type: told.type });
  for (const [name, value] of Object.entries(told)) {
    Object.defineProperty(made, name, { value, enumerable: !name.startsWith("_"), configurable: true });
  }
  return made;
}
export const createSecretKey = (key, encoding) => hidden({ type: "secret", _bytes: asBytes(key, encoding).slice() });

function asymmetric(kind, input) {
  if (input instanceof KeyObject) {
    if (input.type === kind) return input;
    if (input.type === "secret") throw new TypeError("The key is a secret one.");
    return asymmetric(kind, input._pem);
  }
  const key = typeof input === "object" && input !== null && bytesOf(input) === undefined ? input.key : input;
  const pem = typeof key === "string" ? key : Buffer.from(asBytes(key)).toString("utf8");
  const told = call("pem", kind, pem);
  return hidden({ type: kind, _pem: told.pem, asymmetricKeyType: told.type, asymmetricKeyDetails: told.details });
}
export const createPrivateKey = (key) => asymmetric("private", key);
export const createPublicKey = (key) => asymmetric("public", key);

class Signer {
  #parts = [];
  #name;
  constructor(name) { this.#name = hashName(name); }
  update(data, encoding) {
    this.#parts.push(asBytes(data, encoding).slice());
    return this;
  }
  write(data) { this.update(data); return true; }
  end(data) { if (data !== undefined) this.update(data); return this; }
  sign(key, encoding) {
    const options = JSON.stringify({ padding: key?.padding, saltLength: key?.saltLength, dsaEncoding: key?.dsaEncoding });
    const made = host.sign(this.#name, createPrivateKey(key)._pem, options, bufferOf(concat(this.#parts)));
    if (made === null) throw new Error(`This key cannot sign with ${this.#name} in the embedded JavaScript engine.`);
    return output(made, encoding);
  }
  verify(key, signature, encoding) {
    const options = JSON.stringify({ padding: key?.padding, saltLength: key?.saltLength, dsaEncoding: key?.dsaEncoding });
    return host.verify(this.#name, createPublicKey(key)._pem, options, bufferOf(concat(this.#parts)), bufferOf(asBytes(signature, encoding).slice()));
  }
}
export const createSign = (name) => new Signer(name);
export const createVerify = (name) => new Signer(name);

export function randomBytes(size, callback) {
  const pieces = [];
  for (let left = size; left > 0; left -= 65536) pieces.push(new Uint8Array(host.random(Math.min(left, 65536))));
  const made = Buffer.from(concat(pieces));
  if (callback === undefined) return made;
  queueMicrotask(() => callback(null, made));
}
export function randomInt(low, high) {
  const [from, to] = high === undefined ? [0, low] : [low, high];
  const span = to - from, limit = 2 ** 48 - ((2 ** 48) % span);
  for (;;) {
    const value = Buffer.from(host.random(6)).readUIntBE(0, 6);
    if (value < limit) return from + (value % span);
  }
}
export const randomUUID = () => host.uuid();
export const getRandomValues = (array) => globalThis.crypto.getRandomValues(array);
export function timingSafeEqual(a, b) {
  if (asBytes(a).byteLength !== asBytes(b).byteLength) {
    throw Object.assign(new RangeError("Input buffers must have the same byte length"), { code: "ERR_CRYPTO_TIMING_SAFE_EQUAL_LENGTH" });
  }
  return globalThis.crypto.subtle.timingSafeEqual(asBytes(a), asBytes(b));
}
export const getHashes = () => ["md5", "sha1", "sha224", "sha256", "sha384", "sha512"];
export const constants = { RSA_PKCS1_PADDING: 1, RSA_PKCS1_PSS_PADDING: 6, RSA_PSS_SALTLEN_DIGEST: -1, RSA_PSS_SALTLEN_MAX_SIGN: -2, RSA_PSS_SALTLEN_AUTO: -2 };
export function sign(name, data, key, callback) {
  const made = new Signer(name ?? "").update(data).sign(key);
  if (callback === undefined) return made;
  queueMicrotask(() => callback(null, made));
}
export function verify(name, data, key, signature, callback) {
  const holds = new Signer(name ?? "").update(data).verify(key, signature);
  if (callback === undefined) return holds;
  queueMicrotask(() => callback(null, holds));
}
export function randomFillSync(target, offset = 0, size = target.byteLength - offset) {
  bytesOf(target).set(randomBytes(size), offset);
  return target;
}
export function randomFill(target, ...rest) {
  const callback = rest.pop();
  randomFillSync(target, ...rest);
  queueMicrotask(() => callback(null, target));
}
export const webcrypto = globalThis.crypto;
export const subtle = globalThis.crypto.subtle;
export default {
  createHash, createHmac, hash, KeyObject, createSecretKey, createPrivateKey, createPublicKey, createSign, createVerify, randomBytes, randomInt,
  randomUUID, getRandomValues, timingSafeEqual, getHashes, constants, webcrypto, subtle, sign, verify, randomFill, randomFillSync, ...ciphers,
};
