// Headers. Source: https://fetch.spec.whatwg.org/#headers-class; values are UTF-8 text, as the Workers runtime has them.
import { define, tag } from "edgeworker:host";

const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const IMMUTABLE = "Can't modify immutable headers.";

// The lower-case form of names that were checked: scripts ask for the same few.
const lowered = new Map();
const MAX_NAMES = 500;

function lower(name) {
  const known = lowered.get(name);
  if (known !== undefined) return known;
  const text = String(name);
  if (!NAME.test(text)) throw new TypeError(`Invalid header name: ${text.slice(0, 100)}`);
  const key = text.toLowerCase();
  if (lowered.size < MAX_NAMES) lowered.set(text, key);
  return key;
}

const isSpace = (code) => code === 0x20 || code === 0x09 || code === 0x0a || code === 0x0d;

function checkValue(name, value) {
  let text = String(value).toWellFormed();
  let begin = 0, end = text.length;
  while (begin < end && isSpace(text.charCodeAt(begin))) begin++;
  while (end > begin && isSpace(text.charCodeAt(end - 1))) end--;
  if (end - begin < text.length) text = text.slice(begin, end);
  if (text.includes("\n") || text.includes("\r") || text.includes("\0")) {
    throw new TypeError(`Invalid value of header "${name}": it holds CR, LF or NUL.`);
  }
  return text;
}

// Fields cross to the edge and back as one text, a name and a value in turns, each on a line of its own.
class Headers {
  #text; // as they came; undefined once they were changed or made here
  #known; // Map of lower name -> [name, ...values]; made of the text when one is asked for. The lists are never changed.
  #isShared = false; // another object has the same Map
  #isImmutable = false;
  constructor(init = undefined) {
    if (init instanceof Headers) {
      this.#text = init.#text;
      this.#known = init.#known;
      this.#isShared = init.#isShared = true;
      return;
    }
    this.#known = new Map();
    if (init === undefined || init === null) return;
    if (typeof init !== "object") throw new TypeError("Headers are made of an object or of [name, value] pairs.");
    if (typeof init[Symbol.iterator] === "function") {
      for (const pair of init) {
        const items = [...pair];
        if (items.length !== 2) throw new TypeError("Each item of a sequence of headers has a name and a value.");
        this.append(items[0], items[1]);
      }
    } else {
      for (const name of Object.keys(init)) this.append(name, init[name]);
    }
  }
  static _of(text, isImmutable) {
    const made = new Headers();
    made.#text = text;
    made.#known = undefined;
    made.#isImmutable = isImmutable;
    return made;
  }
  _text() {
    if (this.#text !== undefined) return this.#text;
    const lines = [];
    for (const field of this.#known.values()) {
      for (let at = 1; at < field.length; at++) lines.push(field[0], field[at]);
    }
    return lines.join("\n");
  }
  get #fields() { return (this.#known ??= this.#parse()); }
  #parse() {
    const fields = new Map();
    this.#isShared = false;
    if (this.#text === "") return fields;
    const lines = this.#text.split("\n");
    for (let at = 0; at < lines.length; at += 2) {
      const name = lines[at], key = lowered.get(name) ?? name.toLowerCase();
      const field = fields.get(key);
      if (field === undefined) fields.set(key, [name, lines[at + 1]]);
      else field.push(lines[at + 1]);
    }
    return fields;
  }
  #change() {
    if (this.#isImmutable) throw new TypeError(IMMUTABLE);
    const fields = this.#fields;
    this.#text = undefined;
    if (!this.#isShared) return fields;
    this.#isShared = false;
    return (this.#known = new Map(fields));
  }
  append(name, value) {
    const key = lower(name), text = checkValue(name, value), fields = this.#change();
    const field = fields.get(key);
    fields.set(key, field === undefined ? [String(name), text] : [...field, text]);
  }
  set(name, value) {
    const key = lower(name), text = checkValue(name, value);
    this.#change().set(key, [String(name), text]);
  }
  delete(name) {
    const key = lower(name);
    this.#change().delete(key);
  }
  get(name) {
    const field = this.#fields.get(lower(name));
    return field === undefined ? null : field.length === 2 ? field[1] : field.slice(1).join(", ");
  }
  getAll(name) {
    if (String(name).toLowerCase() !== "set-cookie") {
      throw new TypeError('getAll() can only be used with the header name "Set-Cookie".');
    }
    return this.getSetCookie();
  }
  getSetCookie() { return this.#fields.get("set-cookie")?.slice(1) ?? []; }
  has(name) { return this.#fields.has(lower(name)); }
  forEach(callback, self = undefined) {
    for (const [name, value] of this) callback.call(self, value, name, this);
  }
  *entries() {
    for (const key of [...this.#fields.keys()].sort()) {
      const values = this.#fields.get(key)?.slice(1) ?? [];
      if (key === "set-cookie") for (const value of values) yield [key, value];
      else if (values.length > 0) yield [key, values.join(", ")];
    }
  }
  *keys() { for (const [name] of this.entries()) yield name; }
  *values() { for (const [, value] of this.entries()) yield value; }
  [Symbol.iterator]() { return this.entries(); }
}
tag(Headers, "Headers");
define({ Headers });
