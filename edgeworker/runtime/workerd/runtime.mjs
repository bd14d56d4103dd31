// Runs before the worker's own modules in a workerd child: fetch() says which invocation it belongs to, console says
// which worker it is, and handlers are run so that the edge learns of exceptions and of waitUntil().
import { AsyncLocalStorage } from "node:async_hooks";
import { beginReads, endFreshness, endReads, keepReadsOf } from "./edgeworker-kept-reads.mjs";

const INVOCATION = "ew-invocation";
const FAILURE = "ew-failure";
const PENDING = "ew-pending";
const THROWS = "ew-throws";
const AUDIENCE = "ew-access";

const invocations = new AsyncLocalStorage();
const networkFetch = globalThis.fetch;
let control;
let name = "worker";

// The binding is ours: the script does not find it in its env.
export function configure(workerName, env) {
  name = workerName;
  if (env.__edgeworker_control === undefined) return;
  control = env.__edgeworker_control;
  delete env.__edgeworker_control;
  keepReadsOf(env, () => invocations.getStore());
}

// For the modules behind bindings, which are loaded apart from this one.
Object.defineProperty(globalThis, Symbol.for("edgeworker.invocation"), { value: () => {
  const invocation = invocations.getStore();
  endFreshness(invocation);
  return invocation?.ray ?? "";
} });

// A copy of a request costs as much as all else here, so the field is lent to the script's own request while fetch() reads
// it. What the script was sent cannot be changed, and gets a copy.
const headersOf = Object.getOwnPropertyDescriptor(Request.prototype, "headers")?.get;

globalThis.fetch = async function fetch(input, init) {
  const invocation = invocations.getStore();
  const ray = invocation?.ray ?? "";
  endFreshness(invocation);
  let sent;
  if (headersOf !== undefined && init === undefined && input instanceof Request && input !== invocation?.request) {
    const headers = headersOf.call(input);
    if (setField(headers, ray)) {
      sent = networkFetch(input);
      headers.delete(INVOCATION);
    }
  }
  if (sent === undefined) {
    const request = new Request(input, init);
    request.headers.set(INVOCATION, ray);
    sent = networkFetch(request);
  }
  const response = await sent;
  const thrown = response.status === 502 ? response.headers.get(THROWS) : null;
  if (thrown !== null) throw new Error(decodeURIComponent(thrown));
  return response;
};

function setField(headers, ray) {
  try {
    headers.set(INVOCATION, ray);
    return true;
  } catch {
    return false; // a copy of what the script was sent, which cannot be changed either
  }
}

// new WebSocket(url) is a fetch() of its invocation. The script gets an end of a pair whose other end follows the connection.
const SCHEME = /^ws(s?):/;
globalThis.WebSocket = new Proxy(globalThis.WebSocket, {
  construct(native, values, newTarget) {
    const given = String(values[0]);
    const listed = values[1] === undefined ? [] : Array.isArray(values[1]) ? values[1].map(String) : [String(values[1])];
    const parsed = URL.canParse(given) ? new URL(given) : undefined;
    const isToken = (text) => /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(text);
    const isRight = parsed !== undefined && SCHEME.test(parsed.href) && parsed.hash === "" && !parsed.href.endsWith("#");
    // What is wrong is said by workerd's own constructor.
    if (!isRight || !listed.every(isToken) || new Set(listed).size !== listed.length) return Reflect.construct(native, values, newTarget);
    const [script, network] = Object.values(new WebSocketPair());
    let state = 0;
    const define = (name, get) => Object.defineProperty(script, name, { get, configurable: true });
    define("url", () => parsed.href);
    define("readyState", () => state);
    script.accept();
    const send = script.send.bind(script);
    Object.defineProperty(script, "send", { value: (data) => {
      if (state === 0) throw new DOMException("The WebSocket is not open yet.", "InvalidStateError");
      send(data);
    }, configurable: true });
    connect(parsed.href.replace(SCHEME, "http$1:"), listed).then(
      ({ socket, protocol }) => {
        define("protocol", () => protocol);
        state = 1;
        delete script.readyState;
        join(network, socket);
        script.dispatchEvent(new Event("open"));
      },
      (error) => {
        state = 3;
        const message = `WebSocket connection to ${parsed.href} failed: ${error.message}`;
        script.dispatchEvent(new ErrorEvent("error", { message, error: new Error(message) }));
        script.dispatchEvent(new CloseEvent("close", { code: 1006, reason: "Failed to establish websocket connection", wasClean: false }));
      },
    );
    return script;
  },
});

async function connect(url, protocols) {
  const headers = new Headers({ Upgrade: "websocket" });
  if (protocols.length > 0) headers.set("Sec-WebSocket-Protocol", protocols.join(", "));
  const response = await globalThis.fetch(url, { headers });
  const socket = response.webSocket;
  if (!socket) throw new Error(`The server answered ${response.status} and not with a WebSocket.`);
  return { socket, protocol: response.headers.get("Sec-WebSocket-Protocol") ?? "" };
}

function join(one, other) {
  for (const [from, to] of [[one, other], [other, one]]) {
    from.binaryType = "arraybuffer";
    from.addEventListener("message", ({ data }) => to.send(data));
    from.addEventListener("close", ({ code, reason }) => {
      try {
        if (code === 1005 || code === 1006) to.close();
        else to.close(code, reason);
      } catch {} // it is closed already
    });
  }
  one.accept();
  other.accept();
}

// workerd by itself tells only an inspector of a rejection that nothing handles, and its event has no default to prevent.
// Listeners of the script come after this one.
const log = console.info.bind(console);
addEventListener("unhandledrejection", (event) => {
  let isPrevented = false;
  Object.defineProperty(event, "preventDefault", { value: () => void (isPrevented = true), configurable: true });
  queueMicrotask(() => {
    const { message, stack } = describe(event.reason);
    if (!isPrevented) log(`\u001f${name}\u001frejection\u001f${JSON.stringify(stack || message)}`);
  });
});

for (const method of ["debug", "error", "info", "log", "trace", "warn"]) {
  const native = console[method].bind(console);
  console[method] = (...values) => native(`\u001f${name}\u001f${method}\u001f`, ...values);
}

class Invocation {
  constructor(ray, request) {
    this.ray = ray;
    this.request = request;
    this.pending = 0;
    this.isReported = false;
    this.passesThrough = false;
    this.readsFreshUntil = undefined;
  }

  // `waitUntil` is workerd's own, of this event.
  wait(promise, waitUntil) {
    this.pending++;
    const done = (error) => {
      if (--this.pending === 0 && this.isReported) waitUntil(this.tell(error));
      else if (error) waitUntil(this.tell(error, true));
    };
    waitUntil(Promise.resolve(promise).then(() => done(), (error) => done(describe(error))));
  }

  tell(error, isPending = false) {
    const body = JSON.stringify({ ray: this.ray, error, isPending });
    return control.fetch("http://edge/settled", { method: "POST", body }).then(() => undefined);
  }
}

function describe(error) {
  const isError = error instanceof Error;
  let text;
  try {
    text = isError ? String(error.message) : String(error);
  } catch {
    text = "a value that has no text";
  }
  const stack = isError && typeof error.stack === "string" ? error.stack : "";
  return { name: isError ? String(error.name) : typeof error, message: text, stack };
}

function failure(error, invocation) {
  const told = { ...describe(error), passesThrough: invocation.passesThrough, noRetry: invocation.noRetry };
  return new Response(JSON.stringify(told), { status: 500, headers: { [FAILURE]: "1" } });
}

function marked(response, invocation) {
  if (!(response instanceof Response)) {
    const what = response === undefined ? "undefined" : response === null ? "null" : Object.prototype.toString.call(response);
    return failure(new TypeError(`Incorrect type for Promise: the handler returned ${what} and not a Response.`), invocation);
  }
  if (response.status === 0) {
    return failure(new TypeError("Return value from serve handler must not be an error response (like Response.error())"), invocation);
  }
  if (invocation.pending === 0) return response;
  invocation.isReported = true;
  const options = { status: response.status, statusText: response.statusText, headers: response.headers };
  if (response.webSocket) options.webSocket = response.webSocket;
  const encoding = response.headers.get("content-encoding");
  if (encoding !== null) options.encodeBody = "automatic";
  const made = new Response(response.body, options);
  made.headers.set(PENDING, "1");
  return made;
}

// By the ctx of their event. What all of them do stands in the prototype, which is made once.
const invocationsOf = new WeakMap();
let contextPrototype;

function watch(ctx, invocation) {
  invocationsOf.set(ctx, invocation);
  if (contextPrototype === undefined) {
    contextPrototype = Object.getPrototypeOf(ctx);
    const native = contextPrototype.waitUntil;
    contextPrototype.waitUntil = function waitUntil(promise) {
      const invocation = invocationsOf.get(this);
      if (invocation === undefined) return native.call(this, promise);
      invocation.wait(promise, (work) => native.call(this, work));
    };
    const pass = contextPrototype.passThroughOnException;
    contextPrototype.passThroughOnException = function passThroughOnException() {
      const invocation = invocationsOf.get(this);
      if (invocation === undefined) pass.call(this);
      else invocation.passesThrough = true;
    };
  }
}

// ctx.access, where Cloudflare Access let the request in. Its audience comes as a property of `cf`, which the script does
// not see. `cf` cannot be changed, and to parse it costs more than most requests do otherwise: it is looked at only where
// the script asks for one of both.
const cfDescriptor = Object.getOwnPropertyDescriptor(Request.prototype, "cf");
const shownCf = new WeakMap(); // by what workerd made of it
if (cfDescriptor !== undefined) {
  Object.defineProperty(Request.prototype, "cf", { ...cfDescriptor, get() {
    const cf = cfDescriptor.get.call(this);
    return cf?.[AUDIENCE] === undefined ? cf : withoutAudience(cf);
  } });
}

function withoutAudience(cf) {
  let shown = shownCf.get(cf);
  if (shown === undefined) {
    const { [AUDIENCE]: _, ...others } = cf;
    shown = Object.freeze(others);
    shownCf.set(cf, shown);
  }
  return shown;
}

const accessDescriptor = {
  get() {
    const invocation = invocationsOf.get(this);
    if (invocation === undefined) return undefined;
    const aud = cfDescriptor.get.call(invocation.request)?.[AUDIENCE];
    const access = aud === undefined ? undefined : makeAccess(aud, invocation.ray);
    Object.defineProperty(this, "access", { value: access, configurable: true, enumerable: true });
    return access;
  },
  configurable: true,
  enumerable: true,
};

function makeAccess(aud, ray) {
  const getIdentity = async () => {
    const response = await control.fetch("http://edge/identity", { headers: { [INVOCATION]: ray } });
    return (await response.json()) ?? undefined;
  };
  return { aud, getIdentity };
}

function showAccess(request, ctx, ray) {
  if (cfDescriptor !== undefined) {
    Object.defineProperty(ctx, "access", accessDescriptor);
    return;
  }
  // Before 2022-01-31 each request has its properties itself.
  const cf = request.cf;
  if (cf?.[AUDIENCE] === undefined) return;
  showCf(request, withoutAudience(cf));
  Object.defineProperty(ctx, "access", { value: makeAccess(cf[AUDIENCE], ray), configurable: true, enumerable: true });
}

function showCf(request, cf) {
  const clone = request.clone.bind(request);
  Object.defineProperty(request, "cf", { value: cf, configurable: true, enumerable: true });
  Object.defineProperty(request, "clone", { value: () => showCf(clone(), cf), configurable: true, writable: true });
  return request;
}

export function answer(request, ctx, handle) {
  const invocation = new Invocation(request.headers.get("cf-ray") ?? "", request);
  watch(ctx, invocation);
  beginReads(invocation);
  return invocations.run(invocation, respond, request, ctx, invocation, handle);
}

async function respond(request, ctx, invocation, handle) {
  try {
    showAccess(request, ctx, invocation.ray);
    return marked(await handle(), invocation);
  } catch (error) {
    return failure(error, invocation);
  } finally {
    endReads(invocation);
  }
}

// What a Durable Object does for an invocation of another context.
export function within(ray, work) {
  return invocations.run(new Invocation(ray), work);
}

// A firing of a cron trigger or one RPC, as a request that only the edge can make.
export async function event(request, ctx, handle) {
  const invocation = new Invocation(request.headers.get("cf-ray") ?? "");
  watch(ctx, invocation);
  return invocations.run(invocation, async () => {
    try {
      const value = await handle(await request.json());
      return marked(Response.json({ value: value === undefined ? null : value }), invocation);
    } catch (error) {
      return failure(error, invocation);
    }
  });
}

export function scheduledController(event) {
  let noRetry = false;
  return {
    controller: {
      cron: event.cron,
      scheduledTime: event.scheduledTime,
      type: "scheduled",
      noRetry() {
        noRetry = true;
        const invocation = invocations.getStore();
        if (invocation !== undefined) invocation.noRetry = true;
      },
    },
    result: () => ({ noRetry }),
  };
}

export function isClass(value) {
  return typeof value === "function" && /^class\b/.test(Function.prototype.toString.call(value));
}
