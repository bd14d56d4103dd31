// The service behind the binding ATOMIC, for Cloudflare: what a script must do exactly once.
//
// KV cannot do it: two readers of a KV key may both see it before either has deleted it. Here each key is a Durable
// Object of its own. A Durable Object takes no other call while it waits for its storage, so what happens between
// reading and writing cannot be interrupted.
//
// edgeworker answers a binding to this service itself (edgeworker/state/atoms.py); both are held to the same cases.
import { DurableObject, WorkerEntrypoint } from "cloudflare:workers";

const MAX_KEY_BYTES = 512;
const MAX_VALUE_BYTES = 65536;
const MAX_TTL_SECONDS = 31536000;

export class Atom extends DurableObject {
  async get() {
    const entry = await this.#entry();
    return entry === null ? null : entry.value;
  }

  async putIfAbsent(value, ttlSeconds) {
    if ((await this.#entry()) !== null) return false;
    await this.#put(value, ttlSeconds);
    return true;
  }

  async compareAndPut(expected, value, ttlSeconds) {
    const entry = await this.#entry();
    if (entry === null || entry.value !== expected) return false;
    await this.#put(value, ttlSeconds);
    return true;
  }

  async take() {
    const entry = await this.#entry();
    await this.#forget();
    return entry === null ? null : entry.value;
  }

  async alarm() {
    if ((await this.#entry()) === null) await this.#forget();
  }

  async #entry() {
    const entry = await this.ctx.storage.get("entry");
    return entry === undefined || entry.expiresAt <= Date.now() ? null : entry;
  }

  async #put(value, ttlSeconds) {
    const expiresAt = Date.now() + ttlSeconds * 1000;
    await this.ctx.storage.put("entry", { value, expiresAt });
    await this.ctx.storage.setAlarm(expiresAt);
  }

  async #forget() {
    await this.ctx.storage.deleteAlarm();
    await this.ctx.storage.deleteAll();
  }
}

// The method names are Python's, because Python scripts call them.
export default class Atomic extends WorkerEntrypoint {
  async get(key) {
    return this.#atom(key).get();
  }

  async put_if_absent(key, value, ttlSeconds) {
    const atom = this.#atom(key);
    return atom.putIfAbsent(text("value", value), ttl(ttlSeconds));
  }

  async compare_and_put(key, expected, value, ttlSeconds) {
    const atom = this.#atom(key);
    return atom.compareAndPut(text("expected", expected), text("value", value), ttl(ttlSeconds));
  }

  async take(key) {
    return this.#atom(key).take();
  }

  #atom(key) {
    if (typeof key !== "string") throw new TypeError("key must be a text");
    const size = bytes(key);
    if (size === 0 || size > MAX_KEY_BYTES) {
      throw new RangeError(`key must have 1 to ${MAX_KEY_BYTES} bytes of UTF-8, not ${size}`);
    }
    // Scripts that share this service keep apart by `props = { space = "..." }` of their bindings.
    const space = this.ctx.props?.space ?? "";
    return this.env.ATOMS.get(this.env.ATOMS.idFromName(JSON.stringify([space, key])));
  }
}

function text(name, value) {
  if (typeof value !== "string") throw new TypeError(`${name} must be a text`);
  const size = bytes(value);
  if (size > MAX_VALUE_BYTES) throw new RangeError(`${name} must have at most ${MAX_VALUE_BYTES} bytes of UTF-8, not ${size}`);
  return value;
}

// Python's keyword arguments arrive as one object behind the others.
function ttl(given) {
  const seconds = typeof given === "object" && given !== null ? given.ttl_seconds : given;
  if (!Number.isInteger(seconds)) throw new TypeError("ttl_seconds must be a whole number");
  if (seconds < 1 || seconds > MAX_TTL_SECONDS) {
    throw new RangeError(`ttl_seconds must be from 1 to ${MAX_TTL_SECONDS}, not ${seconds}`);
  }
  return seconds;
}

function bytes(value) {
  return new TextEncoder().encode(value).length;
}
