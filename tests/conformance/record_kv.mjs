// Runs the cases below on workerd (through miniflare) and writes what it answered to cases/kv.json.
//
//     npm install miniflare node@22          (in a directory of its own)
//     node record_kv.mjs NODE_MODULES        (with that Node; NODE_MODULES is that directory's node_modules)
//
// A case is a list of steps [method, ...arguments] on an empty namespace. What JSON cannot say is an object with one
// member: {$bytes: base64}, {$stream: [base64, ...]}, {$repeat: [text, times]}, {$now: seconds from now},
// {$number: "NaN"}, {$undefined: true}, {$cursor: true} (of the list before it), {$map: [[key, value], ...]}.
import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";

const modules = resolve(process.argv[2] ?? "node_modules") + "/";
const require = createRequire(modules);
const { Miniflare } = require("miniflare");

const bytes = (...values) => ({ $bytes: Buffer.from(values).toString("base64") });
const stream = (...texts) => ({ $stream: texts.map((text) => Buffer.from(text).toString("base64")) });
const repeat = (text, times) => ({ $repeat: [text, times] });
const now = (seconds) => ({ $now: seconds });
const number = (text) => ({ $number: text });
const LONG = repeat("x", 513);
const CURSOR = { $cursor: true };
const put = (name, value, options) => ["put", name, value, ...(options ? [options] : [])];
const stored = (value, options) => [put("k", value, options), ["getWithMetadata", "k"], ["list"]];
const json = (text) => [put("k", text), ["get", "k", "json"]];
const names = (...keys) => keys.map((key) => put(key, ""));

const cases = {
  "a value comes back as text": [put("k", "é😀"), ["get", "k"], ["get", "k", "text"], ["get", "k", { type: "text" }]],
  "a missing key is null in every type": ["text", "json", "arrayBuffer", "stream", "bogus"].flatMap((type) => [
    ["get", "k", type], ["getWithMetadata", "k", type]]),
  "an unknown type is an error after a hit": [put("k", "v"), ["get", "k", "bogus"], ["get", "k", { type: "JSON" }],
    ["get", "k", 5], ["getWithMetadata", "k", "bogus"]],
  "types of one value": [put("k", '{"a":[1,2.5,null,true,"x"]}'), ["get", "k", "json"], ["get", "k", { type: "json" }],
    ["get", "k", "arrayBuffer"], ["get", "k", "stream"], ["get", "k", {}], ["getWithMetadata", "k", "json"],
    ["getWithMetadata", "k", { type: "arrayBuffer" }], ["getWithMetadata", "k", "stream"]],
  "an empty value is a value": [put("k", ""), ["get", "k"], ["get", "k", "arrayBuffer"], ["get", "k", "stream"],
    ["get", "k", "json"], ["getWithMetadata", "k"], ["get", ["k"]]],
  "bytes that are no UTF-8": [put("k", bytes(255, 254, 65, 237, 160, 128)), ["get", "k"], ["get", "k", "arrayBuffer"]],
  "a byte order mark": [put("k", bytes(239, 187, 191, 49)), ["get", "k"], ["get", ["k"]], ["get", "k", "json"],
    ["get", ["k"], "json"]],
  "numbers of JSON": ["1.0", "-0", "1e2", "12345678901234567890", "9007199254740993", "1.5", "1e400", "0.1"].flatMap(json),
  "cacheTtl": [put("k", "v"), ...[30, 60, "30", 29, 29.9, -1, 0, "abc", true, 2147483648].map((cacheTtl) =>
    ["get", "k", { cacheTtl }]), ["getWithMetadata", "k", { cacheTtl: 10 }], ["get", ["k"], { cacheTtl: 10 }],
    ["get", "missing", { cacheTtl: 10 }], ["get", "k", { cacheTtl: 10, type: "bogus" }]],
  "what is put is text": [null, 5, -1.5, true, 0.000001, 1e-7, 1.25e-9, 1e21, 123456789012345680000, number("NaN"),
    number("Infinity"), number("-Infinity"), "", "text"].flatMap((value) => [put("k", value), ["get", "k"]]),
  "what can be put is bytes": [bytes(), bytes(0, 1, 255), stream(), stream("a", "", "b")].flatMap((value) => [
    put("k", value), ["get", "k", "arrayBuffer"]]),
  "what cannot be put": [{}, { a: 1 }, [], [1, 2], ["a"]].flatMap((value) => [put("k", value), ["get", "k"]]),
  "arguments that are missing": [["get"], ["getWithMetadata"], ["put"], ["put", "k"], ["delete"], ["list"]],
  "options that are no object": [put("k", "v", "text"), put("k", "v", 5), ["list", "k"], ["list", 5], ["get", "k"]],
  "options that are null": [["put", "k", "v", null], ["get", "k", null], ["getWithMetadata", "k", null], ["list", null]],
  "the largest value": [put("k", repeat("x", 26214400)), ["get", "k"], put("k", repeat("x", 26214401)),
    put("k", repeat("é", 13107201)), ["list"]],
  "keys of any kind": ["...", "a/b", " ", "\n", "\u0000", "%2F", "+", "?#", "é", "😀", "../x", "a\u0000b", "K", "k"].flatMap(
    (key) => [put(key, key), ["get", key]]).concat([["list"]]),
  "the longest key": [put(repeat("k", 512), "v"), ["get", repeat("k", 512)], put(repeat("é", 256), "v"),
    put(repeat("😀", 128), "v"), ["list", { prefix: repeat("k", 512) }]],
  "a key that is too long": [LONG, repeat("é", 257), repeat("k", 5000)].flatMap((key) => [["get", key],
    ["getWithMetadata", key], put(key, "v"), ["delete", key], ["get", ["k", key]], ["list", { prefix: key }]]),
  "keys that are none": ["", ".", ".."].flatMap((key) => [["get", key], ["getWithMetadata", key], put(key, "v"),
    ["delete", key], ["get", [key]], ["getWithMetadata", ["k", key]], ["list", { prefix: key }]]),
  "keys are text": [null, 5, 1.5, true, false].flatMap((key) => [put(key, "v"), ["get", String(key)], ["get", key]]),
  "the key is looked at first": [put("", {}), put("", "v", { expirationTtl: 1 }), put("", "v", 5), put(LONG, {}),
    put(LONG, "v", { expirationTtl: 1 }), put("k", "v", { expirationTtl: 1, metadata: repeat("x", 2000) })],
  "metadata": [0, "", false, "é", [], {}, [1, "a"], { a: { b: [null, 1.5] } }, 1e21, "\u2028<>&"].flatMap((metadata) =>
    stored("v", { metadata })),
  "no metadata": [null, { $undefined: true }].flatMap((metadata) => stored("v", { metadata })),
  "numbers in metadata": stored("v", { metadata: [1.0, number("NaN"), number("Infinity"), 1e-7, 12345678901234567890] }),
  "the largest metadata": stored("v", { metadata: repeat("x", 1022) }),
  "metadata that is too large": [put("k", "v", { metadata: repeat("x", 1023) }), put("k", "v", { metadata: repeat("é", 512) }),
    put("k", "v", { metadata: { a: repeat("x", 1024) } }), ["get", "k"]],
  "expirationTtl": [60, 60.9, "60", " 61 ", "0x3d", [70], 3600, 900000].flatMap((expirationTtl) =>
    stored("v", { expirationTtl })),
  "expirationTtl that is refused": [59, 59.9, "59", 0, -1, "abc", "60s", "", number("NaN"), number("Infinity"), true, {},
    [60, 61], 2147483648, 1e20, -2147483649].flatMap((expirationTtl) => [put("k", "v", { expirationTtl }), ["get", "k"]]),
  "expiration": [now(60), now(61), now(86400), 2147483647].flatMap((expiration) => stored("v", { expiration })),
  "expiration that is refused": [now(59), now(1), now(0), now(-1), 1, 0, -5, "abc", "", true, 2147483648, 4e9].flatMap(
    (expiration) => [put("k", "v", { expiration }), ["get", "k"]]),
  "expirationTtl wins": stored("v", { expiration: 1, expirationTtl: 60 }),
  "expirationTtl wins, even if it is wrong": [put("k", "v", { expiration: now(100), expirationTtl: 1 })],
  "a put replaces everything": [...stored("v", { expirationTtl: 60, metadata: { a: 1 } }), ...stored("w")],
  "deleting": [put("k", "v"), ["delete", "k"], ["get", "k"], ["delete", "k"], ["delete", "never"]],
  "many keys": [put("a", "1"), put("b", "2"), ["get", ["b", "missing", "a", "b"]], ["get", ["a"], "text"],
    ["get", ["a"], { type: "text" }], ["get", ["a", "b", "missing"], "json"], ["get", ["a"], {}]],
  "many keys with metadata": [put("a", "1", { metadata: { m: 1 } }), put("b", "2"),
    ["getWithMetadata", ["b", "missing", "a"]], ["getWithMetadata", ["a", "b"], "json"],
    ["getWithMetadata", ["a"], { type: "json" }]],
  "many keys with metadata and an empty value": [put("e", "", { metadata: 1 }), ["getWithMetadata", ["e"]]],
  "many keys in a wrong type": ["arrayBuffer", "stream", "bogus", 5].flatMap((type) => [["get", ["a"], type],
    ["getWithMetadata", ["a"], { type }]]),
  "many keys that are no JSON": [put("a", "1"), put("t", "text"), put("e", ""), ["get", ["a", "t"], "json"],
    ["get", ["a", "e"], "json"], ["getWithMetadata", ["t"], "json"]],
  "how many keys": [["get", []], ["getWithMetadata", []], ["get", Array.from({ length: 101 }, (_, n) => `k${n}`)],
    ["get", Array(101).fill("k")], ["get", Array(100).fill("k")], ["get", Array(101).fill("k"), "bogus"]],
  "many keys are text": [put("5", "v"), ["get", ["5", null, true]], ["get", [5]]],
  "an empty list": [["list"], ["list", {}], ["list", { prefix: "a" }]],
  "the order of a list": [...names("b", "a", "Z", "é", "\uffff", "😀", "\u0000", "a\u0000", "aa", "_", "%", "10", "9"), ["list"]],
  "prefixes": [...names("a", "ab", "abc", "b", "a%b", "a_b", "%", "é", "éa"), ...["a", "ab", "a%", "a_", "%", "é", "x", ""].map(
    (prefix) => ["list", { prefix }])],
  "what a prefix may be": [...names("null", "5", "a"), ["list", { prefix: 5 }], ["list", { prefix: true }],
    ["list", { prefix: { $undefined: true } }], ["list", { prefix: null, cursor: null, limit: null }]],
  "pages": [...names("a", "b", "c", "d", "e"), ["list", { limit: 2 }], ["list", { limit: 2, cursor: CURSOR }],
    ["list", { limit: 2, cursor: CURSOR }]],
  "pages of a prefix": [...names("a1", "a2", "a3", "b"), ["list", { limit: 2, prefix: "a" }],
    ["list", { limit: 2, prefix: "a", cursor: CURSOR }]],
  "the prefix is not in the cursor": [...names("a1", "a2", "b"), ["list", { limit: 1, prefix: "a" }], ["list", { cursor: CURSOR }]],
  "a page that is just full": [...names("a", "b"), ["list", { limit: 2 }], ["list", { limit: 3 }]],
  "the limit of a list": [...names("a", "b", "c"), ...[1, "2", 2.9, 1000, 0, -1, "abc", true, 1001, 5000, 2147483648].map(
    (limit) => ["list", { limit }])],
  "a cursor that is none": [...names("a", "b"), ["list", { cursor: "" }], ["list", { cursor: "!!" }]],
  "a list tells metadata and expiry": [put("a", "", { metadata: { m: [1] }, expirationTtl: 60 }), put("b", "", { metadata: 0 }),
    put("c", "", { expiration: now(3600) }), ["list"]],
};
const malformed = ["", " ", "tx", " x", "{a:1}", "[1,]", '{"a":1,}', '{"a" 1}', '{"a":1', '{"a"', '{"a":', "{", "[", "[1", "[1 2]",
  '["a" "b"]', '"abc', '"a\nb"', '"\t"', '"\\x"', '"\\u12"', '"\\u12G4"', '"\\', "1 2", "-", "-a", "1.", "1.x", "1e", "1e+", "01", "-01",
  "+1", ".5", "NaN", "Infinity", "-Infinity", "undefined", "[object Object]", "nul", "nulL", "truex", "tru", "]", "}", ",", ":", "'a'",
  '{"a":1}x', '{"a":1} {"b":2}', "\n\n{a", '{"a":[1,{"b":nope}]}', "[1,2", '[1,"a" 2]', "[,]", "{,}", '{"a":,}', '{1:2}', '[1,2"]', '[""""]',
  "this is a long text that is surely not json at all", '{"key": "some long value", "other": thing, "more": 12345}',
  '{"key": "some long value", "other": t}', '[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 13]', "12345678901234567890x",
  '{"é😀é😀é😀é😀é😀😀": ?, "more": 12345678}', "é is no JSON, whatever it is", "\u00a01", "// comment", '{"a":1 /* x */}',
  "xxxxxxxxxxxxxxxxxxxx", "xxxxxxxxxxxxxxxxxxxxx", "[12345678, x2345678901]", 't"', "tr1", "f{", "n[", "-\u0663", "1\u0663", "0\u0663", "[1234567890,x]", "[1234567890 1234567890,x"];
cases["text that is no JSON"] = malformed.flatMap(json);

const script = `
const decoded = (value, last, start) => {
  if (Array.isArray(value)) return value.map((item) => decoded(item, last, start));
  if (value === null || typeof value !== "object") return value;
  if ("$bytes" in value) return Uint8Array.from(atob(value.$bytes), (c) => c.charCodeAt(0));
  if ("$stream" in value) {
    const pieces = value.$stream.map((piece) => Uint8Array.from(atob(piece), (c) => c.charCodeAt(0))).filter((piece) => piece.length);
    return new ReadableStream({ start(controller) { for (const piece of pieces) controller.enqueue(piece); controller.close(); } });
  }
  if ("$repeat" in value) return value.$repeat[0].repeat(value.$repeat[1]);
  if ("$now" in value) return start + value.$now;
  if ("$number" in value) return Number(value.$number);
  if ("$undefined" in value) return undefined;
  if ("$cursor" in value) return last;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, decoded(item, last, start)]));
};
const near = (seconds, start) => Number.isInteger(seconds) && Math.abs(seconds - start) < 1e6;
const encoded = async (value, start) => {
  if (value === undefined || value === null) return null;
  if (value instanceof Map) return { $map: await Promise.all([...value].map(async ([k, v]) => [k, await encoded(v, start)])) };
  if (value instanceof ArrayBuffer) return { $bytes: btoa(String.fromCharCode(...new Uint8Array(value))) };
  if (value instanceof ReadableStream) return { $stream: [btoa(await new Response(value).text())] };
  if (typeof value === "string" && value.length > 256 && value === value[0].repeat(value.length)) return { $repeat: [value[0], value.length] };
  if (typeof value === "number" && !Number.isFinite(value)) return { $number: String(value) };
  if (near(value, start)) return { $now: value - start };
  if (Array.isArray(value)) return Promise.all(value.map((item) => encoded(item, start)));
  if (typeof value === "object")
    return Object.fromEntries(await Promise.all(Object.entries(value).map(async ([name, item]) => [name, await encoded(item, start)])));
  return value;
};
export default { async fetch(request, { KV }) {
  const { steps, start } = await request.json();
  for (let page = { list_complete: false }; !page.list_complete; ) {
    page = await KV.list();
    for (const key of page.keys) await KV.delete(key.name);
  }
  const results = [];
  let last;
  for (const [method, ...given] of steps) {
    try {
      const result = await KV[method](...given.map((item) => decoded(item, last, start)));
      if (result && result.cursor) last = result.cursor;
      results.push({ result: await encoded(result, start) });
    } catch (error) {
      results.push({ error: String(error).replace(/\\b\\d{10}\\b/g, (digits) => (near(+digits, start) ? "$now" + (+digits < start ? "" : "+") + (digits - start) : digits)) });
    }
  }
  return Response.json(results);
} };`;

const miniflare = new Miniflare({ modules: true, script, kvNamespaces: ["KV"], compatibilityDate: "2026-04-01" });
const recorded = [];
for (const [name, steps] of Object.entries(cases)) {
  for (;;) {
    const start = Math.floor(Date.now() / 1000);
    const response = await miniflare.dispatchFetch("http://kv/", { method: "POST", body: JSON.stringify({ steps, start }) });
    const results = await response.json();
    // Relative times mean something only if all of it happened within one second.
    if (Math.floor(Date.now() / 1000) !== start && JSON.stringify([steps, results]).includes("$now")) continue;
    recorded.push({ name, steps: steps.map((step, place) => ({ call: step, ...results[place] })) });
    break;
  }
}
await miniflare.dispose();
const versions = Object.fromEntries(["miniflare", "workerd"].map((name) => [name, require(`${modules}${name}/package.json`).version]));
// One line a call, so that a difference between two recordings can be read.
const lines = recorded.map(({ name, steps }) =>
  ` {"name": ${JSON.stringify(name)}, "steps": [\n${steps.map((step) => `  ${JSON.stringify(step)}`).join(",\n")}\n ]}`);
const text = `{"recorded_from": ${JSON.stringify(versions)}, "cases": [\n${lines.join(",\n")}\n]}\n`;
writeFileSync(new URL("cases/kv.json", import.meta.url), text);
console.log(`${recorded.length} cases, ${recorded.reduce((sum, item) => sum + item.steps.length, 0)} calls`);
