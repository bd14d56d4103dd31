// console: each call is one line of the edge's log.
import { stackWith } from "edgeworker:errors";
import { define, host } from "edgeworker:host";

function quote(text) {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'").replaceAll("\n", "\\n")}'`;
}

export function inspect(value, depth = 0, seen = new Set()) {
  switch (typeof value) {
    case "string": return depth === 0 ? value : quote(value);
    case "bigint": return `${value}n`;
    case "symbol": return value.toString();
    case "function": {
      const kind = /^class\b/.test(Function.prototype.toString.call(value)) ? "class" : "Function";
      return kind === "class" ? `[class ${value.name || "(anonymous)"}]` : value.name ? `[Function: ${value.name}]` : "[Function (anonymous)]";
    }
    case "object": break;
    default: return Object.is(value, -0) ? "-0" : String(value);
  }
  if (value === null) return "null";
  if (seen.has(value)) return "[Circular]";
  try {
    return inspectObject(value, depth, new Set([...seen, value]));
  } catch {
    return "[object]";
  }
}

function inspectObject(value, depth, seen) {
  if (value instanceof Error) {
    return stackWith(`${value.name}: ${value.message}`, value);
  }
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "Invalid Date" : value.toISOString();
  if (value instanceof RegExp) return String(value);
  const name = value.constructor?.name ?? "";
  const deep = depth > 2;
  const inner = (item) => inspect(item, depth + 1, seen);
  if (Array.isArray(value)) {
    if (deep) return "[Array]";
    const shown = value.slice(0, 100).map(inner);
    if (value.length > 100) shown.push(`... ${value.length - 100} more items`);
    return shown.length === 0 ? "[]" : `[ ${shown.join(", ")} ]`;
  }
  if (value instanceof Promise) return "Promise {}";
  if (value instanceof ArrayBuffer) return `ArrayBuffer { byteLength: ${value.byteLength} }`;
  if (ArrayBuffer.isView(value)) {
    const items = Array.from(value.length === undefined ? [] : value.slice(0, 100));
    return `${name}(${value.length ?? value.byteLength}) [ ${items.join(", ")} ]`;
  }
  if (value instanceof Map) return deep ? "[Map]" : `Map(${value.size}) {${[...value].map(([key, item]) => ` ${inner(key)} => ${inner(item)}`).join(",")} }`;
  if (value instanceof Set) return deep ? "[Set]" : `Set(${value.size}) {${[...value].map((item) => ` ${inner(item)}`).join(",")} }`;
  if (value instanceof URL || value instanceof Headers || value instanceof URLSearchParams) {
    return `${name} { ${value instanceof URL ? quote(value.href) : [...value].map(([key, item]) => `${quote(key)}: ${quote(item)}`).join(", ")} }`;
  }
  if (deep) return `[${name || "Object"}]`;
  const own = Object.keys(value).map((key) => `${/^[\w$]+$/.test(key) ? key : quote(key)}: ${inner(value[key])}`);
  const prefix = name === "Object" ? "" : name === "" ? "[Object: null prototype] " : `${name} `;
  return own.length === 0 ? `${prefix}{}` : `${prefix}{ ${own.join(", ")} }`;
}

export function format(...values) {
  if (typeof values[0] !== "string" || !values[0].includes("%")) return values.map((value) => inspect(value)).join(" ");
  let at = 1;
  const text = values[0].replace(/%([sdifjoOc%])/g, (found, kind) => {
    if (kind === "%") return "%";
    if (at >= values.length) return found;
    const value = values[at++];
    switch (kind) {
      case "s": return typeof value === "object" ? inspect(value, 1) : String(value);
      case "d": return String(Number(value));
      case "i": return String(Math.trunc(Number(value)));
      case "f": return String(parseFloat(value));
      case "j": return JSON.stringify(value);
      case "c": return "";
      default: return inspect(value, 1);
    }
  });
  return [text, ...values.slice(at).map((value) => inspect(value))].join(" ");
}

const write = (level) => (...values) => void host.log(level, format(...values));
const counts = new Map();
const begun = new Map();
define({
  console: {
    debug: write("debug"), error: write("error"), info: write("info"), log: write("info"), trace: write("debug"), warn: write("warning"),
    dir: (value) => write("info")(value), dirxml: write("info"), table: write("info"), group: write("info"), groupCollapsed: write("info"), groupEnd() {}, clear() {},
    profile() {}, profileEnd() {}, timeStamp() {},
    assert(holds, ...values) { if (!holds) write("error")("Assertion failed:", ...values); },
    count(label = "default") { counts.set(label, (counts.get(label) ?? 0) + 1); write("info")(`${label}: ${counts.get(label)}`); },
    countReset(label = "default") { counts.delete(label); },
    time(label = "default") { begun.set(label, performance.now()); },
    timeLog(label = "default") { write("info")(`${label}: ${performance.now() - begun.get(label)}ms`); },
    timeEnd(label = "default") { write("info")(`${label}: ${performance.now() - begun.get(label)}ms`); begun.delete(label); },
  },
});
