// The same work on miniflare: node harness_miniflare.mjs NODE_MODULES. Prints one JSON object; milliseconds.
import { createRequire } from "node:module";
import { resolve } from "node:path";

const require = createRequire(resolve(process.argv[2]) + "/");
const { Miniflare } = require("miniflare");
const script = `export default { async fetch(request, env) { return new Response(await env.KV.get("k") ?? "nothing"); } };`;
const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];

const starts = [];
const dispatches = [];
for (let round = 0; round < 5; round += 1) {
  const begun = performance.now();
  const miniflare = new Miniflare({ modules: true, script, kvNamespaces: ["KV"], compatibilityDate: "2026-04-01" });
  await (await miniflare.dispatchFetch("http://localhost/")).text();
  starts.push(performance.now() - begun);
  for (let number = 0; number < 100; number += 1) {
    const asked = performance.now();
    await (await miniflare.dispatchFetch("http://localhost/")).text();
    dispatches.push(performance.now() - asked);
  }
  await miniflare.dispose();
}
console.log(JSON.stringify({ start: median(starts), dispatch: median(dispatches) }));
