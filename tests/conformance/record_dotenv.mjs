// Records what wrangler makes of the files in inputs/dotenv.json, into cases/dotenv.json.
//
//   npm install wrangler@4.164.0 node@22        (in any folder outside this repository)
//   node_modules/.bin/node <repository>/tests/conformance/record_dotenv.mjs        (in that folder)
//
// `parsed` is what a worker gets of the text as .dev.vars; `expanded` is what it gets of it as .env, with `process` as
// wrangler's environment. Both are pairs, because their order counts.
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const require = createRequire(join(process.cwd(), "index.js"));
for (const name of Object.keys(process.env)) if (name !== "PATH") delete process.env[name];
process.env.WRANGLER_SEND_METRICS = "false";
process.env.WRANGLER_WRITE_LOGS = "false";
const { unstable_getVarsForDev: getVarsForDev } = require("wrangler");

function ask(file, text, environment) {
  const at = mkdtempSync(join(tmpdir(), "dotenv-"));
  writeFileSync(join(at, file), text);
  Object.assign(process.env, environment);
  try {
    const found = getVarsForDev(join(at, "wrangler.toml"), undefined, {}, undefined, true);
    return Object.entries(found).map(([name, { value }]) => [name, value]);
  } finally {
    for (const name of Object.keys(environment)) delete process.env[name];
  }
}

const inputs = JSON.parse(readFileSync(join(here, "inputs/dotenv.json"), "utf-8"));
const cases = inputs.map(({ text, process: environment = {} }) => {
  const parsed = ask(".dev.vars", text, {});
  const names = new Set(parsed.map(([name]) => name));
  const include = Object.keys(environment).length > 0 ? { CLOUDFLARE_INCLUDE_PROCESS_ENV: "true" } : {};
  const expanded = ask(".env", text, { ...environment, ...include }).filter(([name]) => names.has(name));
  return { text, process: environment, parsed, expanded };
});
writeFileSync(join(here, "cases/dotenv.json"), JSON.stringify(cases, null, 1) + "\n");
