// Headers. Source: https://fetch.spec.whatwg.org/#headers-class; values are UTF-8 text, as the Workers runtime has them.
import { define, tag } from "edgeworker:host";

const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const IMMUTABLE = "Can't modify immutable headers.";

function checkName(name) {
  const text = String(name);
  if (!NAME.test(text)) throw new TypeError(`Invalid header name: ${text.slice(0, 100)}`);
  return text;
}

function checkValue(name, value) {
  const text = String(value).toWellFormed().replace(/^[\t\n\r ]+|[\t\n\r ]+$/g, "");
  if (/[\0\r\n]/.test(text)) throw new TypeError(`Invalid value of header "${name}": it holds CR, LF or NUL.`);
  return text;
}

class Headers {
  #fields = new Map(); // lower name -> [name, values]
  #isImmutable = false;
  constructor(init = undefined) {
    if (init === undefined || init === null) return;
    if (typeof init !== "object") throw new TypeError("Headers are made of an object or of [name, value] pairs.");
    if (init instanceof Headers) {
      for (const [key, [name, values]] of init.#fields) this.#fields.set(key, [name, [...values]]);
    } else if (typeof init[Symbol.iterator] === "function") {
      for (const pair of init) {
        const items = [...pair];
        if (items.length !== 2) throw new TypeError("Each item of a sequence of headers has a name and a value.");
        this.append(items[0], items[1]);
      }
    } else {
      for (const name of Object.keys(init)) this.append(name, init[name]);
    }
  }
  static _of(pairs, isImmutable) {
    const made = new Headers();
    for (const [name, value] of pairs) {
      const key = name.toLowerCase();
      const field = made.#fields.get(key);
      if (field === undefined) made.#fields.set(key, [name, [value]]);
      else field[1].push(value);
    }
    made.#isImmutable = isImmutable;
    return made;
  }
  _pairs() {
    const pairs = [];
    for (const [name, values] of this.#fields.values()) for (const value of values) pairs.push([name, value]);
    return pairs;
  }
  #change() {
    if (this.#isImmutable) throw new TypeError(IMMUTABLE);
  }
  append(name, value) {
    const checked = checkName(name), text = checkValue(checked, value);
    this.#change();
    const field = this.#fields.get(checked.toLowerCase());
    if (field === undefined) this.#fields.set(checked.toLowerCase(), [checked, [text]]);
    else field[1].push(text);
  }
  set(name, value) {
    const checked = checkName(name), text = checkValue(checked, value);
    this.#change();
    this.#fields.set(checked.toLowerCase(), [checked, [text]]);
  }
  delete(name) {
    const checked = checkName(name);
    this.#change();
    this.#fields.delete(checked.toLowerCase());
  }
  get(name) {
    const field = this.#fields.get(checkName(name).toLowerCase());
    return field === undefined ? null : field[1].join(", ");
  }
  getAll(name) {
    if (String(name).toLowerCase() !== "set-cookie") {
      throw new TypeError('getAll() can only be used with the header name "Set-Cookie".');
    }
    return this.getSetCookie();
  }
  getSetCookie() { return [...(this.#fields.get("set-cookie")?.[1] ?? [])]; }
  has(name) { return this.#fields.has(checkName(name).toLowerCase()); }
  forEach(callback, self = undefined) {
    for (const [name, value] of this) callback.call(self, value, name, this);
  }
  *entries() {
    for (const key of [...this.#fields.keys()].sort()) {
      const values = this.#fields.get(key)?.[1] ?? [];
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
