// Names that the Workers runtime has besides.
import { fetchFrom } from "edgeworker:fetch";
import { currentInvocation, define, host, tag } from "edgeworker:host";
import "edgeworker:disposable";
import "edgeworker:event_source";
import { setConnect } from "edgeworker:websocket";

setConnect((url, init) => fetchFrom(null, url, init));

class Navigator {
  get userAgent() { return "Cloudflare-Workers"; }
  get hardwareConcurrency() { return 1; }
  get language() { return "en"; }
  get languages() { return ["en"]; }
  get platform() { return ""; }
  sendBeacon(url, body = undefined) {
    fetch(url, { method: "POST", body }).then((response) => response.body?.cancel()).catch(() => {});
    return true;
  }
}
tag(Navigator, "Navigator");
class WorkerGlobalScope extends EventTarget {}
class ServiceWorkerGlobalScope extends WorkerGlobalScope {}
tag(ServiceWorkerGlobalScope, "ServiceWorkerGlobalScope");
Object.setPrototypeOf(globalThis, ServiceWorkerGlobalScope.prototype);
delete globalThis[Symbol.toStringTag];
delete globalThis.InternalError; // QuickJS's own
delete Set.groupBy;
define({
  self: globalThis,
  origin: "null",
  Navigator,
  navigator: new Navigator(),
  WorkerGlobalScope,
  ServiceWorkerGlobalScope,
  scheduler: { wait: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)) },
  reportError(error) {
    const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    const event = new ErrorEvent("error", { message: `Uncaught ${text}`, error, cancelable: true });
    if (globalEvents.dispatchEvent(event)) console.error("Uncaught", error);
  },
  dispatchEvent: (event) => globalEvents.dispatchEvent(event),
});

// Listeners of the global scope, but for those of a service worker's handlers.
export const globalEvents = new EventTarget();

const warned = new Set();
function warnOnce(what) {
  if (warned.has(what)) return;
  warned.add(what);
  console.warn(`The embedded JavaScript engine has no ${what}. If the worker needs it, run it in workerd: npm install --save-dev wrangler in the project, or javascript.engine = "workerd"`);
}

// `typeof WebAssembly` is "undefined", so that code with another way takes it; the log says so once.
Object.defineProperty(globalThis, "WebAssembly", { get: () => warnOnce("WebAssembly"), set: (value) => define({ WebAssembly: value }), configurable: true, enumerable: false });

// Code is not made of texts, but while modules are loaded.
const FORBIDDEN = "Code generation from strings disallowed for this context";
function checkLoading() {
  if (currentInvocation() !== 0) throw new EvalError(FORBIDDEN);
}
for (const example of [function () {}, async function () {}, function* () {}, async function* () {}]) {
  const prototype = Object.getPrototypeOf(example);
  const native = prototype.constructor;
  const made = function (...values) {
    checkLoading();
    return Reflect.construct(native, values, new.target ?? made);
  };
  Object.setPrototypeOf(made, native);
  Object.defineProperty(made, "name", { value: native.name, configurable: true });
  Object.defineProperty(made, "length", { value: 1, configurable: true });
  Object.defineProperty(made, "prototype", { value: prototype, writable: false });
  Object.defineProperty(prototype, "constructor", { value: made, writable: true, configurable: true });
  if (native === Function) define({ Function: made });
}
const evaluate = globalThis.eval;
define({
  eval(text) {
    if (typeof text !== "string") return text;
    checkLoading();
    return evaluate(text);
  },
});

Array.fromAsync ??= async function fromAsync(items, map, self) {
  const made = typeof this === "function" ? new this() : [];
  let at = 0;
  const add = async (item) => {
    made[at] = map === undefined ? item : await map.call(self, item, at);
    at++;
  };
  if (items[Symbol.asyncIterator] !== undefined || items[Symbol.iterator] !== undefined) for await (const item of items) await add(item);
  else for (let index = 0; index < Number(items.length); index++) await add(await items[index]);
  made.length = at;
  return made;
};

// What JSON.parse() says of a text that is not JSON are V8's words: the edge has them.
const { parse } = JSON;
JSON.parse = (text, reviver) => {
  const given = `${text}`;
  let value;
  try {
    value = parse(given);
  } catch (error) {
    throw new SyntaxError(host.json_error(given) || error.message);
  }
  return reviver === undefined ? value : parse(given, reviver);
};
