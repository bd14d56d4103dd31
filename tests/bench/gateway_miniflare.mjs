// The split-token work on miniflare: node gateway_miniflare.mjs NODE_MODULES ORIGIN TOKENS.json. Prints `ready PORT`.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";

const [, , modules, origin, tokens] = process.argv;
const { Miniflare } = createRequire(resolve(modules) + "/")("miniflare");
const script = `export default {
  async fetch(request, env) {
    const token = (request.headers.get("authorization") ?? "").replace(/^Bearer /, "");
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(token)));
    const value = await env.TOKENS.get(btoa(String.fromCharCode(...hash)));
    if (value === null) return new Response("unknown token", { status: 401 });
    const headers = new Headers(request.headers);
    headers.set("authorization", \`Bearer \${value}.\${token}\`);
    const url = new URL(request.url);
    return fetch(env.ORIGIN + url.pathname + url.search, { method: request.method, headers, redirect: "manual" });
  },
};`;
const miniflare = new Miniflare({
  modules: true,
  script,
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
