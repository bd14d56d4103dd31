// URL (parsed by the edge) and URLSearchParams. Source: https://url.spec.whatwg.org/
import { define, host, tag } from "edgeworker:host";

const usv = (value) => String(value).toWellFormed();
const PARTS = ["protocol", "username", "password", "host", "hostname", "port", "pathname", "search", "hash"];

class URL {
  #parts;
  #params;
  constructor(url, base = undefined) {
    if (arguments.length === 0) throw new TypeError("Failed to construct 'URL': 1 argument required, but only 0 present.");
    const parsed = host.url(usv(url), base === undefined ? null : usv(base));
    if (parsed === null) throw new TypeError("Invalid URL string.");
    this.#parts = JSON.parse(parsed);
  }
  static canParse(url, base = undefined) {
    return host.url(usv(url), base === undefined ? null : usv(base)) !== null;
  }
  static parse(url, base = undefined) {
    try {
      return new URL(url, base);
    } catch {
      return null;
    }
  }
  get href() { return this.#parts.href; }
  set href(value) {
    const parsed = host.url(usv(value), null);
    if (parsed === null) throw new TypeError("Invalid URL string.");
    this.#take(parsed);
  }
  get origin() { return this.#parts.origin; }
  get searchParams() {
    this.#params ??= URLSearchParams._of(this.#parts.search, (text) => this.#set("search", text, false));
    return this.#params;
  }
  toString() { return this.#parts.href; }
  toJSON() { return this.#parts.href; }
  #take(parsed, refresh = true) {
    this.#parts = JSON.parse(parsed);
    if (refresh) this.#params?._parse(this.#parts.search);
  }
  #set(part, value, refresh = true) {
    this.#take(host.url_set(this.#parts.href, part, usv(value)), refresh);
  }
  static {
    for (const part of PARTS) {
      Object.defineProperty(URL.prototype, part, {
        get() { return this.#parts[part]; },
        set(value) { this.#set(part, value); },
        enumerable: true,
        configurable: true,
      });
    }
  }
}
tag(URL, "URL");

const decodeForm = (text) => host.form_decode(text);
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
