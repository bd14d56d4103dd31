// The values that cross between a script and the edge: JSON, with a mark for what JSON does not have. `$ew` as in workerd's room.
const MARK = "$ew";
const MAX_DEPTH = 100;
let keyClass, keyId, makeKey;
export function setKeys(constructor, idOf, make) {
  [keyClass, keyId, makeKey] = [constructor, idOf, make];
}

export function encode(value, depth = 0) {
  if (depth > MAX_DEPTH) throw new DOMException("The value is nested too deeply to be sent.", "DataCloneError");
  switch (typeof value) {
    case "undefined": return { [MARK]: "undefined" };
    case "bigint": return { [MARK]: "bigint", value: String(value) };
    case "number": return Number.isFinite(value) ? value : { [MARK]: "number", value: String(value) };
    case "string": case "boolean": return value;
    case "function": case "symbol":
      throw new DOMException(`${typeof value === "symbol" ? "Symbol()" : String(value)} could not be cloned.`, "DataCloneError");
  }
  if (value === null) return null;
  const inner = (item) => encode(item, depth + 1);
  if (Array.isArray(value)) return value.map(inner);
  if (value instanceof Date) return { [MARK]: "date", value: value.getTime() };
  if (value instanceof ArrayBuffer) return { [MARK]: "bytes", value: new Uint8Array(value).toBase64() };
  if (ArrayBuffer.isView(value)) return { [MARK]: "bytes", value: new Uint8Array(value.buffer, value.byteOffset, value.byteLength).toBase64() };
  if (value instanceof Map) return { [MARK]: "map", value: [...value].map(([key, item]) => [inner(key), inner(item)]) };
  if (value instanceof Set) return { [MARK]: "set", value: [...value].map(inner) };
  if (value instanceof Error) return { [MARK]: "error", name: value.name, message: value.message };
  if (keyClass !== undefined && value instanceof keyClass) return { [MARK]: "key", value: keyId(value) };
  const made = {};
  for (const [key, item] of Object.entries(value)) made[key] = inner(item);
  return MARK in made ? { [MARK]: "object", value: Object.entries(made) } : made;
}

export function decode(value) {
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map(decode);
  switch (value[MARK]) {
    case undefined: return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, decode(item)]));
    case "undefined": return undefined;
    case "bigint": return BigInt(value.value);
    case "number": return Number(value.value);
    case "date": return new Date(value.value);
    case "bytes": return Uint8Array.fromBase64(value.value).buffer;
    case "map": return new Map(value.value.map(([key, item]) => [decode(key), decode(item)]));
    case "set": return new Set(value.value.map(decode));
    case "error": return Object.assign(new Error(value.message), { name: value.name });
    case "key": return makeKey(value.value);
    default: return Object.fromEntries(value.value.map(([key, item]) => [key, decode(item)]));
  }
}
