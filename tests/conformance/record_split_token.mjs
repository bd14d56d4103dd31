// Runs scripts/split_token as Cloudflare does, on Pyodide with Cloudflare's own Python SDK, and writes what it answered
// and what it sent on to cases/split_token.json.
//
//   npm install pyodide@0.28.3                                                   (in any folder outside this repository)
//   pip install --no-deps --target sdk workers-runtime-sdk==1.9.5                (in that folder)
//   node <repository>/tests/conformance/record_split_token.mjs                   (in that folder)
//
// Node's Request, Response and Headers stand for workerd's, and objects below for KV and the API. `exp` is in the year
// 2100 and signatures are mere text (the gateway checks none here), so the same versions give the same file.
import { createHash } from "node:crypto";
import { readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const require = createRequire(join(process.cwd(), "index.js"));
const { loadPyodide, version } = require("pyodide");

const base64url = (text) => Buffer.from(text).toString("base64url");
const value = (claims) => `${base64url('{"alg":"RS256"}')}.${base64url(JSON.stringify(claims))}`;
const GOOD = value({ iss: "https://issuer", sub: "ann", aud: ["https://api"], scope: "read", exp: 4102444800 });
const BEARER = { authorization: "Bearer sig4616" };
const APP = "https://app.example.com";
const PREFLIGHT = { origin: APP, "access-control-request-method": "PUT", "access-control-request-headers": "authorization" };

// A case may have: vars, entries (token -> KV value), method, url, headers, body, kv ("down"), api ("down", or an answer).
const cases = {
  "a known token": { headers: BEARER },
  "a known token with a body": { method: "POST", headers: { ...BEARER, "content-type": "text/plain" }, body: "content" },
  "a known token and fields that no client may set": {
    headers: { ...BEARER, "cf-connecting-ip": "192.0.2.1", "x-auth-user": "eve", "x-forwarded-for": "10.0.0.1",
      forwarded: "for=10.0.0.1", "cf-access-jwt-assertion": "x", cookie: "a=b", te: "trailers", connection: "x-b3", "x-b3": "1" } },
  "no token": {},
  "a realm": { vars: { REALM: "orders" } },
  "another scheme": { headers: { authorization: "Basic eDp5" } },
  "two fields, joined": { headers: { authorization: "Bearer a, Bearer b" } },
  "an unknown token": { headers: { authorization: "Bearer nope" } },
  "a whole token": { headers: { authorization: `Bearer ${GOOD}.sig4616` } },
  "a whole token on its path": { vars: { JWT_PATHS: ["/orders"] }, headers: { authorization: `Bearer ${GOOD}.sig4616` } },
  "an expired token": { entries: { sig4616: value({ exp: 1 }) }, headers: BEARER },
  "a token without expiry": { entries: { sig4616: value({}) }, headers: BEARER },
  "a poisoned entry": { entries: { sig4616: "a.b.c" }, headers: BEARER },
  "an empty entry": { entries: { sig4616: "" }, headers: BEARER },
  "KV is down": { kv: "down", headers: BEARER },
  "the API is down": { api: "down", headers: BEARER },
  "the API redirects": { api: { status: 302, headers: [["location", "https://other.example/"]] }, headers: BEARER },
  "the API refuses and tells the token": {
    api: { status: 401, headers: [["www-authenticate", `Bearer error_description="${GOOD}"`]], body: "no" }, headers: BEARER },
  "an answer for shared caches, with two cookies": {
    api: { status: 200, headers: [["cache-control", "public"], ["set-cookie", "a=1"], ["set-cookie", "b=2"]], body: "kept" },
    headers: BEARER },
  "a public path": { vars: { PUBLIC_PATHS: ["/orders"] }, headers: { authorization: "Basic eDp5" } },
  "a public path as text, for another method": { vars: { PUBLIC_PATHS: "OPTIONS /*" } },
  "a public path for a preflight": { vars: { PUBLIC_PATHS: "OPTIONS /*" }, method: "OPTIONS", headers: PREFLIGHT },
  "a preflight": { vars: { CORS_ORIGINS: [APP] }, method: "OPTIONS", headers: PREFLIGHT },
  "a preflight of another origin": { vars: { CORS_ORIGINS: ["https://b.example"] }, method: "OPTIONS", headers: PREFLIGHT },
  "a refusal that a page can read": { vars: { CORS_ORIGINS: APP }, headers: { origin: APP } },
  "an answer that a page can read": { vars: { CORS_ORIGINS: APP }, headers: { ...BEARER, origin: APP } },
  "a method that Python does not know": { vars: { CORS_ORIGINS: APP }, method: "BREW", headers: PREFLIGHT },
  "numbers and lists": { vars: { CLOCK_LEEWAY_SECONDS: 30, SCOPE: ["read"], AUDIENCE: ["https://api"] }, headers: BEARER },
  "a scope is missing": { vars: { SCOPE: "read write" }, headers: BEARER },
  "another issuer": { vars: { ISSUER: "https://other" }, headers: BEARER },
  "the joined token is too long for the API": { vars: { UPSTREAM_HEADER_LIMIT: 100 }, headers: BEARER },
  "another hash and encoding": { vars: { TOKEN_HASH: "SHA-512", KEY_ENCODING: "hex", KEY_PREFIX: "x:" }, headers: BEARER },
  "a setting that cannot be used": { vars: { KEY_ENCODING: "base32" }, headers: BEARER },
};

let current, sent;
globalThis.fetch = async (input, init) => {
  const request = new Request(input, { ...init, signal: undefined });
  const body = request.body === null ? null : await request.text();
  sent = { method: request.method, url: request.url, redirect: request.redirect, headers: [...request.headers], body };
  if (current.api === "down") throw new TypeError("the network is down");
  const { status, headers, body: content } = current.api ?? { status: 200, headers: [], body: "fine" };
  return new Response(content === undefined ? null : Buffer.from(content), { status, headers });
};

class KvNamespace {
  async get(key) {
    if (current.kv === "down") throw new Error("KV GET failed: 503 Service Unavailable");
    const { TOKEN_HASH: hash = "sha256", KEY_ENCODING: encoding = "base64", KEY_PREFIX: prefix = "" } = current.vars ?? {};
    const found = Object.entries(current.entries ?? { sig4616: GOOD }).find(([token]) =>
      key === prefix + createHash(hash.toLowerCase().replace("-", "")).update(token).digest(encoding));
    return found === undefined ? null : found[1];
  }
}

const python = await loadPyodide();
function mount(folder, to) {
  python.FS.mkdirTree(to);
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) mount(path, `${to}/${name}`);
    else if (name.endsWith(".py")) python.FS.writeFile(`${to}/${name}`, readFileSync(path));
  }
}
mount(join(process.cwd(), "sdk"), "/sdk");
mount(join(here, "../../scripts/split_token"), "/app");
// What workerd supplies beneath the SDK.
const answer = python.runPython(`
import logging, sys, types
sys.path[:0] = ["/app", "/sdk"]
helper = types.ModuleType("_pyodide_entrypoint_helper")
helper.patchWaitUntil = lambda ctx: None
flags = types.ModuleType("_cloudflare_compat_flags")
flags.python_workflows_implicit_dependencies = flags.python_request_headers_preserve_commas = True
sys.modules |= {"_pyodide_entrypoint_helper": helper, "_cloudflare_compat_flags": flags}
logging.disable()
import worker, workers

async def answer(request, env):
    worker.Default.gateway = None  # a new isolate
    try:
        response = await worker.Default(None, env).fetch(workers.Request(request))
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return response.js_object
answer`);

const answers = [];
for (const [name, given] of Object.entries(cases)) {
  [current, sent] = [given, null];
  const { url = "https://api.example.com/orders?x=1", method = "GET", headers = {}, body } = given;
  const response = await answer(new Request(url, { method, headers, body }), { TOKENS: new KvNamespace(), ...given.vars });
  const got = typeof response === "string"
    ? { raised: response }
    : { status: response.status, headers: [...response.headers], body: await response.text() };
  answers.push({ name, given: { ...given, entries: given.entries ?? { sig4616: GOOD } }, got, sent });
}
const source = `pyodide ${version}, workers-runtime-sdk 1.9.5, node ${process.versions.node}`;
writeFileSync(join(here, "cases/split_token.json"), JSON.stringify({ source, cases: answers }, null, 1) + "\n");
