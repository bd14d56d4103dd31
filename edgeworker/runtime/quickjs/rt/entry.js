// Runs a worker's handlers when the edge asks for it. Python calls `dispatch`, `settle` and `fire` of what is made here.
import "edgeworker:errors";
import { define, enter, host, receiveFetch, runAs, settle } from "edgeworker:host";
import "edgeworker:dom";
import "edgeworker:timers";
import "edgeworker:text";
import "edgeworker:url";
import "edgeworker:headers";
import "edgeworker:streams";
import "edgeworker:console";
import "edgeworker:blob";
import "edgeworker:crypto";
import "edgeworker:clone";
import "edgeworker:messages";
import { setLowered } from "edgeworker:async_context";
import { forget, runHandler } from "edgeworker:html";
import { cancel, pull } from "edgeworker:body";
import { respond } from "edgeworker:fetch";
import { makeBinding, ownEntrypoint } from "edgeworker:bindings";
import { describe, enterContext, environment, leaveContext, setExports } from "edgeworker:context";
import { fire } from "edgeworker:timers";
import { fromEdge } from "edgeworker:websocket";
import { decode, encode } from "edgeworker:values";
import { makeFetchEvent, makeScheduledEvent } from "edgeworker:worker_events";
import { WorkerEntrypoint } from "cloudflare:workers";
import { globalEvents } from "edgeworker:globals";
import { report, track } from "edgeworker:rejections";

let exported = {};
let isServiceWorker = false;

const kinds = new Map(); // what isClass() found: the source of a class may be long
function isClass(value) {
  if (typeof value !== "function") return false;
  if (!kinds.has(value)) kinds.set(value, /^class\b/.test(Function.prototype.toString.call(value)));
  return kinds.get(value);
}
const HANDLERS = ["fetch", "scheduled", "queue", "email", "tail"];

function prepare(told) {
  isServiceWorker = told.isServiceWorker;
  setLowered(told.lowersAsync);
  define({ Cloudflare: { compatibilityFlags: Object.fromEntries(told.flags.map((flag) => [flag, true])) } });
  for (const [name, binding] of Object.entries(told.env)) environment[name] = makeBinding(name, binding);
  if (!isServiceWorker) return;
  for (const [name, value] of Object.entries(environment)) {
    Object.defineProperty(globalThis, name, { value, configurable: true, enumerable: true, writable: true });
  }
}

// A service worker's listeners, as the handlers of a module.
const listeners = { fetch: [], scheduled: [] };
globalThis.addEventListener = (type, listener, options) => {
  if (!Object.hasOwn(listeners, type)) globalEvents.addEventListener(type, listener, options);
  else listeners[type].push(typeof listener === "function" ? listener : (event) => listener.handleEvent(event));
};
globalThis.removeEventListener = (type, listener) => {
  if (!Object.hasOwn(listeners, type)) globalEvents.removeEventListener(type, listener);
  else listeners[type] = listeners[type].filter((one) => one !== listener);
};

async function dispatchFetch(request, env, ctx) {
  let answered;
  const event = makeFetchEvent(ctx, request, (response) => {
    if (answered !== undefined) {
      throw new DOMException("FetchEvent.respondWith() has already been called; it can only be called once.", "InvalidStateError");
    }
    answered = Promise.resolve(response);
  });
  for (const listener of listeners.fetch) {
    listener(event);
    if (answered !== undefined) return answered;
  }
  // Nothing answered: the request goes to what stands behind the worker, as on Cloudflare.
  return fetch(request);
}

async function dispatchScheduled(controller, env, ctx) {
  const waits = [];
  const waitUntil = (promise) => {
    waits.push(promise);
    ctx.waitUntil(promise);
  };
  const event = makeScheduledEvent({ waitUntil }, controller);
  for (const listener of listeners.scheduled) listener(event);
  await Promise.all(waits);
}

function mainExport() {
  if (!isServiceWorker) return exported.default;
  return {
    fetch: listeners.fetch.length === 0 ? undefined : dispatchFetch,
    scheduled: listeners.scheduled.length === 0 ? undefined : dispatchScheduled,
  };
}

function describeExports() {
  const names = isServiceWorker ? [] : Object.keys(exported).filter((name) => name !== "default");
  for (const name of names) {
    const value = exported[name];
    if (value === null || (typeof value !== "object" && typeof value !== "function")) {
      throw new TypeError(`Incorrect type for map entry '${name}': the provided value is not of type 'function or ExportedHandler'.`);
    }
  }
  const main = mainExport();
  const source = isClass(main) ? main.prototype : main;
  const entrypoints = names.filter((name) => exported[name]?.prototype instanceof WorkerEntrypoint);
  setExports(Object.fromEntries([...entrypoints, ...(main === undefined ? [] : ["default"])].map((name) => [name, ownEntrypoint(name)])));
  return {
    default: HANDLERS.filter((name) => typeof source?.[name] === "function"),
    names: entrypoints,
  };
}

function none(handler, label) {
  throw new TypeError(`The ${label} has no ${handler}() handler.`);
}

const nameOf = (entrypoint) => entrypoint ?? (isServiceWorker ? "service worker" : "default export");

// The object with the handlers, and what their calls are given after the first argument.
function target(entrypoint, ctx) {
  const value = entrypoint === null ? mainExport() : exported[entrypoint];
  const label = nameOf(entrypoint);
  if (isClass(value)) return { object: new value(ctx, environment), surplus: [], label };
  return { object: value, surplus: [environment, ctx], label };
}

// Methods of the class and of those it extends, up to WorkerEntrypoint: what an instance or Object has is not public.
function publicMethod(object, name) {
  if (!(object instanceof WorkerEntrypoint) || name === "constructor" || Object.hasOwn(object, name)) return undefined;
  let prototype = Object.getPrototypeOf(object);
  while (prototype !== null && prototype !== WorkerEntrypoint.prototype) {
    if (Object.hasOwn(prototype, name)) return typeof object[name] === "function" ? object[name] : undefined;
    prototype = Object.getPrototypeOf(prototype);
  }
  return undefined;
}

async function run(kind, told, buffer, invocation) {
  if (kind === "describe") return { text: JSON.stringify(describeExports()) };
  if (kind === "pull") return { text: "", buffer: await pull(told.id) };
  if (kind === "html") {
    await runHandler(told);
    return { text: "" };
  }
  if (kind === "cancel") return { text: "", buffer: await cancel(told.id) };
  const { object, surplus, label } = target(told.entrypoint, enterContext(invocation, decode(told.props), told.audience));
  if (kind === "scheduled") {
    if (typeof object?.scheduled !== "function") none("scheduled", label);
    const { cron, scheduledTime } = told;
    const noRetry = () => void host.no_retry(invocation);
    await object.scheduled({ cron, scheduledTime, type: "scheduled", noRetry }, ...surplus);
    return { text: "" };
  }
  const method = publicMethod(object, told.method);
  if (method === undefined) throw new TypeError(`The RPC receiver does not implement the method "${told.method}".`);
  return { text: JSON.stringify(encode(await method.apply(object, told.values.map(decode)))) };
}

// A request: its parts come one by one, which costs less than JSON. `left` is an invocation that is over, or JSON of several, or null.
async function dispatchRequest(id, invocation, left, entrypoint, props, audience, url, method, headers, body, buffer) {
  try {
    if (left !== null) leave(left);
    enter(invocation);
    const ctx = enterContext(invocation, props === null ? {} : decode(JSON.parse(props)), audience);
    const request = Request._incoming(invocation, url, method, headers, body, buffer);
    const value = entrypoint === null ? mainExport() : exported[entrypoint];
    let response;
    if (isClass(value)) {
      const object = new value(ctx, environment);
      if (typeof object.fetch !== "function") none("fetch", nameOf(entrypoint));
      response = await object.fetch(request);
    } else {
      if (typeof value?.fetch !== "function") none("fetch", nameOf(entrypoint));
      response = await value.fetch(request, environment, ctx);
    }
    if (!(response instanceof Response)) {
      const what = response === undefined ? "undefined" : response === null ? "null" : Object.prototype.toString.call(response);
      throw new TypeError(`Incorrect type for Promise: the handler returned ${what} and not a Response.`);
    }
    respond(id, response);
  } catch (error) {
    fail(id, error);
  }
}

function leave(left) {
  for (const invocation of typeof left === "number" ? [left] : JSON.parse(left)) {
    leaveContext(invocation);
    forget(invocation);
  }
}

function fail(id, error) {
  host.failing();
  host.done(id, JSON.stringify(describe(error)), "", null);
}

function dispatch(id, invocation, kind, text, buffer) {
  runAs(invocation, () => run(kind, JSON.parse(text), buffer, invocation)).then(
    (made) => host.done(id, null, made.text, made.buffer),
    (error) => fail(id, error),
  );
}

// Imports the worker's main module.
function load(id) {
  const run = globalThis.__edgeworker_main;
  delete globalThis.__edgeworker_main;
  run().then(
    (found) => {
      exported = found;
      host.done(id, null, "", null);
    },
    (error) => host.done(id, JSON.stringify(describe(error)), "", null),
  );
}

globalThis.__edgeworker = {
  prepare: (text) => prepare(JSON.parse(text)),
  load,
  dispatch, request: dispatchRequest, settle, fetched: receiveFetch, fire, socket: fromEdge, leave, report, track,
};
