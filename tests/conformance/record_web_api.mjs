// Runs the JavaScript of every case in inputs/web_api.json in workerd and writes what came of it to cases/web_api.json.
//
//     npm install miniflare node@22            (in a directory of its own)
//     node record_web_api.mjs NODE_MODULES    (with that Node; NODE_MODULES is that directory's node_modules)
//
// A case answers a value, an error, or a response, which is read from the wire.
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { connect } from "node:net";
import { dirname, join, resolve } from "node:path";

const require = createRequire(resolve(process.argv[2] ?? "node_modules") + "/");
const { Miniflare } = require("miniflare");
const here = dirname(new URL(import.meta.url).pathname);
const inputs = JSON.parse(readFileSync(join(here, "inputs", "web_api.json"), "utf8"));

const SCRIPT = `
export default { async fetch(request, env) {
  const run = env.UNSAFE.newAsyncFunction(decodeURIComponent(request.headers.get("x-code")), "run", "request");
  try {
    const value = await run(request);
    return value instanceof Response ? value : Response.json({ value }, { headers: { "x-case": "value" } });
  } catch (error) {
    return Response.json({ error: error.name, message: error.message }, { headers: { "x-case": "error" } });
  }
} };`;
const mf = new Miniflare({ modules: true, script: SCRIPT, compatibilityDate: "2026-08-01", unsafeEvalBinding: "UNSAFE" });
const url = await mf.ready;

function exchange(code) {
  return new Promise((done, failed) => {
    const socket = connect(+url.port, "127.0.0.1");
    const pieces = [];
    socket.on("close", () => done(Buffer.concat(pieces))).on("error", failed);
    socket.on("data", (piece) => {
      pieces.push(piece);
      if (isComplete(Buffer.concat(pieces))) socket.destroy();  // workerd keeps some connections open
    });
    const fields = `Host: x.example\r\nConnection: close\r\nx-utf: caf\xc3\xa9\r\nx-latin: caf\xe9!\r\n`;
    socket.write(Buffer.from(`GET / HTTP/1.1\r\n${fields}x-code: ${encodeURIComponent(code)}\r\n\r\n`, "latin1"));
  });
}

function isComplete(raw) {
  const at = raw.indexOf("\r\n\r\n");
  if (at < 0) return false;
  const length = /^content-length: *(\d+)/im.exec(raw.subarray(0, at).toString("latin1"));
  return length ? raw.length >= at + 4 + +length[1] : raw.toString("latin1").endsWith("\r\n0\r\n\r\n");
}

function unchunked(body) {
  const pieces = [];
  for (let at = 0; ; ) {
    const end = body.indexOf("\r\n", at), size = parseInt(body.subarray(at, end).toString(), 16);
    if (!size) return Buffer.concat(pieces);
    pieces.push(body.subarray(end + 2, end + 2 + size));
    at = end + 2 + size + 2;
  }
}

const cases = {};
for (const { name, js } of inputs) {
  const raw = await exchange(js);
  const at = raw.indexOf("\r\n\r\n");
  const [start, ...lines] = raw.subarray(0, at).toString("latin1").split("\r\n");
  const fields = lines.map((line) => [line.split(":")[0].toLowerCase(), line.slice(line.indexOf(":") + 1).trim()]);
  const field = (wanted) => fields.find(([found]) => found === wanted)?.[1];
  const rest = raw.subarray(at + 4);
  const body = field("transfer-encoding") === "chunked" ? unchunked(rest) : rest;
  if (field("x-case")) { cases[name] = JSON.parse(body.toString()); continue; }
  const kept = fields.filter(([found]) => !["content-length", "transfer-encoding", "date"].includes(found)).sort();
  cases[name] = { status: +start.split(" ")[1], headers_latin1: kept, body_base64: body.toString("base64") };
}
const source = `workerd of miniflare ${require("miniflare/package.json").version}`;
writeFileSync(join(here, "cases", "web_api.json"), JSON.stringify({ source, cases }, null, 1) + "\n");
await mf.dispose();
