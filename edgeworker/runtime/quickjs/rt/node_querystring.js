// "node:querystring".
export const escape = (text) => encodeURIComponent(String(text)).replace(/[!'()*]/g, (found) => (found === "'" ? "%27" : found));
export function unescape(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
const textOf = (value) => (["string", "number", "bigint", "boolean"].includes(typeof value) && (typeof value !== "number" || Number.isFinite(value)) ? String(value) : "");
export function stringify(values, separator = "&", equals = "=", { encodeURIComponent: encode = escape } = {}) {
  if (values === null || typeof values !== "object") return "";
  const pair = (name, value) => `${encode(name)}${equals}${encode(textOf(value))}`;
  return Object.entries(values)
    .flatMap(([name, value]) => (Array.isArray(value) ? value.map((one) => pair(name, one)) : [pair(name, value)]))
    .join(separator);
}
export function parse(text, separator = "&", equals = "=", { decodeURIComponent: decode = unescape, maxKeys = 1000 } = {}) {
  const found = Object.create(null);
  if (typeof text !== "string" || text === "") return found;
  const pairs = text.split(separator);
  for (const pair of maxKeys > 0 ? pairs.slice(0, maxKeys) : pairs) {
    if (pair === "") continue;
    const at = pair.indexOf(equals);
    const [name, value] = (at < 0 ? [pair, ""] : [pair.slice(0, at), pair.slice(at + equals.length)]).map((part) => decode(part.replaceAll("+", " ")));
    if (!(name in found)) found[name] = value;
    else if (Array.isArray(found[name])) found[name].push(value);
    else found[name] = [found[name], value];
  }
  return found;
}
export { stringify as encode, parse as decode };
export default { escape, unescape, stringify, parse, encode: stringify, decode: parse };
