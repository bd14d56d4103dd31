// The same work on miniflare's KV: node kv_miniflare.mjs NODE_MODULES. Prints one JSON object of figures.
import { createRequire } from "node:module";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const require = createRequire(resolve(process.argv[2]) + "/");
const { Miniflare } = require("miniflare");

const script = `
const VALUE = new Uint8Array(300);
const name = (number) => "key" + String(number).padStart(40, "0");
const together = async (writers, count, work) => {
  let next = 0;
  const begun = Date.now();
  await Promise.all(Array.from({ length: writers }, async () => { while (next < count) await work(next++); }));
  return count / (Date.now() - begun) * 1000;
};
const work = {
  fill: async (KV) => { await together(64, 1000, (number) => KV.put(name(number), VALUE)); return 0; },
  read: (KV) => together(1, 2000, (number) => KV.get(name(number * 7919 % 1000))),
  put1: (KV) => together(1, 500, (number) => KV.put(name(number % 1000), VALUE)),
  put64: (KV) => together(64, 1000, (number) => KV.put(name(number % 1000), VALUE)),
  list: async (KV) => 1000 / await together(1, 10, () => KV.list({ limit: 1000 })),
  large: async (KV) => {
    const begun = Date.now();
    await KV.put("large", new Uint8Array(25 * 1024 * 1024));
    await KV.get("large", "arrayBuffer");
    return Date.now() - begun;
  },
};
export default { async fetch(request, { KV }) { return Response.json(await work[new URL(request.url).pathname.slice(1)](KV)); } };`;

// The clock of a worker stands still between two of its calls, which is exact enough for runs of this length.
const folder = mkdtempSync(join(tmpdir(), "kv-bench-"));
const miniflare = new Miniflare({ modules: true, script, kvNamespaces: ["KV"], kvPersist: folder, compatibilityDate: "2026-04-01" });
const figures = {};
for (const step of ["fill", "read", "put1", "put64", "list", "large"]) {
  figures[step] = await (await miniflare.dispatchFetch(`http://kv/${step}`)).json();
}
await miniflare.dispose();
rmSync(folder, { recursive: true });
console.log(JSON.stringify(figures));
