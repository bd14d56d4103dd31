// Records what workerd reads of the forms in inputs/formdata.json, into cases/formdata.json.
//
//   npm install miniflare@4.20260730.0        (in any folder outside this repository)
//   node <repository>/tests/conformance/record_formdata.mjs        (in that folder)
//
// Bodies are bytes, written as texts of Latin-1. An answer is an error's text, or pairs; a file is [name, type, bytes].
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const { Miniflare } = createRequire(join(process.cwd(), "index.js"))("miniflare");
const script = `
export default {
  async fetch(request) {
    try {
      const pairs = [];
      for (const [name, value] of await request.formData()) {
        if (typeof value === "string") pairs.push([name, value]);
        else pairs.push([name, [value.name, value.type, new TextDecoder("latin1").decode(await value.arrayBuffer())]]);
      }
      return Response.json(pairs);
    } catch (error) {
      return Response.json(error.message);
    }
  }
}`;
const edge = new Miniflare({ modules: true, compatibilityDate: "2026-01-01", script });
const cases = [];
for (const { type, body } of JSON.parse(readFileSync(join(here, "inputs/formdata.json"), "utf-8"))) {
  const headers = { "content-type": type };
  const response = await edge.dispatchFetch("http://x/", { method: "POST", body: Buffer.from(body, "latin1"), headers });
  cases.push({ type, body, answer: await response.json() });
}
writeFileSync(join(here, "cases/formdata.json"), JSON.stringify(cases, null, 1) + "\n");
await edge.dispose();
