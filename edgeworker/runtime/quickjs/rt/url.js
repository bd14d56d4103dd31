// URL (parsed by the edge) and URLSearchParams. Source: https://url.spec.whatwg.org/
import { define, host, tag } from "edgeworker:host";

const usv = (value) => String(value).toWellFormed();
const PARTS = ["protocol", "username", "password", "host", "hostname", "port", "pathname", "search", "hash"];

// The parts of a URL as it is written after parsing, where each is in one place.
function splitHref(href) {
  const hashAt = href.indexOf("#"), beforeHash = hashAt < 0 ? href : href.slice(0, hashAt);
  const searchAt = beforeHash.indexOf("?"), main = searchAt < 0 ? beforeHash : beforeHash.slice(0, searchAt);
  const hash = hashAt < 0 ? "" : href.slice(hashAt), search = searchAt < 0 ? "" : beforeHash.slice(searchAt);
  const colon = main.indexOf(":");
  const parts = { protocol: main.slice(0, colon + 1), username: "", password: "", host: "", hostname: "", port: "", pathname: main.slice(colon + 1) };
  parts.search = search === "?" ? "" : search;
  parts.hash = hash === "#" ? "" : hash;
  const { pathname } = parts;
  if (!pathname.startsWith("//")) {
    if (pathname.startsWith("/.//")) parts.pathname = pathname.slice(2); // so written that it is not taken for a host
    return parts;
  }
  const slash = pathname.indexOf("/", 2), end = slash < 0 ? pathname.length : slash;
  const at = pathname.lastIndexOf("@", end);
  if (at > 0) {
    const credentials = pathname.slice(2, at), between = credentials.indexOf(":");
    parts.username = between < 0 ? credentials : credentials.slice(0, between);
    parts.password = between < 0 ? "" : credentials.slice(between + 1);
  }
  parts.host = pathname.slice(at > 0 ? at + 1 : 2, end);
  const beforePort = parts.host.lastIndexOf(":"), hasPort = beforePort > parts.host.lastIndexOf("]");
  parts.hostname = hasPort ? parts.host.slice(0, beforePort) : parts.host;
  parts.port = hasPort ? parts.host.slice(beforePort + 1) : "";
  parts.pathname = pathname.slice(end);
  return parts;
}

const WITH_ORIGIN = ["http:", "https:", "ws:", "wss:", "ftp:"];

class URL {
  #href;
  #parts; // made of it when one is asked for
  #params;
  constructor(url, base = undefined) {
    if (arguments.length === 0) throw new TypeError("Failed to construct 'URL': 1 argument required, but only 0 present.");
    this.#href = host.url(usv(url), base === undefined ? null : usv(base));
    if (this.#href === null) throw new TypeError("Invalid URL string.");
  }
  static canParse(url, base = undefined) {
    return host.url(usv(url), base === undefined ? null : usv(base)) !== null;
  }
  static createObjectURL() { throw new Error("URL.createObjectURL() is not implemented"); }
  static revokeObjectURL() { throw new Error("URL.revokeObjectURL() is not implemented"); }
  static parse(url, base = undefined) {
    try {
      return new URL(url, base);
    } catch {
      return null;
    }
  }
  get href() { return this.#href; }
  set href(value) {
    const href = host.url(usv(value), null);
    if (href === null) throw new TypeError("Invalid URL string.");
    this.#take(href);
  }
  get origin() {
    const { protocol, host, pathname } = this.#split();
    if (WITH_ORIGIN.includes(protocol)) return `${protocol}//${host}`;
    const inner = protocol === "blob:" ? URL.parse(pathname) : null;
    return inner !== null && (inner.protocol === "http:" || inner.protocol === "https:") ? inner.origin : "null";
  }
  get searchParams() {
    this.#params ??= URLSearchParams._of(this.search, (text) => this.#set("search", text, false));
    return this.#params;
  }
  toString() { return this.#href; }
  toJSON() { return this.#href; }
  #split() { return (this.#parts ??= splitHref(this.#href)); }
  #take(href, refresh = true) {
    this.#href = href;
    this.#parts = undefined;
    if (refresh) this.#params?._parse(this.search);
  }
  #set(part, value, refresh = true) {
    this.#take(host.url_set(this.#href, part, usv(value)), refresh);
  }
  static {
    for (const part of PARTS) {
      Object.defineProperty(URL.prototype, part, {
        get() { return this.#split()[part]; },
        set(value) { this.#set(part, value); },
        enumerable: true,
        configurable: true,
      });
    }
  }
}
tag(URL, "URL");

const decodeForm = (text) => (/[%+]/.test(text) ? host.form_decode(text) : text);
const encodeForm = (text) => encodeURIComponent(text).replace(/[!'()~]|%20/g, (found) =>
  found === "%20" ? "+" : `%${found.charCodeAt(0).toString(16).toUpperCase()}`);

class URLSearchParams {
  #pairs = [];
  #changed;
  constructor(init = "") {
    if (typeof init === "object" && init !== null) {
      if (typeof init[Symbol.iterator] === "function") {
        for (const pair of init) {
          const items = [...pair];
          if (items.length !== 2) throw new TypeError("Each pair of URLSearchParams has two items.");
          this.#pairs.push([usv(items[0]), usv(items[1])]);
        }
      } else {
        for (const name of Object.keys(init)) this.#pairs.push([usv(name), usv(init[name])]);
      }
    } else this._parse(usv(init));
  }
  static _of(search, changed) {
    const made = new URLSearchParams(search);
    made.#changed = changed;
    return made;
  }
  _parse(text) {
    this.#pairs = text.replace(/^\?/, "").split("&").filter((piece) => piece !== "").map((piece) => {
      const at = piece.indexOf("=");
      return at < 0 ? [decodeForm(piece), ""] : [decodeForm(piece.slice(0, at)), decodeForm(piece.slice(at + 1))];
    });
  }
  #update() { this.#changed?.(this.toString()); }
  get size() { return this.#pairs.length; }
  append(name, value) { this.#pairs.push([usv(name), usv(value)]); this.#update(); }
  delete(name, value = undefined) {
    this.#pairs = this.#pairs.filter((pair) => pair[0] !== usv(name) || (value !== undefined && pair[1] !== usv(value)));
    this.#update();
  }
  get(name) { return this.#pairs.find((pair) => pair[0] === usv(name))?.[1] ?? null; }
  getAll(name) { return this.#pairs.filter((pair) => pair[0] === usv(name)).map((pair) => pair[1]); }
  has(name, value = undefined) {
    return this.#pairs.some((pair) => pair[0] === usv(name) && (value === undefined || pair[1] === usv(value)));
  }
  set(name, value) {
    const wanted = usv(name);
    const first = this.#pairs.find((pair) => pair[0] === wanted);
    if (first === undefined) this.#pairs.push([wanted, usv(value)]);
    else {
      first[1] = usv(value);
      this.#pairs = this.#pairs.filter((pair) => pair[0] !== wanted || pair === first);
    }
    this.#update();
  }
  sort() {
    this.#pairs.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    this.#update();
  }
  forEach(callback, self = undefined) {
    for (const [name, value] of this) callback.call(self, value, name, this);
  }
  *entries() { for (let at = 0; at < this.#pairs.length; at++) yield [...this.#pairs[at]]; }
  *keys() { for (const [name] of this.entries()) yield name; }
  *values() { for (const [, value] of this.entries()) yield value; }
  [Symbol.iterator]() { return this.entries(); }
  toString() { return this.#pairs.map(([name, value]) => `${encodeForm(name)}=${encodeForm(value)}`).join("&"); }
}
tag(URLSearchParams, "URLSearchParams");

define({ URL, URLSearchParams });
