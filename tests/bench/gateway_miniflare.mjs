// The split-token work on miniflare: node gateway_miniflare.mjs NODE_MODULES ORIGIN TOKENS.json. Prints `ready PORT`.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";

const [, , modules, origin, tokens] = process.argv;
const { Miniflare } = createRequire(resolve(modules) + "/")("miniflare");
const miniflare = new Miniflare({
  modules: true,
  script: readFileSync(new URL("gateway_worker.mjs", import.meta.url), "utf8"),
  kvNamespaces: ["TOKENS"],
  bindings: { ORIGIN: origin },
  compatibilityDate: "2026-04-01",
  host: "127.0.0.1",
  port: 0,
});
const url = await miniflare.ready;
const namespace = await miniflare.getKVNamespace("TOKENS");
for (const [, key, value] of JSON.parse(readFileSync(tokens))) await namespace.put(key, value);
console.log(`ready ${url.port}`);
