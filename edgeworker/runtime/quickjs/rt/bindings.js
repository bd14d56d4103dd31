// What stands behind the names of `env`, and the Cache API.
import { ask, bufferOf, bytesOf, define, host, tag } from "edgeworker:host";
import { asBytes } from "edgeworker:body";
import { concat } from "edgeworker:blob";
import { describeResponse, fetchFrom, receive } from "edgeworker:fetch";
import { encode as utf8 } from "edgeworker:text";
import { decode, encode } from "edgeworker:values";

const TYPES = 'Unknown response type. Possible types are "text", "arrayBuffer", "json", and "stream".';
const VALUES = "KV put() accepts only strings, ArrayBuffers, ArrayBufferViews, and ReadableStreams as values.";
const RANGE = "Value out of range. Must be between -2147483648 and 2147483647 (inclusive).";

const missing = (method, kind, name = "KvNamespace", position = 1) =>
  new TypeError(`Failed to execute '${method}' on '${name}': parameter ${position} is not of type '${kind}'.`);

// An int of workerd's interfaces.
function whole(value) {
  if (value === undefined || value === null) return null;
  const number = Math.trunc(Number(value));
  if (!Number.isFinite(number)) return 0;
  if (!(number >= -(2 ** 31) && number < 2 ** 31)) throw new TypeError(RANGE);
  return number;
}
function struct(options, method, kind, position) {
  if (options === undefined || options === null) return {};
  if (typeof options !== "object" && typeof options !== "function") throw missing(method, kind, "KvNamespace", position);
  return options;
}

const textOf = (bytes) => host.decode("utf-8", false, bufferOf(bytes));  // with its byte order mark

function value(bytes, type) {
  switch (type) {
    case "text": return textOf(bytes);
    case "json": return JSON.parse(textOf(bytes));
    case "arrayBuffer": return bufferOf(bytes);
    case "stream": return new Response(bytes).body;
    default: throw new TypeError(TYPES);
  }
}

class KvNamespace {
  #name;
  constructor(name) { this.#name = name; }
  #ask(method, told, buffer = null) { return ask("kv", JSON.stringify({ ...told, name: this.#name, method }), buffer); }
  #options(options) {
    const given = options === undefined || options === null ? {} : typeof options === "object" ? options : { type: String(options) };
    return { type: String(given.type ?? "text"), cacheTtl: whole(given.cacheTtl) };
  }
  async #many(keys, options, withMetadata) {
    const { type, cacheTtl } = this.#options(options);
    if (type !== "text" && type !== "json") {
      throw new Error(`KV GET_BULK failed: 400 "${type}" is not a valid type. Use "json" or "text"`);
    }
    const found = JSON.parse(await this.#ask("get_many", { keys: keys.map(String), cacheTtl }));
    return new Map(found.map(([key, entry]) => {
      if (entry === null) return [key, null];
      let read = entry.value;
      try {
        if (type === "json") read = JSON.parse(read);
      } catch {
        throw new Error("KV GET_BULK failed: 400 At least one of the requested keys corresponds to a non-json value");
      }
      return [key, withMetadata ? { value: read, metadata: entry.metadata } : read];
    }));
  }
  async get(key, options = undefined) {
    if (arguments.length === 0) throw missing("get", "string or Array");
    if (Array.isArray(key)) return this.#many(key, options, false);
    const { type, cacheTtl } = this.#options(options);
    const at = String(key);
    // What takes no waiting is answered at once: null, the text, or true where it has to be waited for.
    const near = type === "text" || type === "json" ? host.kv_peek(this.#name, at, cacheTtl) : true;
    if (near !== true) return near === null || type === "text" ? near : JSON.parse(near);
    const found = await this.#ask("get", { key: at, cacheTtl });
    return found === "" ? null : value(new Uint8Array(found.buffer), type);
  }
  async getWithMetadata(key, options = undefined) {
    if (arguments.length === 0) throw missing("getWithMetadata", "Array or string");
    if (Array.isArray(key)) return this.#many(key, options, true);
    const { type, cacheTtl } = this.#options(options);
    const found = await this.#ask("get", { key: String(key), cacheTtl });
    if (found === "") return { value: null, metadata: null, cacheStatus: null };
    const read = value(new Uint8Array(found.buffer), type);
    return { value: read, metadata: JSON.parse(found.text), cacheStatus: null };
  }
  async put(key, content, given = undefined) {
    if (arguments.length === 0) throw missing("put", "string");
    if (arguments.length === 1) throw missing("put", "string or JsObject", "KvNamespace", 2);
    const { expiration, expirationTtl, metadata } = struct(given, "put", "PutOptions", 3);
    const told = { key: String(key), expiration: whole(expiration), expirationTtl: whole(expirationTtl), metadata: metadata ?? null };
    let bytes = bytesOf(content);
    if (bytes === undefined && content instanceof ReadableStream) {
      const pieces = [];
      for await (const piece of content) pieces.push(asBytes(piece));
      bytes = concat(pieces);
    } else if (bytes === undefined && typeof content === "object" && content !== null) {
      await this.#ask("check", told);  // the key and the options are looked at first
      throw new TypeError(VALUES);
    } else if (bytes === undefined) bytes = utf8(content);
    await this.#ask("put", told, bufferOf(bytes));
  }
  async delete(key) {
    if (arguments.length === 0) throw missing("delete", "string");
    if (Array.isArray(key)) {
      for (const one of key) await this.delete(one);
    } else await this.#ask("delete", { key: String(key) });
  }
  async list(given = undefined) {
    const { prefix, limit, cursor } = struct(given, "list", "ListOptions", 1);
    const count = whole(limit);
    const told = { prefix: String(prefix ?? ""), limit: count !== null && count > 0 ? count : null, cursor: cursor ? String(cursor) : null };
    return JSON.parse(await this.#ask("list", told));
  }
}

async function invoke(operation, name, method, values) {
  const text = await ask(operation, JSON.stringify({ name, method, values: values.map((item) => encode(item)) }));
  return decode(JSON.parse(text));
}

// An own `fetch` and any other name as a method, which is asked of the other worker.
function service(name) {
  const target = JSON.stringify(name);
  const fetch = (input, init) => fetchFrom(target, input, init);
  return new Proxy({}, {
    get(_, method) {
      if (method === "fetch") return fetch;
      if (typeof method !== "string" || method === "then" || method === "toJSON") return undefined;
      return (...values) => invoke("call", name, method, values);
    },
  });
}

// One of the worker's own entrypoints: `ctx.exports.Name`; called with { props } it is one that has them.
export function ownEntrypoint(name, props = {}) {
  const own = { own: name, props: encode(props) };
  const target = JSON.stringify(own);
  const fetch = (input, init) => fetchFrom(target, input, init);
  return new Proxy(function entrypoint() {}, {
    apply: (_target, _self, [options]) => ownEntrypoint(name, options?.props ?? {}),
    get(target, method) {
      if (method === "fetch") return fetch;
      if (typeof method !== "string" || method === "prototype") return target[method];
      if (method === "then" || method === "toJSON") return undefined;
      return (...values) => invoke("call", own, method, values);
    },
  });
}

function methods(name, names, withoutAnswer) {
  const made = {};
  for (const method of names) {
    made[method] = withoutAnswer.includes(method)
      ? (...values) => void invoke("method", name, method, values).catch((error) => console.error(`${method}(): ${error.message}`))
      : (...values) => invoke("method", name, method, values);
  }
  return made;
}

function unsupported(name, kind) {
  const refuse = (method) => {
    throw new Error(`env.${name} is a ${kind}, which edgeworker does not emulate (.${method}()).`);
  };
  return new Proxy({}, {
    get(_, method) {
      return typeof method !== "string" || method === "then" || method === "toJSON" ? undefined : () => refuse(method);
    },
  });
}

export function makeBinding(name, told) {
  switch (told.form) {
    case "value": return told.value;
    case "kv": return new KvNamespace(name);
    case "service": return service(name);
    case "fetcher": return { fetch: (input, init) => fetchFrom(JSON.stringify(name), input, init) };
    case "methods": return methods(name, told.methods, told.withoutAnswer);
    default: return unsupported(name, told.kind);
  }
}

class Cache {
  #name;
  constructor(name) { this.#name = name; }
  #ask(method, request, options, response, buffer = null) {
    const asked = request instanceof Request ? request : new Request(request);
    const { url, method: verb, headers } = asked;
    const told = { name: this.#name, method, request: { url, method: verb, headers: headers._text() }, ignoreMethod: Boolean(options?.ignoreMethod), response };
    return ask("cache", JSON.stringify(told), buffer);
  }
  async match(request, options = {}) {
    const found = await this.#ask("match", request, options);
    if (found === "") return undefined;
    const isText = typeof found === "string";
    const { status, statusText, headers, url, body } = JSON.parse(isText ? found : found.text);
    return receive(status, statusText, headers, url, false, body, isText ? null : found.buffer, null);
  }
  async put(request, response) {
    if (!(response instanceof Response)) throw missing("put", "Response", "Cache", 2);
    if (response.bodyUsed) throw new TypeError("Body has already been used. It can only be used once. Use tee() first if you need to read it twice.");
    const [status, statusText, headers, automatic, body, , buffer] = describeResponse(response);
    await this.#ask("put", request, {}, { status, statusText, headers, automatic, body }, buffer);
  }
  async delete(request, options = {}) { return JSON.parse(await this.#ask("delete", request, options)); }
}

class CacheStorage {
  default = new Cache("");
  async open(name) { return new Cache(`name:${name}`); }
}
// Cloudflare's has neither.
for (const [holder, names] of [[Cache, ["add", "addAll", "keys", "matchAll"]], [CacheStorage, ["delete", "has", "keys", "match"]]]) {
  for (const name of names) {
    const text = `Failed to execute '${name}' on '${holder.name}': the method is not implemented.`;
    Object.defineProperty(holder.prototype, name, { value: { [name]() { throw new Error(text); } }[name], writable: true, configurable: true });
  }
}
tag(Cache, "Cache");
tag(CacheStorage, "CacheStorage");

define({ Cache, CacheStorage, caches: new CacheStorage() });
