// Fires the cron triggers of the scripts below on workerd (through miniflare) and writes the answers to
// cases/scheduled.json.
//
//     npm install miniflare node@22              (in a directory of its own)
//     node record_scheduled.mjs NODE_MODULES     (with that Node; NODE_MODULES is that directory's node_modules)
import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";

const modules = resolve(process.argv[2] ?? "node_modules") + "/";
const require = createRequire(modules);
const { Miniflare } = require("miniflare");

const scripts = {
  ends: "scheduled() {}",
  "calls noRetry": "scheduled(controller) { controller.noRetry() }",
  raises: 'scheduled() { throw new Error("no") }',
  "calls noRetry and raises": 'scheduled(controller) { controller.noRetry(); throw new Error("no") }',
  "has no handler": "fetch() {}",
};
const queries = ["", "?cron=*+*+*+*+*&time=1745856238000&format=json", "?format=xml"];

const answers = [];
for (const [name, member] of Object.entries(scripts)) {
  const miniflare = new Miniflare({
    modules: true, script: `export default { ${member} }`, compatibilityDate: "2026-01-01", unsafeTriggerHandlers: true,
  });
  for (const query of queries) {
    const response = await miniflare.dispatchFetch(`http://localhost/cdn-cgi/handler/scheduled${query}`);
    const type = response.headers.get("content-type");
    answers.push({ script: name, query, status: response.status, type, text: await response.text() });
  }
  await miniflare.dispose();
}
const version = require("miniflare/package.json").version;
const target = new URL("cases/scheduled.json", import.meta.url);
writeFileSync(target, JSON.stringify({ recorded_from: { miniflare: version }, answers }, null, 2) + "\n");
