// Values of KV that are kept from one request to the next, while the edge says that nothing was written.
// A request gets what is kept only as the first that it asks, within a moment after it came: until then nothing can have
// told it of a later write. All other reads go to the edge.
const FRESH_MS = 10;
const MAX_KEYS = 1000;
const MAX_CHARACTERS = 1024 * 1024;
const MAX_VALUE_CHARACTERS = 8 * 1024;

const now = Date.now; // of the last input or output; the script may replace it
const running = new Set(); // the rays of requests that the edge has sent
const kept = new Map(); // by namespace, then by key
let keeps = false;
let generation = 0;
let keys = 0;
let characters = 0;

// By word of the edge: what was read before is out of date, and what is read from now on may be kept or not.
export function keepReads(isAllowed) {
  forget();
  keeps = isAllowed;
}

function forget() {
  generation++;
  kept.clear();
  keys = characters = 0;
}

function keep(namespace, key, value) {
  if (value.length > MAX_VALUE_CHARACTERS) return;
  if (keys >= MAX_KEYS || characters + key.length + value.length > MAX_CHARACTERS) forget();
  if (!kept.has(namespace)) kept.set(namespace, new Map());
  kept.get(namespace).set(key, value);
  keys++;
  characters += key.length + value.length;
}

// Whether a request comes from the edge, which has told of all writes before it: a worker that calls itself
// (`ctx.exports`) passes on the ray that it has.
export function beginReads(invocation) {
  if (invocation.ray === "" || running.has(invocation.ray)) return;
  running.add(invocation.ray);
  invocation.readsFreshUntil = now() + FRESH_MS;
}

export function endReads(invocation) {
  if (invocation.readsFreshUntil === undefined) return;
  invocation.readsFreshUntil = 0;
  running.delete(invocation.ray);
}

// It asks something else, which may write and tell it so.
export function endFreshness(invocation) {
  if (invocation?.readsFreshUntil !== undefined) invocation.readsFreshUntil = 0;
}

// `getInvocation` is the one that runs.
export function keepReadsOf(env, getInvocation) {
  const namespace = Object.values(env).find((value) => value?.constructor?.name === "KvNamespace");
  if (namespace === undefined) return;
  const prototype = Object.getPrototypeOf(namespace);
  const { get, put, delete: remove } = prototype;
  const write = (work) => {
    forget();
    endFreshness(getInvocation());
    return work.finally(forget);
  };
  Object.assign(prototype, {
    get(...values) {
      const [key, options] = values;
      if (!keeps || typeof key !== "string" || (options !== undefined && options !== "text")) return get.apply(this, values);
      if (getInvocation()?.readsFreshUntil >= now()) {
        const value = kept.get(this)?.get(key);
        if (value !== undefined) return Promise.resolve(value);
      }
      const begun = generation;
      return get.apply(this, values).then((value) => {
        if (begun === generation && typeof value === "string") keep(this, key, value);
        return value;
      });
    },
    put(...values) {
      return write(put.apply(this, values));
    },
    delete(...values) {
      return write(remove.apply(this, values));
    },
  });
}
