// Asks the WebCrypto of workerd for every case below and writes what it answered to cases/crypto.json.
//
//     npm install miniflare node@22          (in a directory of its own)
//     node record_crypto.mjs NODE_MODULES    (with that Node; NODE_MODULES is that directory's node_modules)
//
// A case is a list of steps [method, ...arguments] of crypto.subtle; "$n" is the result of step n, {hex} are bytes. What is
// written: each step's result (bytes as hex, keys as their public fields) or its error; a step after an error is not made.
import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { generateKeyPairSync, sign, constants } from "node:crypto";

const require = createRequire(resolve(process.argv[2] ?? "node_modules") + "/");
const { Miniflare } = require("miniflare");

const hex = (text) => ({ hex: Buffer.from(text, "utf8").toString("hex") });
const bytes = (length, from = 0) => ({ hex: Buffer.from(Array.from({ length }, (_, i) => (i + from) & 255)).toString("hex") });
const DATA = hex("what is signed");
const USE = ["sign", "verify"];
const CRYPT = ["encrypt", "decrypt"];
const hmac = (hash, more = {}) => ({ name: "HMAC", hash, ...more });
const spki = (key) => ({ hex: key.export({ type: "spki", format: "der" }).toString("hex") });
const pkcs8 = (key) => ({ hex: key.export({ type: "pkcs8", format: "der" }).toString("hex") });

const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const rsaJwk = { private: rsa.privateKey.export({ format: "jwk" }), public: rsa.publicKey.export({ format: "jwk" }) };
const ec = Object.fromEntries(["P-256", "P-384", "P-521"].map((c) => [c, generateKeyPairSync("ec", { namedCurve: c })]));
const other = generateKeyPairSync("ec", { namedCurve: "P-256" });
const ed = generateKeyPairSync("ed25519"), x = generateKeyPairSync("x25519"), x2 = generateKeyPairSync("x25519");
const RS = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
const signature = (key, dsaEncoding) => ({ hex: sign("sha256", Buffer.from(DATA.hex, "hex"), { key, dsaEncoding }).toString("hex") });
const pss = { hex: sign("sha256", Buffer.from(DATA.hex, "hex"), { key: rsa.privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }).toString("hex") };
const jwk = (key) => key.export({ format: "jwk" });
const rawEc = (key) => { const k = jwk(key); return { hex: "04" + Buffer.from(k.x, "base64url").toString("hex") + Buffer.from(k.y, "base64url").toString("hex") }; };
const raw = (key) => ({ hex: Buffer.from(jwk(key).x, "base64url").toString("hex") });

const CASES = {};
for (const hash of ["SHA-1", "SHA-256", "SHA-384", "SHA-512", "MD5", "sha-256", "SHA256", "SHA-3"]) CASES[`digest ${hash}`] = [["digest", hash, DATA]];
Object.assign(CASES, {
  "digest by object": [["digest", { name: "SHA-256" }, hex("")]],
  "digest of text": [["digest", "SHA-256", "text"]],
  "hmac sha-256": [["importKey", "raw", hex("secret"), hmac("SHA-256"), true, USE], ["sign", "HMAC", "$0", DATA],
    ["verify", "HMAC", "$0", "$1", DATA], ["verify", "HMAC", "$0", bytes(32), DATA], ["verify", "HMAC", "$0", bytes(3), DATA],
    ["exportKey", "raw", "$0"], ["exportKey", "jwk", "$0"]],
  "hmac sha-1": [["importKey", "raw", hex("secret"), hmac("SHA-1"), false, USE], ["sign", "HMAC", "$0", DATA], ["exportKey", "raw", "$0"]],
  "hmac sha-512 by name": [["importKey", "raw", hex("secret"), hmac({ name: "SHA-512" }), false, ["sign"]], ["sign", { name: "HMAC" }, "$0", DATA]],
  "hmac of jwk": [["importKey", "jwk", { kty: "oct", k: "c2VjcmV0", alg: "HS256", ext: true }, hmac("SHA-256"), true, USE], ["sign", "HMAC", "$0", DATA]],
  "hmac of jwk with another alg": [["importKey", "jwk", { kty: "oct", k: "c2VjcmV0", alg: "HS512" }, hmac("SHA-256"), true, USE]],
  "hmac of jwk of another kty": [["importKey", "jwk", { kty: "RSA", k: "c2VjcmV0" }, hmac("SHA-256"), true, USE]],
  "hmac empty": [["importKey", "raw", hex(""), hmac("SHA-256"), true, USE]],
  "hmac without hash": [["importKey", "raw", hex("secret"), { name: "HMAC" }, true, USE]],
  "hmac no usage": [["importKey", "raw", hex("secret"), hmac("SHA-256"), true, []]],
  "hmac wrong usage": [["importKey", "raw", hex("secret"), hmac("SHA-256"), true, ["encrypt"]]],
  "hmac unknown usage": [["importKey", "raw", hex("secret"), hmac("SHA-256"), true, ["fly"]]],
  "hmac verify without usage": [["importKey", "raw", hex("secret"), hmac("SHA-256"), true, ["sign"]], ["verify", "HMAC", "$0", bytes(32), DATA]],
  "hmac of another format": [["importKey", "spki", hex("secret"), hmac("SHA-256"), true, USE]],
  "hmac key used for another algorithm": [["importKey", "raw", hex("secret"), hmac("SHA-256"), true, USE], ["sign", "Ed25519", "$0", DATA]],
  "unknown algorithm": [["importKey", "raw", hex("secret"), "ROT13", true, USE]],
  "generate hmac": [["generateKey", hmac("SHA-256"), true, USE], ["generateKey", hmac("SHA-512", { length: 256 }), false, ["sign"]]],
  "rsassa": [["importKey", "pkcs8", pkcs8(rsa.privateKey), RS, true, ["sign"]], ["sign", RS.name, "$0", DATA],
    ["importKey", "spki", spki(rsa.publicKey), RS, true, ["verify"]], ["verify", RS.name, "$2", "$1", DATA],
    ["verify", RS.name, "$2", "$1", hex("another")], ["exportKey", "jwk", "$2"], ["exportKey", "spki", "$2"], ["exportKey", "jwk", "$0"],
    ["exportKey", "pkcs8", "$0"], ["verify", RS.name, "$2", bytes(4), DATA], ["exportKey", "spki", "$0"]],
  "rsassa of jwk": [["importKey", "jwk", { ...rsaJwk.public, alg: "RS256", use: "sig" }, RS, false, ["verify"]], ["verify", RS.name, "$0", signature(rsa.privateKey), DATA],
    ["importKey", "jwk", rsaJwk.private, RS, false, ["sign"]], ["sign", RS.name, "$2", DATA], ["exportKey", "jwk", "$2"]],
  "rsassa of jwk for encryption": [["importKey", "jwk", { ...rsaJwk.public, use: "enc" }, RS, false, ["verify"]]],
  "rsassa public key that signs": [["importKey", "spki", spki(rsa.publicKey), RS, true, ["sign"]]],
  "rsassa of raw": [["importKey", "raw", hex("x"), RS, true, ["verify"]]],
  "rsassa of garbage": [["importKey", "spki", hex("x"), RS, true, ["verify"]]],
  "rsa-pss": [["importKey", "spki", spki(rsa.publicKey), { name: "RSA-PSS", hash: "SHA-256" }, false, ["verify"]],
    ["verify", { name: "RSA-PSS", saltLength: 32 }, "$0", pss, DATA], ["verify", { name: "RSA-PSS", saltLength: 20 }, "$0", pss, DATA],
    ["verify", { name: "RSA-PSS" }, "$0", pss, DATA]],
  "rsa-oaep": [["importKey", "pkcs8", pkcs8(rsa.privateKey), { name: "RSA-OAEP", hash: "SHA-256" }, false, ["decrypt"]],
    ["decrypt", { name: "RSA-OAEP" }, "$0", bytes(256)], ["encrypt", { name: "RSA-OAEP" }, "$0", DATA]],
  "generate rsa": [["generateKey", { ...RS, modulusLength: 2048, publicExponent: { hex: "010001" } }, false, USE]],
  "generate rsa of odd size": [["generateKey", { ...RS, modulusLength: 100, publicExponent: { hex: "010001" } }, false, USE]],
});
for (const [curve, pair] of Object.entries(ec)) {
  const named = { name: "ECDSA", namedCurve: curve };
  const algorithm = { name: "ECDSA", hash: "SHA-256" };
  CASES[`ecdsa ${curve}`] = [["importKey", "jwk", jwk(pair.publicKey), named, true, ["verify"]], ["verify", algorithm, "$0", signature(pair.privateKey, "ieee-p1363"), DATA],
    ["verify", algorithm, "$0", signature(pair.privateKey, "der"), DATA], ["verify", algorithm, "$0", bytes(64), DATA], ["exportKey", "raw", "$0"],
    ["importKey", "raw", rawEc(pair.publicKey), named, true, ["verify"]], ["exportKey", "jwk", "$5"], ["exportKey", "spki", "$5"],
    ["importKey", "pkcs8", pkcs8(pair.privateKey), named, true, ["sign"]], ["exportKey", "jwk", "$8"], ["exportKey", "pkcs8", "$8"], ["exportKey", "raw", "$8"]];
  CASES[`generate ecdsa ${curve}`] = [["generateKey", named, false, USE]];
}
const ecdh = { name: "ECDH", namedCurve: "P-256" };
Object.assign(CASES, {
  "ecdsa without hash": [["importKey", "jwk", jwk(other.privateKey), { name: "ECDSA", namedCurve: "P-256" }, true, ["sign"]], ["sign", "ECDSA", "$0", DATA]],
  "ecdsa of another curve": [["importKey", "jwk", jwk(other.publicKey), { name: "ECDSA", namedCurve: "P-384" }, true, ["verify"]]],
  "ecdsa of unknown curve": [["importKey", "jwk", jwk(other.publicKey), { name: "ECDSA", namedCurve: "P-1" }, true, ["verify"]]],
  "ecdh": [["importKey", "jwk", jwk(ec["P-256"].privateKey), ecdh, false, ["deriveBits", "deriveKey"]], ["importKey", "jwk", jwk(other.publicKey), ecdh, false, []],
    ["deriveBits", { name: "ECDH", public: "$1" }, "$0", 256], ["deriveBits", { name: "ECDH", public: "$1" }, "$0", 128],
    ["deriveKey", { name: "ECDH", public: "$1" }, "$0", { name: "AES-GCM", length: 256 }, true, CRYPT], ["exportKey", "raw", "$4"],
    ["deriveBits", { name: "ECDH", public: "$1" }, "$0", 512]],
  "x25519": [["importKey", "pkcs8", pkcs8(x.privateKey), "X25519", false, ["deriveBits"]], ["importKey", "raw", raw(x2.publicKey), "X25519", true, []],
    ["deriveBits", { name: "X25519", public: "$1" }, "$0", 256], ["exportKey", "jwk", "$1"]],
  "ed25519": [["importKey", "raw", raw(ed.publicKey), { name: "Ed25519" }, true, ["verify"]],
    ["importKey", "pkcs8", pkcs8(ed.privateKey), "Ed25519", true, ["sign"]], ["sign", "Ed25519", "$1", DATA], ["verify", "Ed25519", "$0", "$2", DATA],
    ["verify", { name: "Ed25519" }, "$0", bytes(64), DATA], ["exportKey", "jwk", "$0"], ["exportKey", "spki", "$0"], ["exportKey", "raw", "$0"], ["exportKey", "jwk", "$1"],
    ["exportKey", "pkcs8", "$1"], ["verify", "Ed25519", "$0", bytes(3), DATA]],
  "ed25519 of jwk": [["importKey", "jwk", jwk(ed.privateKey), "Ed25519", true, ["sign"]], ["sign", "Ed25519", "$0", DATA], ["importKey", "jwk", jwk(ed.publicKey), "Ed25519", true, ["verify"]],
    ["verify", "Ed25519", "$2", "$1", DATA]],
  "ed25519 short": [["importKey", "raw", bytes(31), "Ed25519", true, ["verify"]]],
  "node-ed25519": [["importKey", "raw", raw(ed.publicKey), { name: "NODE-ED25519", namedCurve: "NODE-ED25519" }, false, ["verify"]],
    ["importKey", "jwk", jwk(ed.privateKey), "Ed25519", true, ["sign"]], ["sign", "Ed25519", "$1", DATA], ["verify", "NODE-ED25519", "$0", "$2", DATA]],
  "generate ed25519": [["generateKey", "Ed25519", true, USE], ["generateKey", { name: "X25519" }, true, ["deriveBits"]]],
  "generate ed25519 without sign": [["generateKey", "Ed25519", true, ["verify"]]],
});
const gcm = (more) => ({ name: "AES-GCM", iv: bytes(12), ...more });
Object.assign(CASES, {
  "aes-gcm": [["importKey", "raw", bytes(32), "AES-GCM", true, CRYPT], ["encrypt", gcm(), "$0", DATA], ["decrypt", gcm(), "$0", "$1"],
    ["encrypt", gcm({ additionalData: hex("more") }), "$0", DATA], ["decrypt", gcm({ additionalData: hex("more") }), "$0", "$3"], ["encrypt", gcm({ tagLength: 96 }), "$0", DATA],
    ["decrypt", gcm({ tagLength: 96 }), "$0", "$5"], ["exportKey", "jwk", "$0"], ["decrypt", gcm(), "$0", "$3"]],
  "aes-gcm short": [["importKey", "raw", bytes(16), { name: "AES-GCM" }, false, CRYPT], ["decrypt", gcm(), "$0", bytes(3)]],
  "aes-gcm tag": [["importKey", "raw", bytes(16), { name: "AES-GCM" }, false, CRYPT], ["encrypt", gcm({ tagLength: 7 }), "$0", DATA]],
  "aes-gcm without iv": [["importKey", "raw", bytes(16), { name: "AES-GCM" }, false, CRYPT], ["encrypt", "AES-GCM", "$0", DATA]],
  "aes of odd size": [["importKey", "raw", bytes(15), "AES-GCM", false, CRYPT]],
  "aes-gcm of jwk": [["importKey", "jwk", { kty: "oct", k: "AAECAwQFBgcICQoLDA0ODw", alg: "A128GCM" }, "AES-GCM", true, CRYPT], ["encrypt", gcm(), "$0", DATA], ["exportKey", "raw", "$0"]],
  "aes-cbc": [["importKey", "raw", bytes(16), "AES-CBC", false, CRYPT], ["encrypt", { name: "AES-CBC", iv: bytes(16) }, "$0", DATA], ["decrypt", { name: "AES-CBC", iv: bytes(16) }, "$0", "$1"],
    ["decrypt", { name: "AES-CBC", iv: bytes(16) }, "$0", bytes(16)]],
  "aes-cbc iv": [["importKey", "raw", bytes(16), "AES-CBC", false, CRYPT], ["encrypt", { name: "AES-CBC", iv: bytes(12) }, "$0", DATA]],
  "aes-ctr": [["importKey", "raw", bytes(24), "AES-CTR", true, CRYPT], ["encrypt", { name: "AES-CTR", counter: bytes(16), length: 64 }, "$0", bytes(70)], ["decrypt", { name: "AES-CTR", counter: bytes(16), length: 64 }, "$0", "$1"],
    ["encrypt", { name: "AES-CTR", counter: { hex: "ff".repeat(16) }, length: 8 }, "$0", bytes(40)], ["exportKey", "jwk", "$0"],
    ["encrypt", { name: "AES-CTR", counter: { hex: "ff".repeat(16) }, length: 1 }, "$0", bytes(70)]],
  "aes-kw": [["importKey", "raw", bytes(16), "AES-KW", false, ["wrapKey", "unwrapKey"]], ["importKey", "raw", bytes(32, 7), "AES-GCM", true, CRYPT], ["wrapKey", "raw", "$1", "$0", "AES-KW"],
    ["unwrapKey", "raw", "$2", "$0", "AES-KW", "AES-GCM", true, CRYPT], ["exportKey", "raw", "$3"], ["unwrapKey", "raw", bytes(40), "$0", "AES-KW", "AES-GCM", true, CRYPT]],
  "wrap as jwk": [["importKey", "raw", bytes(16), "AES-GCM", false, ["wrapKey", "unwrapKey"]], ["importKey", "raw", bytes(32, 7), hmac("SHA-256"), true, USE], ["wrapKey", "jwk", "$1", "$0", gcm()],
    ["unwrapKey", "jwk", "$2", "$0", gcm(), hmac("SHA-256"), true, USE], ["exportKey", "raw", "$3"]],
  "generate aes": [["generateKey", { name: "AES-GCM", length: 256 }, true, CRYPT], ["generateKey", { name: "AES-KW", length: 128 }, true, ["wrapKey"]], ["generateKey", { name: "AES-CBC", length: 100 }, true, CRYPT]],
  "encrypt without usage": [["importKey", "raw", bytes(16), "AES-GCM", false, ["decrypt"]], ["encrypt", gcm(), "$0", DATA]],
  "pbkdf2": [["importKey", "raw", hex("password"), "PBKDF2", false, ["deriveBits", "deriveKey"]], ["deriveBits", { name: "PBKDF2", salt: bytes(16), iterations: 1000, hash: "SHA-256" }, "$0", 256],
    ["deriveKey", { name: "PBKDF2", salt: bytes(16), iterations: 10, hash: "SHA-512" }, "$0", { name: "AES-GCM", length: 256 }, true, CRYPT], ["exportKey", "raw", "$2"],
    ["deriveKey", { name: "PBKDF2", salt: bytes(16), iterations: 10, hash: "SHA-1" }, "$0", hmac("SHA-256"), true, ["sign"]], ["exportKey", "raw", "$4"],
    ["deriveBits", { name: "PBKDF2", salt: bytes(16), iterations: 0, hash: "SHA-256" }, "$0", 256]],
  "pbkdf2 extractable": [["importKey", "raw", hex("password"), "PBKDF2", true, ["deriveBits"]]],
  "pbkdf2 too many": [["importKey", "raw", hex("password"), "PBKDF2", false, ["deriveBits"]], ["deriveBits", { name: "PBKDF2", salt: bytes(16), iterations: 200000, hash: "SHA-256" }, "$0", 256]],
  "pbkdf2 odd": [["importKey", "raw", hex("password"), "PBKDF2", false, ["deriveBits"]], ["deriveBits", { name: "PBKDF2", salt: bytes(16), iterations: 10, hash: "SHA-256" }, "$0", 255]],
  "hkdf": [["importKey", "raw", hex("material"), "HKDF", false, ["deriveBits", "deriveKey"]], ["deriveBits", { name: "HKDF", salt: bytes(8), info: hex("info"), hash: "SHA-256" }, "$0", 512],
    ["deriveKey", { name: "HKDF", salt: bytes(8), info: hex(""), hash: "SHA-256" }, "$0", { name: "AES-CBC", length: 128 }, true, CRYPT], ["exportKey", "raw", "$2"]],
  "timingSafeEqual": [["timingSafeEqual", bytes(3), bytes(3)], ["timingSafeEqual", bytes(3), bytes(3, 1)], ["timingSafeEqual", bytes(3), bytes(4)]],
  "export to unknown format": [["importKey", "raw", hex("secret"), hmac("SHA-256"), true, USE], ["exportKey", "pem", "$0"]],
});

const SCRIPT = `
const unhex = (text) => new Uint8Array((text.match(/../g) ?? []).map((b) => parseInt(b, 16)));
const tohex = (data) => [...new Uint8Array(data)].map((b) => b.toString(16).padStart(2, "0")).join("");
const given = (v, results) => typeof v === "string" && v[0] === "$" ? results[v.slice(1)] : v === null || typeof v !== "object" ? v
  : Array.isArray(v) ? v.map((i) => given(i, results)) : "hex" in v ? unhex(v.hex) : Object.fromEntries(Object.entries(v).map(([k, i]) => [k, given(i, results)]));
const key = (k) => ({ type: k.type, extractable: k.extractable, usages: [...k.usages].sort(), algorithm: JSON.parse(JSON.stringify(k.algorithm, (n, v) => v instanceof Uint8Array ? { hex: tohex(v) } : v)) });
const shown = (r) => r instanceof CryptoKey ? { key: key(r) } : r?.publicKey ? { publicKey: key(r.publicKey), privateKey: key(r.privateKey) }
  : r instanceof ArrayBuffer || ArrayBuffer.isView(r) ? { hex: tohex(r) } : { value: r };
export default { async fetch(request) {
  const results = [], out = [];
  for (const [method, ...args] of await request.json()) {
    try {
      const result = await crypto.subtle[method](...args.map((a) => given(a, results)));
      results.push(result); out.push(shown(result));
    } catch (error) { out.push({ error: error.name, message: error.message }); results.push(new Uint8Array()); }
  }
  return Response.json(out);
} };`;
const mf = new Miniflare({ modules: true, script: SCRIPT, compatibilityDate: "2026-08-01" });
const answers = {};
for (const [name, steps] of Object.entries(CASES)) {
  const response = await mf.dispatchFetch("http://x/", { method: "POST", body: JSON.stringify(steps) });
  answers[name] = { steps, answers: await response.json() };
}
await mf.dispose();
const file = join(dirname(new URL(import.meta.url).pathname), "cases", "crypto.json");
writeFileSync(file, JSON.stringify({ workerd: require("workerd/package.json").version, cases: answers }, null, 1) + "\n");
