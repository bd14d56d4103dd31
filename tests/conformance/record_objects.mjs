// Runs every case of inputs/objects.json in pyodide and writes what came of it to cases/objects.json.
//
//     npm install pyodide@0.28.3 node@22       (in a directory of its own)
//     node record_objects.mjs NODE_MODULES     (NODE_MODULES is that directory's node_modules)
//
// A case is an expression, or statements and an expression; both may `await`. It answers the text of its value, or the error.
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

const { loadPyodide } = await import(resolve(process.argv[2] ?? "node_modules", "pyodide", "pyodide.mjs"));
const here = dirname(new URL(import.meta.url).pathname);
const inputs = JSON.parse(readFileSync(join(here, "inputs", "objects.json"), "utf8"));
const python = await loadPyodide();
const cases = {};
for (const { name, before = "pass", expression } of inputs.cases) {
  python.runPython(inputs.prelude);
  try {
    await python.runPythonAsync(before);
    const shown = `_value = (${expression})\n_value if isinstance(_value, str) else repr(_value)`;
    cases[name] = { value: await python.runPythonAsync(shown) };
  } catch (error) {
    cases[name] = { error: String(error.message).trim().split("\n").pop() };
  }
}
const source = `pyodide ${python.version}`;
writeFileSync(join(here, "cases", "objects.json"), JSON.stringify({ source, cases }, null, 1) + "\n");
process.exit(0);
