// Runs the cases below on scripts/atomic/worker.js in workerd (through miniflare) and writes what it answered to
// cases/atomic.json.
//
//     npm install miniflare node@22          (in a directory of its own)
//     node record_atomic.mjs NODE_MODULES    (with that Node; NODE_MODULES is that directory's node_modules)
//
// A step is [method, ...arguments]; an object as the last argument is Python's keyword arguments. {$repeat: [text, times]}
// is a long text, {$wait: seconds} a step that lets time pass, {$space: name} before a method another binding's space.
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";

const require = createRequire(resolve(process.argv[2] ?? "node_modules") + "/");
const { Miniflare } = require("miniflare");

const repeat = (text, times) => ({ $repeat: [text, times] });
const other = (...step) => [{ $space: "other" }, ...step];
const put = (key, value, ttl = 60) => ["put_if_absent", key, value, ttl];

const cases = {
  "a key is put once": [put("k", "v"), put("k", "w"), ["get", "k"]],
  "what was taken is gone": [put("k", "v"), ["take", "k"], ["take", "k"], ["get", "k"], put("k", "w"), ["take", "k"]],
  "nothing is there": [["get", "k"], ["take", "k"], ["compare_and_put", "k", "v", "w", 60], ["get", "k"]],
  "a value is replaced if it is the expected one": [put("k", "v"), ["compare_and_put", "k", "x", "w", 60], ["get", "k"],
    ["compare_and_put", "k", "v", "w", 60], ["get", "k"], ["compare_and_put", "k", "v", "x", 60], ["take", "k"]],
  "an entry expires": [put("a", "v", 1), put("b", "v", 1), put("c", "v", 1), put("d", "v", 60), { $wait: 1.1 }, ["get", "a"],
    ["take", "b"], ["compare_and_put", "c", "v", "w", 60], put("a", "w", 60), ["get", "a"], ["get", "d"]],
  "a replacement has its own time": [put("k", "v", 1), ["compare_and_put", "k", "v", "w", 60], { $wait: 1.1 }, ["get", "k"]],
  "the empty text is a value": [put("k", ""), ["get", "k"], ["compare_and_put", "k", "", "x", 60], ["take", "k"]],
  "texts of any kind": [put("a b/\u0000é😀", "\u0000é😀\n"), ["get", "a b/\u0000é😀"], put("é", "1"), put("e\u0301", "2")],
  "spaces": [put("k", "v"), other("get", "k"), other("put_if_absent", "k", "w", 60), ["take", "k"], other("take", "k")],
  "keyword arguments": [["put_if_absent", "k", "v", { ttl_seconds: 60 }], ["compare_and_put", "k", "v", "w", { ttl_seconds: 60 }],
    ["get", "k"]],
  "keys that are none": [["get", ""], ["take", ""], put("", "v"), ["get", 5], ["take", null], ["get", repeat("k", 513)],
    ["get", repeat("é", 257)], ["get", repeat("k", 512)], ["get", repeat("é", 256)]],
  "values that are none": [put("k", 5), put("k", null), put("k", true), put("k", [1]), put("k", repeat("x", 65537)),
    put("k", repeat("é", 32769)), ["compare_and_put", "k", 5, "v", 60], ["compare_and_put", "k", "v", null, 60],
    ["compare_and_put", "k", repeat("x", 65537), "v", 60], ["get", "k"], put("k", repeat("x", 65536))],
  "times that are none": [0, -1, 1.5, "60", null, true, 31536001, 1e20].flatMap((ttl) => [put("k", "v", ttl),
    ["compare_and_put", "k", "v", "w", ttl]]).concat([["get", "k"]]),
  "times that are the longest and a whole number written otherwise": [put("a", "v", 31536000), put("b", "v", 60.0)],
  "the key is looked at first, then the value": [put("", 5, 0), put("k", 5, 0)],
  "methods that do not exist": [["put", "k", "v"], ["delete", "k"]],
};

const caller = `
const long = (value) => (value && typeof value === "object" && "$repeat" in value ? value.$repeat[0].repeat(value.$repeat[1]) : value);
export default {
  async fetch(request, env) {
    const { binding, name, args } = await request.json();
    try {
      return Response.json({ value: await env[binding][name](...args.map(long)) });
    } catch (error) {
      return Response.json({ error: \`\${error.name}: \${error.message}\` });
    }
  },
};`;

const service = (props) => ({ name: "edgeworker-atomic", ...(props ? { props } : {}) });
const answered = [];
for (const [name, steps] of Object.entries(cases)) {
  const miniflare = new Miniflare({
    workers: [
      { name: "caller", modules: true, script: caller, compatibilityDate: "2026-04-01",
        serviceBindings: { ATOMIC: service(), OTHER: service({ space: "other" }) } },
      { name: "edgeworker-atomic", modules: true, compatibilityDate: "2026-04-01",
        script: readFileSync(new URL("../../scripts/atomic/worker.js", import.meta.url), "utf8"),
        durableObjects: { ATOMS: { className: "Atom", useSQLite: true } } },
    ],
  });
  const results = [];
  for (const step of steps) {
    if (!Array.isArray(step)) {
      await new Promise((done) => setTimeout(done, step.$wait * 1000));
      results.push({ step });
      continue;
    }
    const spaced = typeof step[0] === "object";
    const [method, ...args] = spaced ? step.slice(1) : step;
    const body = JSON.stringify({ binding: spaced ? "OTHER" : "ATOMIC", name: method, args });
    const answer = await miniflare.dispatchFetch("http://localhost/", { method: "POST", body });
    results.push({ step, answer: await answer.json() });
  }
  await miniflare.dispose();
  answered.push({ name, steps: results });
}
const { version } = require("miniflare/package.json");
const file = new URL("cases/atomic.json", import.meta.url);
writeFileSync(file, JSON.stringify({ recorded_from: `miniflare ${version}`, cases: answered }, null, 1) + "\n");
