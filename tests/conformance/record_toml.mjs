// Records which files of inputs/toml.json wrangler refuses, and on which line, into cases/toml.json.
//
//   npm install wrangler@4.164.0 node@22        (in any folder outside this repository)
//   node_modules/.bin/node <repository>/tests/conformance/record_toml.mjs        (in that folder)
//
// inputs/toml.json is the corpus of toml-test 2 (https://github.com/toml-lang/toml-test, MIT, (c) 2018 TOML authors) for
// TOML 1.1 and some of our own: a text, or base64 where it is not UTF-8.
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const require = createRequire(join(process.cwd(), "index.js"));
for (const name of ["log", "info", "warn", "error", "debug"]) console[name] = () => {};
process.env.WRANGLER_SEND_METRICS = "false";
process.env.WRANGLER_WRITE_LOGS = "false";
const { unstable_readConfig: readConfig } = require("wrangler");

const inputs = JSON.parse(readFileSync(join(here, "inputs/toml.json"), "utf-8"));
const cases = {};
for (const { name, text, base64 } of inputs) {
  const file = join(mkdtempSync(join(tmpdir(), "toml-")), "wrangler.toml");
  writeFileSync(file, text ?? Buffer.from(base64, "base64"));
  try {
    readConfig({ config: file });
    cases[name] = null;
  } catch (thrown) {
    // What is TOML and no wrangler configuration is an error without a place.
    cases[name] = thrown.location ? { line: thrown.location.line, text: thrown.text } : null;
  }
}
writeFileSync(join(here, "cases/toml.json"), JSON.stringify(cases, null, 1) + "\n");
