// The values that cross between a worker and the edge: JSON, with a mark for what JSON does not have.
const MARK = "$ew";

export function encode(value, depth = 0) {
  if (depth > 100) throw new DOMException("The value is nested too deeply to be sent.", "DataCloneError");
  switch (typeof value) {
    case "undefined":
      return { [MARK]: "undefined" };
    case "bigint":
      return { [MARK]: "bigint", value: String(value) };
    case "number":
      return Number.isFinite(value) ? value : { [MARK]: "number", value: String(value) };
    case "string":
    case "boolean":
      return value;
    case "function":
    case "symbol":
      throw new DOMException(`${typeof value === "symbol" ? "Symbol()" : String(value)} could not be cloned.`, "DataCloneError");
  }
  if (value === null) return null;
  if (Array.isArray(value)) return value.map((item) => encode(item, depth + 1));
  if (value instanceof Date) return { [MARK]: "date", value: value.getTime() };
  if (value instanceof ArrayBuffer) return { [MARK]: "bytes", value: base64(new Uint8Array(value)) };
  if (ArrayBuffer.isView(value)) {
    return { [MARK]: "bytes", value: base64(new Uint8Array(value.buffer, value.byteOffset, value.byteLength)) };
  }
  if (value instanceof Map) {
    return { [MARK]: "map", value: [...value].map(([key, item]) => [encode(key, depth + 1), encode(item, depth + 1)]) };
  }
  if (value instanceof Set) return { [MARK]: "set", value: [...value].map((item) => encode(item, depth + 1)) };
  if (value instanceof Error) return { [MARK]: "error", name: value.name, message: value.message };
  const made = {};
  for (const [key, item] of Object.entries(value)) made[key] = encode(item, depth + 1);
  return MARK in made ? { [MARK]: "object", value: Object.entries(made) } : made;
}

export function decode(value) {
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map(decode);
  switch (value[MARK]) {
    case undefined:
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, decode(item)]));
    case "undefined":
      return undefined;
    case "bigint":
      return BigInt(value.value);
    case "number":
      return Number(value.value);
    case "date":
      return new Date(value.value);
    case "bytes":
      return Uint8Array.from(atob(value.value), (character) => character.charCodeAt(0)).buffer;
    case "map":
      return new Map(value.value.map(([key, item]) => [decode(key), decode(item)]));
    case "set":
      return new Set(value.value.map(decode));
    case "error":
      return Object.assign(new Error(value.message), { name: value.name });
    default:
      return Object.fromEntries(value.value.map(([key, item]) => [key, decode(item)]));
  }
}

function base64(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(text);
}
