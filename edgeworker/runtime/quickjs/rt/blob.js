// Blob, File, FormData. Sources: https://w3c.github.io/FileAPI/, https://xhr.spec.whatwg.org/#interface-formdata
import { bytesOf, call, define, host, tag } from "edgeworker:host";
import { decodeBody, encode } from "edgeworker:text";
import { decode } from "edgeworker:values";

function concat(parts) {
  const made = new Uint8Array(parts.reduce((size, part) => size + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    made.set(part, at);
    at += part.byteLength;
  }
  return made;
}

class Blob {
  #bytes;
  #type;
  constructor(parts = [], options = {}) {
    if (parts === null || typeof parts !== "object" || typeof parts[Symbol.iterator] !== "function") {
      throw new TypeError("Blob takes a sequence of parts.");
    }
    this.#bytes = concat([...parts].map((part) => (part instanceof Blob ? part.#bytes : (bytesOf(part) ?? encode(part)))));
    const type = String(options?.type ?? "");
    this.#type = /^[\x20-\x7e]*$/.test(type) ? type.toLowerCase() : "";
  }
  get size() { return this.#bytes.byteLength; }
  get type() { return this.#type; }
  get _bytes() { return this.#bytes; }
  async arrayBuffer() { return this.#bytes.slice().buffer; }
  async bytes() { return this.#bytes.slice(); }
  async text() { return decodeBody(this.#bytes); }
  slice(start = 0, end = this.size, type = "") { return new Blob([this.#bytes.slice(start, end)], { type }); }
  stream() {
    const bytes = this.#bytes;
    return new ReadableStream({
      type: "bytes",
      start(controller) {
        if (bytes.byteLength > 0) controller.enqueue(bytes.slice());
        controller.close();
      },
    });
  }
}
tag(Blob, "Blob");

class File extends Blob {
  constructor(parts, name, options = {}) {
    super(parts, options);
    this.name = String(name);
    this.lastModified = options?.lastModified ?? Date.now();
  }
}
tag(File, "File");

class FormData {
  #fields = [];
  static _parse(bytes, type) {
    const made = new FormData();
    for (const [name, value] of call("form_parse", type, bytes)) {
      const isText = typeof value === "string";
      made.#fields.push([name, isText ? value : new File([decode(value.content)], value.name, { type: value.type })]);
    }
    return made;
  }
  #value(value, filename) {
    if (!(value instanceof Blob)) return String(value).toWellFormed();
    if (value instanceof File && filename === undefined) return value;
    return new File([value], filename ?? "blob", { type: value.type });
  }
  append(name, value, filename) { this.#fields.push([String(name).toWellFormed(), this.#value(value, filename)]); }
  set(name, value, filename) {
    const field = [String(name).toWellFormed(), this.#value(value, filename)];
    const at = this.#fields.findIndex(([one]) => one === field[0]);
    if (at < 0) this.#fields.push(field);
    else this.#fields = this.#fields.flatMap((one, index) => (index === at ? [field] : one[0] === field[0] ? [] : [one]));
  }
  delete(name) { this.#fields = this.#fields.filter(([one]) => one !== String(name)); }
  get(name) { return this.#fields.find(([one]) => one === String(name))?.[1] ?? null; }
  getAll(name) { return this.#fields.filter(([one]) => one === String(name)).map(([, value]) => value); }
  has(name) { return this.#fields.some(([one]) => one === String(name)); }
  forEach(callback, self) { for (const [name, value] of this) callback.call(self, value, name, this); }
  *entries() { for (let at = 0; at < this.#fields.length; at++) yield [...this.#fields[at]]; }
  *keys() { for (const [name] of this.entries()) yield name; }
  *values() { for (const [, value] of this.entries()) yield value; }
  [Symbol.iterator]() { return this.entries(); }
  _encode() {
    const boundary = `----edgeworker${crypto.randomUUID().replaceAll("-", "")}`;
    const escape = (text) => text.replaceAll("\r", "%0D").replaceAll("\n", "%0A").replaceAll('"', "%22");
    const parts = [];
    for (const [name, value] of this.#fields) {
      const head = `--${boundary}\r\nContent-Disposition: form-data; name="${escape(name)}"`;
      if (typeof value === "string") parts.push(encode(`${head}\r\n\r\n${value}\r\n`));
      else {
        const type = value.type || "application/octet-stream";
        parts.push(encode(`${head}; filename="${escape(value.name)}"\r\nContent-Type: ${type}\r\n\r\n`), value._bytes, encode("\r\n"));
      }
    }
    parts.push(encode(`--${boundary}--\r\n`));
    return { bytes: concat(parts), type: `multipart/form-data; boundary=${boundary}` };
  }
}
tag(FormData, "FormData");

define({ Blob, File, FormData });
export { concat };
