// Records what wrangler says about the files in inputs/wrangler_config.json, into cases/wrangler_config.json.
//
//   npm install wrangler@4.164.0 node@22        (in any folder outside this repository)
//   node_modules/.bin/node <repository>/tests/conformance/record_wrangler_config.mjs        (in that folder)
//
// Each input is written to a folder of its own and read by wrangler's own reader; nothing needs the network. `warnings`
// and `error` are what it prints, without colours. `fields` are the keys of wrangler's schema, at the top and in an
// environment; `flags` are those compatibility flags found in workerd's binary that workerd accepts.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const folder = process.cwd();
const require = createRequire(join(folder, "index.js"));
process.env.WRANGLER_SEND_METRICS = "false";
process.env.WRANGLER_LOG_SANITIZE = "true";
process.env.WRANGLER_WRITE_LOGS = "false";
delete process.env.CLOUDFLARE_ENV;

const printed = [];
for (const name of ["log", "info", "warn", "error", "debug"]) console[name] = (...parts) => printed.push(parts.join(" "));
const { unstable_readConfig: readConfig } = require("wrangler");

const plain = (text) => text.replace(/\x1b\[[0-9;]*m/g, "");

/** The text of one block of wrangler's output, without its mark and without the indentation of its lines. */
function block(text) {
  const [first, ...rest] = plain(text).trimEnd().split("\n");
  const lines = [first.replace(/^\S+ \[(WARNING|ERROR)\] /, ""), ...rest.map((line) => line.replace(/^ {4}/, "").trimEnd())];
  return lines.join("\n").trim();
}

function record({ name, file = "wrangler.toml", text, env }) {
  const at = mkdtempSync(join(tmpdir(), "wrangler-config-"));
  writeFileSync(join(at, file), text);
  process.chdir(at);
  printed.length = 0;
  let error = null;
  try {
    readConfig({ config: file, env });
  } catch (thrown) {
    error = thrown.notes === undefined ? plain(thrown.message).trim() : syntaxError(thrown);
  }
  const warnings = printed.filter((line) => line.includes("WARNING")).map(block);
  return { name, file, text, env: env ?? null, warnings, error };
}

function syntaxError(thrown) {
  const location = thrown.location;
  return { text: plain(thrown.text ?? thrown.message).trim(), line: location?.line ?? null, column: location?.column ?? null };
}

function fields() {
  const path = join(folder, "node_modules/wrangler/config-schema.json");
  const { definitions } = JSON.parse(readFileSync(path, "utf-8"));
  const keys = (type) => Object.keys(definitions[type].properties).sort();
  return { top: keys("RawConfig"), environment: keys("RawEnvironment") };
}

/** workerd names every flag that it does not know; names that its schema may hold are taken from the binary's texts. */
function flags() {
  const workerd = createRequire(require.resolve("workerd"))(require.resolve("workerd")).default;
  const text = readFileSync(workerd, "latin1");
  const start = text.indexOf("compatibility-date.capnp:CompatibilityFlags");
  const found = text.slice(start, start + 200_000).match(/[a-z0-9]+(?:[_-][a-z0-9.]+)*/g) ?? [];
  const candidates = [...new Set(found)].filter((name) => name.length > 4 && !/^\d/.test(name));
  const at = mkdtempSync(join(tmpdir(), "workerd-flags-"));
  writeFileSync(join(at, "w.js"), "export default {}");
  const listed = candidates.map((name) => JSON.stringify(name)).join(",");
  writeFileSync(
    join(at, "c.capnp"),
    `using Workerd = import "/workerd/workerd.capnp"; const config :Workerd.Config = (services = [(name = "m", worker = (
      modules = [(name = "w.js", esModule = embed "w.js")], compatibilityDate = "2026-01-01",
      compatibilityFlags = [${listed}]))], sockets = []);`,
  );
  const { stdout, stderr } = spawnSync(workerd, ["test", "--experimental", join(at, "c.capnp")], { encoding: "utf-8", maxBuffer: 1e8 });
  const unknown = new Set([...(stdout + stderr).matchAll(/No such compatibility flag: (\S+)/g)].map((match) => match[1]));
  return candidates.filter((name) => !unknown.has(name)).sort();
}

// What wrangler's reader leaves to its commands.
const HEAD = 'name = "w"\nmain = "w.mjs"\ncompatibility_date = "2026-01-01"\n';
const COMMANDS = [
  { name: "no environment is chosen", text: `${HEAD}[env.a]\n` },
  { name: "custom domains that are patterns", text: `${HEAD}routes = [{ pattern = "*.a.com/x", custom_domain = true }]\n` },
  { name: "a main that is not there", text: HEAD.replace("w.mjs", "gone.mjs") },
  { name: "Python without its flag", text: HEAD.replace("w.mjs", "w.py") },
];

/** The lines of the first message of `wrangler deploy --dry-run`. */
function command({ name, text }) {
  const at = mkdtempSync(join(tmpdir(), "wrangler-command-"));
  writeFileSync(join(at, "wrangler.toml"), text);
  writeFileSync(join(at, "w.mjs"), 'export default { fetch() { return new Response("w"); } };');
  writeFileSync(join(at, "w.py"), "");
  const wrangler = join(folder, "node_modules/wrangler/bin/wrangler.js");
  const env = { ...process.env, CI: "1", WRANGLER_HIDE_BANNER: "true" };
  const { stdout, stderr } = spawnSync(process.execPath, [wrangler, "deploy", "--dry-run"], { cwd: at, env, encoding: "utf-8" });
  const message = plain(stdout + stderr).match(/\[(?:WARNING|ERROR)\] ([^]*?)\n\n\n/);
  return { name, text, lines: message[1].split("\n").map((line) => line.trim()).filter((line) => line !== "") };
}

const inputs = JSON.parse(readFileSync(join(here, "inputs/wrangler_config.json"), "utf-8"));
const answers = {
  wrangler: require("wrangler/package.json").version,
  workerd: require("workerd/package.json").version,
  fields: fields(),
  flags: flags(),
  commands: COMMANDS.map(command),
  cases: inputs.map(record),
};
mkdirSync(join(here, "cases"), { recursive: true });
writeFileSync(join(here, "cases/wrangler_config.json"), JSON.stringify(answers, null, 1) + "\n");
process.stdout.write(`recorded ${answers.cases.length} files, ${answers.flags.length} flags\n`);
process.exit(0);
