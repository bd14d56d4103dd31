// Records what miniflare says about random route patterns and tables, into cases/routes.json.
//
//   npm install miniflare node@26        (in any folder outside this repository)
//   node_modules/.bin/node <repository>/tests/conformance/record_routes.mjs        (in that folder; takes some minutes)
//
// Not with Node 22: the URL parser in it leaves "/a/.b/.." unresolved and "^" unescaped, so that miniflare's patterns,
// which Node reads, differ from the URLs, which workerd reads.
//
// `patterns` holds each pattern alone, as miniflare's parseRoutes reads it: [text, error] or
// [text, specificity, scheme, any_prefix, host, path, any_path]. `tables` holds sets of patterns that it accepts, each
// one the route of a worker of its own, and what answered when a running miniflare was sent each URL: the pattern's
// place in `patterns` of its table, or null. The seed is fixed; the same versions give the same file.
import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const SEED = 20240229;
const PATTERNS = 2500;
const TABLES = 1000;
const URLS_PER_TABLE = 9;

const require = createRequire(join(process.cwd(), "index.js"));
const { Miniflare, parseRoutes } = require("miniflare");

let state = SEED;
function random() {
  // mulberry32: small, and the same everywhere.
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}
const below = (limit) => Math.floor(random() * limit);
const pick = (values) => values[below(values.length)];
const chance = (probability) => random() < probability;

const HOSTS = [
  "example.com", "example.com", "www.example.com", "a.example.com", "a.b.example.com", "myexample.com", "example.org",
  "com", "localhost", "127.0.0.1", "[::1]", "bücher.example", "xn--bcher-kva.example", "www.bücher.example", "EXAMPLE.com",
];
const PIECES = [
  "a", "a", "b", "ab", "abc", "images", "cat.png", "A", "", "a b", "é", "%C3%A9", "%2F", "%2f", "..", ".", "%2e%2E",
  "a%20b", ".a", "a;b=c", "~", "'", '"', "|", "^", "a+b", "%", "%zz", "&x", "[", "{",
];
const QUERIES = ["?", "?x=1", "?a/b", "?*", "?é", "?%20", "?x y", "?'"];

const path = (pieces) => Array.from({ length: below(4) }, () => "/" + pick(pieces)).join("");

function pattern(hosts = HOSTS, pieces = PIECES) {
  const scheme = pick(["", "", "", "", "http://", "https://", "https://", chance(0.2) ? "HTTPS://" : ""]);
  const host = chance(0.08) ? "*" : pick(["", "", "", "*", "*."]) + pick(hosts);
  return scheme + host + path(pieces) + pick(["", "", "*", "/*", "/*", "/"]);
}

function spoiled() {
  const text = pattern();
  const at = below(text.length + 1);
  const insert = pick(["*", "*", "*", "?", "?x=1", "#f", "#", "@", "user@", ":8443", ":", ".", "..", " ", "//", "\\", "＊", "%2A"]);
  return chance(0.1) ? pick(["ftp://", "ws://", "a.b://", "/", "//", "https:/"]) + text : text.slice(0, at) + insert + text.slice(at);
}

function url(patterns, hosts, pieces) {
  const query = chance(0.3) ? pick(QUERIES) : "";
  if (chance(0.2)) return `${pick(["http", "https"])}://${pick(hosts)}${path(pieces)}${query}`;
  // Near one of the patterns: its wildcards filled in.
  const [, scheme, rest] = /^(?:([a-z]+):\/\/)?(.*)$/is.exec(pick(patterns));
  const filled = rest.replace(/^\*/, () => pick(["", "a", "www", "my", "x.y", "foo.bar"])).replace(/^\./, "c.");
  const host = filled === "" || filled.startsWith("/") ? pick(hosts) + filled : filled;
  const end = pick(["", "a", "/", "b/c", "*", "cat.png"]);
  return `${scheme ?? pick(["http", "https"])}://${host.replace(/\*$/, () => end)}${query}`;
}

function read(text) {
  try {
    const [route] = parseRoutes(new Map([["worker", [text]]]));
    const scheme = route.protocol === undefined ? null : route.protocol.slice(0, -1);
    return [text, route.specificity, scheme, route.allowHostnamePrefix, route.hostname, route.path, route.allowPathSuffix];
  } catch (error) {
    return [text, error.code];
  }
}

// Undefined for what no request can be made of, and for miniflare's own paths.
function requestable(text) {
  try {
    const { href, protocol, username, hostname, pathname } = new URL(text);
    if (!/^https?:$/.test(protocol) || username || hostname.includes("*") || pathname.startsWith("/cdn-cgi/")) return undefined;
    return href.replace(/#.*/, "");
  } catch {
    return undefined;
  }
}

const worker = (name, routes) => ({
  name,
  routes,
  modules: true,
  script: `export default { fetch() { return new Response("${name}") } }`,
});
const options = (patterns) => ({
  workers: [worker("null"), ...patterns.map((text, index) => worker(String(index), [text]))],
});

const texts = new Set();
while (texts.size < PATTERNS) texts.add(chance(0.7) ? pattern() : spoiled());
const patterns = [...texts].map(read);
const accepted = patterns.filter((row) => row.length > 2).map(([text]) => text);

const tables = [];
const miniflare = new Miniflare(options([]));
while (tables.length < TABLES) {
  // A few hosts and pieces only, so that the routes of a table compete.
  const hosts = Array.from({ length: 1 + below(3) }, () => pick(HOSTS));
  const pieces = Array.from({ length: 1 + below(3) }, () => pick(PIECES));
  const chosen = new Set();
  for (let left = 2 + below(7); left > 0; left--) chosen.add(chance(0.05) ? pick(accepted) : pattern(hosts, pieces));
  if ([...chosen].some((text) => read(text).length === 2)) continue;
  await miniflare.setOptions(options([...chosen]));
  const answers = [];
  while (answers.length < URLS_PER_TABLE) {
    const address = requestable(url([...chosen], hosts, pieces));
    if (address === undefined) continue;
    const response = await miniflare.dispatchFetch(address);
    const answer = await response.text();
    if (!/^(null|\d)$/.test(answer)) throw new Error(`${address} was not routed: ${answer}`);
    answers.push([address, JSON.parse(answer)]);
  }
  tables.push({ patterns: [...chosen], answers });
  if (tables.length % 100 === 0) console.error(`${tables.length} of ${TABLES} tables`);
}
await miniflare.dispose();

const lines = (rows) => rows.map((row) => JSON.stringify(row)).join(",\n");
const versions = { miniflare: require("miniflare/package.json").version, workerd: require("workerd/package.json").version, node: process.version };
writeFileSync(
  new URL("cases/routes.json", import.meta.url),
  `{"recorded_from": ${JSON.stringify(versions)}, "seed": ${SEED},\n"patterns": [\n${lines(patterns)}\n],\n"tables": [\n${lines(tables)}\n]}\n`,
);
