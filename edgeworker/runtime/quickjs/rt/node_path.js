// "node:path", in its POSIX form: a worker has no other.
export const sep = "/";
export const delimiter = ":";
const check = (path) => {
  if (typeof path !== "string") throw Object.assign(new TypeError(`The "path" argument must be of type string. Received ${typeof path}`), { code: "ERR_INVALID_ARG_TYPE" });
  return path;
};
function simplify(parts, isAbsolute) {
  const kept = [];
  for (const part of parts) {
    if (part === "" || part === ".") continue;
    if (part !== "..") kept.push(part);
    else if (kept.length > 0 && kept.at(-1) !== "..") kept.pop();
    else if (!isAbsolute) kept.push("..");
  }
  return kept.join("/");
}
export const isAbsolute = (path) => check(path).startsWith("/");
export function normalize(path) {
  if (check(path) === "") return ".";
  const absolute = isAbsolute(path);
  const made = simplify(path.split("/"), absolute) || (absolute ? "" : ".");
  return (absolute ? "/" : "") + made + (path.endsWith("/") && made !== "" ? "/" : "");
}
export const join = (...parts) => {
  const text = parts.map(check).filter((part) => part !== "").join("/");
  return text === "" ? "." : normalize(text);
};
export function resolve(...parts) {
  let path = "";
  for (const part of parts.map(check).reverse()) {
    if (part === "") continue;
    path = path === "" ? part : `${part}/${path}`;
    if (part.startsWith("/")) break;
  }
  return `/${simplify(path.split("/"), true)}`;
}
export function relative(from, to) {
  const [one, other] = [resolve(from), resolve(to)].map((path) => path.split("/").filter((part) => part !== ""));
  let shared = 0;
  while (shared < one.length && one[shared] === other[shared]) shared++;
  return [...one.slice(shared).map(() => ".."), ...other.slice(shared)].join("/");
}
export function basename(path, suffix) {
  const name = check(path).replace(/\/+$/, "").split("/").at(-1);
  return suffix !== undefined && name !== suffix && name.endsWith(suffix) ? name.slice(0, -suffix.length) : name;
}
export function dirname(path) {
  const text = check(path).replace(/(?<=.)\/+$/, "");
  const at = text.lastIndexOf("/");
  return at < 0 ? "." : at === 0 ? "/" : text.slice(0, at).replace(/(?<=.)\/+$/, "");
}
export function extname(path) {
  const name = basename(path);
  const at = name.lastIndexOf(".");
  return at <= 0 ? "" : name.slice(at);
}
export function parse(path) {
  const root = isAbsolute(path) ? "/" : "";
  const base = basename(path), ext = extname(path), dir = dirname(path);
  return { root, dir: dir === "." && !path.startsWith(".") ? root : dir, base, ext, name: ext === "" ? base : base.slice(0, -ext.length) };
}
export function format({ root = "", dir, base, name = "", ext = "" }) {
  const file = base ?? name + (ext === "" || ext.startsWith(".") ? ext : `.${ext}`);
  const folder = dir ?? root;
  return folder === "" ? file : folder === root ? folder + file : `${folder}/${file}`;
}
export const toNamespacedPath = (path) => path;
export const posix = { sep, delimiter, isAbsolute, normalize, join, resolve, relative, basename, dirname, extname, parse, format, toNamespacedPath };
posix.posix = posix;
export default posix;
