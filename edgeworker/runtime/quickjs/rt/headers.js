// Headers. Source: https://fetch.spec.whatwg.org/#headers-class; values are UTF-8 text, as the Workers runtime has them.
import { define, host, tag } from "edgeworker:host";

const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const LONG = 200;
const IMMUTABLE = "Can't modify immutable headers.";

const MAKE = Symbol("make"); // an object whose parts are set afterwards

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
  // A long text is searched faster by the edge.
  if (text.length > LONG ? host.breaks_line(text) : text.includes("\n") || text.includes("\r") || text.includes("\0")) {
    throw new TypeError(`Invalid value of header "${name}": it holds CR, LF or NUL.`);
  }
  return text;
}

// Fields cross to the edge and back as one text, a name and a value in turns, each on a line of its own.
class Headers {
  #text; // as they came; undefined once they were changed or made here
  #lines; // the lines of the text; made of it when a field is asked for
  #keys; // the lower-case name of each field, as #lines
  #isShared = false; // another object has the same lists
  #isImmutable = false;
  constructor(init = undefined) {
    if (init === MAKE) return;
    if (init instanceof Headers) {
      this.#text = init.#text;
      this.#lines = init.#lines;
      this.#keys = init.#keys;
      this.#isShared = init.#isShared = true;
      return;
    }
    this.#lines = [];
    this.#keys = [];
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
    const made = new Headers(MAKE);
    made.#text = text;
    made.#isImmutable = isImmutable;
    return made;
  }
  _text() { return (this.#text ??= this.#lines.join("\n")); }
  #open() {
    if (this.#keys !== undefined) return this.#keys;
    const lines = this.#text === "" ? [] : this.#text.split("\n"), keys = [];
    for (let at = 0; at < lines.length; at += 2) keys.push(lowered.get(lines[at]) ?? lines[at].toLowerCase());
    this.#isShared = false;
    this.#lines = lines;
    return (this.#keys = keys);
  }
  #change() {
    if (this.#isImmutable) throw new TypeError(IMMUTABLE);
    this.#open();
    this.#text = undefined;
    if (!this.#isShared) return this.#keys;
    this.#isShared = false;
    this.#lines = this.#lines.slice();
    return (this.#keys = this.#keys.slice());
  }
  #remove(key, from) {
    for (let at = this.#keys.indexOf(key, from); at >= 0; at = this.#keys.indexOf(key, at)) {
      this.#keys.splice(at, 1);
      this.#lines.splice(2 * at, 2);
    }
  }
  // Those of one name, joined; null for none.
  #join(key) {
    const keys = this.#open(), first = keys.indexOf(key);
    if (first < 0) return null;
    let text = this.#lines[2 * first + 1];
    for (let at = keys.indexOf(key, first + 1); at >= 0; at = keys.indexOf(key, at + 1)) text += `, ${this.#lines[2 * at + 1]}`;
    return text;
  }
  append(name, value) {
    const key = lower(name), text = checkValue(name, value);
    this.#change().push(key);
    this.#lines.push(String(name), text);
  }
  set(name, value) {
    const key = lower(name), text = checkValue(name, value);
    const keys = this.#change(), at = keys.indexOf(key);
    if (at < 0) {
      keys.push(key);
      this.#lines.push(String(name), text);
      return;
    }
    this.#lines[2 * at] = String(name);
    this.#lines[2 * at + 1] = text;
    this.#remove(key, at + 1);
  }
  delete(name) {
    const key = lower(name);
    this.#change();
    this.#remove(key, 0);
  }
  get(name) { return this.#join(lower(name)); }
  getAll(name) {
    if (String(name).toLowerCase() !== "set-cookie") {
      throw new TypeError('getAll() can only be used with the header name "Set-Cookie".');
    }
    return this.getSetCookie();
  }
  getSetCookie() { return this.#open().flatMap((key, at) => (key === "set-cookie" ? [this.#lines[2 * at + 1]] : [])); }
  has(name) { return this.#open().includes(lower(name)); }
  forEach(callback, self = undefined) {
    for (const [name, value] of this) callback.call(self, value, name, this);
  }
  *entries() {
    for (const key of [...new Set(this.#open())].sort()) {
      if (key === "set-cookie") for (const value of this.getSetCookie()) yield [key, value];
      else {
        const value = this.#join(key);
        if (value !== null) yield [key, value];
      }
    }
  }
  *keys() { for (const [name] of this.entries()) yield name; }
  *values() { for (const [, value] of this.entries()) yield value; }
  [Symbol.iterator]() { return this.entries(); }
}
tag(Headers, "Headers");
define({ Headers });
