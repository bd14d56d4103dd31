// Asks the Cache API of miniflare for every case below and writes what it answered to cases/cache.json.
//
//     npm install miniflare node@22          (in a directory of its own)
//     node record_cache.mjs NODE_MODULES    (with that Node; NODE_MODULES is that directory's node_modules)
//
// A case is a list of steps on a cache of its own: ["put", url, {method, headers}, {status, headers, body}],
// ["match", url, {method, headers}, options], ["delete", ...]. What is written: what each step answered, or its error.
import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";

const require = createRequire(resolve(process.argv[2] ?? "node_modules") + "/");
const { Miniflare } = require("miniflare");

const U = "http://x.example/a?q=1";
const KEEP = { "cache-control": "max-age=3600" };
const kept = (headers = {}, more = {}) => ["put", U, {}, { status: 200, headers: { ...KEEP, ...headers }, body: "0123456789", ...more }];
const match = (headers = {}, more = {}, options = {}) => ["match", U, { headers, ...more }, options];
const M = "Wed, 21 Oct 2015 07:28:00 GMT", LATER = "Wed, 21 Oct 2016 07:28:00 GMT", BEFORE = "Wed, 21 Oct 2014 07:28:00 GMT";
const CASES = {
  "a match": [kept(), match(), ["match", U + "#f", {}], ["match", U + "2", {}], ["match", "http://X.example/a?q=1", {}]],
  "headers that are kept": [kept({ "content-type": "text/plain", "x-a": "1", connection: "x-a", "content-language": "de", "set-cookie": "a=1" }), match()],
  "set-cookie that is private": [kept({ "cache-control": "private=set-cookie, max-age=60", "set-cookie": "a=1", "x-a": "1" }), match()],
  "delete": [kept(), ["delete", U, {}], ["delete", U, {}], match()],
  "delete post": [kept(), ["delete", U, { method: "POST" }], ["delete", U, { method: "POST" }, { ignoreMethod: true }], match()],
  "match post": [kept(), match({}, { method: "POST" }), match({}, { method: "POST" }, { ignoreMethod: true }), match({}, { method: "HEAD" }), match({}, { method: "HEAD" }, { ignoreMethod: true })],
  "put post": [["put", U, { method: "POST" }, { status: 200, headers: KEEP, body: "x" }]],
  "put 206": [["put", U, {}, { status: 206, headers: KEEP, body: "x" }]],
  "vary star": [kept({ vary: "accept, *" })],
  "vary": [["put", U, { headers: { accept: "a" } }, { status: 200, headers: { ...KEEP, vary: "accept" }, body: "x" }], match({ accept: "a" }), match({ accept: "b" })],
  "put 304": [["put", U, {}, { status: 304, headers: KEEP }], match()],
  "put 204": [["put", U, {}, { status: 204, headers: KEEP }], match()],
  "no cache-control": [["put", U, {}, { status: 200, headers: {}, body: "x" }], match()],
  "no freshness but last-modified": [["put", U, {}, { status: 200, headers: { "last-modified": M }, body: "x" }], match()],
  "no freshness but etag": [["put", U, {}, { status: 200, headers: { etag: '"x"' }, body: "x" }], match()],
  "expires": [["put", U, {}, { status: 200, headers: { expires: "Wed, 21 Oct 2099 07:28:00 GMT" }, body: "x" }], match()],
  "expired": [["put", U, {}, { status: 200, headers: { expires: M }, body: "x" }], match()],
  "authorization": [["put", U, { headers: { authorization: "x" } }, { status: 200, headers: KEEP, body: "x" }], match()],
  "put twice": [kept(), ["put", U, {}, { status: 200, headers: KEEP, body: "second" }], match()],
  "put what is not kept over what is": [kept(), ["put", U, {}, { status: 200, headers: { "cache-control": "no-store" }, body: "second" }], match()],
  "empty body": [["put", U, {}, { status: 200, headers: KEEP, body: "" }], match()],
  "if-none-match": [kept({ etag: '"e"' }), ...['"e"', 'W/"e"', '"f", "e"', '"f"', "*", "e", ""].map((tag) => match({ "if-none-match": tag }))],
  "if-none-match weak": [kept({ etag: 'W/"e"' }), ...['"e"', 'W/"e"'].map((tag) => match({ "if-none-match": tag }))],
  "if-none-match without etag": [kept(), match({ "if-none-match": '"e"' }), match({ "if-none-match": "*" })],
  "if-modified-since": [kept({ "last-modified": M }), ...[M, LATER, BEFORE, "never"].map((since) => match({ "if-modified-since": since }))],
  "both conditions": [kept({ "last-modified": M, etag: '"e"' }), match({ "if-modified-since": M, "if-none-match": '"f"' }), match({ "if-modified-since": BEFORE, "if-none-match": '"e"' })],
  "range": [kept({ etag: '"e"', "content-type": "text/plain" }), ...["bytes=0-3", "bytes=4-", "bytes=-3", "bytes=0-100", "bytes=100-", "bytes=5-4", "bytes=0-0,2-3", "bytes=0-0, 100-", "lines=1-2", "bytes=x", "bytes=", "bytes=-0", "bytes=-100", " bytes = 1 - 2 "].map((range) => match({ range }))],
  "range of nothing": [["put", U, {}, { status: 200, headers: KEEP, body: "" }], match({ range: "bytes=0-" }), match({ range: "bytes=-1" })],
  "range of 404": [["put", U, {}, { status: 404, headers: KEEP, body: "0123456789" }], match({ range: "bytes=0-1" })],
  "range and condition": [kept({ etag: '"e"' }), match({ range: "bytes=0-1", "if-none-match": '"e"' }), match({ range: "bytes=0-1", "if-range": '"f"' }), match({ range: "bytes=0-1", "if-range": '"e"' })],
  "put with range request": [["put", U, { headers: { range: "bytes=0-1" } }, { status: 200, headers: KEEP, body: "0123456789" }], match()],
  "put with content-range": [kept({ "content-range": "bytes 0-1/10" }), match()],
  "put with age": [kept({ age: "10" }), match()],
  "put with cf-cache-status": [kept({ "cf-cache-status": "MISS" }), match()],
  "put with content-encoding": [kept({ "content-encoding": "gzip" }), match()],
};
for (const status of [100, 200, 201, 203, 205, 300, 301, 302, 303, 307, 308, 400, 404, 405, 410, 414, 451, 500, 501, 503]) CASES[`status ${status}`] = [["put", U, {}, { status, headers: KEEP, body: status === 205 ? null : "x" }], match()];
for (const control of ["no-store", "no-cache", "private", "public", "max-age=0", "s-maxage=0, max-age=60", "s-maxage=60, max-age=0", "max-age=-1", "max-age=x", "must-revalidate", "proxy-revalidate, max-age=60", "max-age=\"60\"", "MAX-AGE=60", "immutable", "stale-while-revalidate=60", "no-cache=x, max-age=60"])
  CASES[`cache-control ${control}`] = [["put", U, {}, { status: 200, headers: { "cache-control": control }, body: "x" }], match()];

const SCRIPT = `
export default { async fetch(request) {
  const out = [];
  const { name, steps } = await request.json();
  const cache = await caches.open(name);
  for (const [method, url, init, more] of steps) {
    try {
      if (method === "put") { await cache.put(new Request(url, init), new Response(more.body, more)); out.push({ value: null }); }
      else if (method === "delete") out.push({ value: await cache.delete(new Request(url, init), more) });
      else {
        const found = await cache.match(new Request(url, init), more);
        out.push(found === undefined ? { value: null } : { status: found.status, headers: [...found.headers], body: await found.text() });
      }
    } catch (error) { out.push({ error: error.name, message: error.message }); }
  }
  return Response.json(out);
} };`;
const mf = new Miniflare({ modules: true, script: SCRIPT, compatibilityDate: "2026-08-01" });
const answers = {};
for (const [name, steps] of Object.entries(CASES)) {
  const response = await mf.dispatchFetch("http://x/", { method: "POST", body: JSON.stringify({ name, steps }) });
  answers[name] = { steps, answers: JSON.parse(await response.text()) };
  for (const answer of answers[name].answers) if (answer.headers) answer.headers = answer.headers.filter(([k]) => k !== "date");
}
await mf.dispose();
const file = join(dirname(new URL(import.meta.url).pathname), "cases", "cache.json");
writeFileSync(file, JSON.stringify({ miniflare: require("miniflare/package.json").version, cases: answers }, null, 1) + "\n");
