// The first module of each worker in a workerd child: it sets the globals up, then takes the worker's own exports and
// runs their handlers. "ew-event" is a field that no client can send: the edge removes it from what comes in.
// __MAIN__, __NAME__ and the exports at the end are written in by entry_module.py.
import "./edgeworker-runtime.mjs";
/* __PRELUDE__ */
import { answer, configure, event, isClass, scheduledController, within } from "./edgeworker-runtime.mjs";
import { keepReads } from "./edgeworker-kept-reads.mjs";
import { decode, encode } from "./edgeworker-values.mjs";
import { WorkerEntrypoint } from "cloudflare:workers";
import * as worker from "__MAIN__";
/* __EXPORTS__ */

const NAME = "__NAME__";

function wrap(exported, label) {
  if (isClass(exported)) {
    return class extends exported {
      constructor(ctx, env) {
        configure(NAME, env);
        super(ctx, env);
      }
      async fetch(request) {
        const kind = request.headers.get("ew-event");
        if (kind !== null) return event(request, this.ctx, (told) => run(kind, told, this, [this.env, this.ctx], label));
        if (typeof super.fetch !== "function") return answer(request, this.ctx, () => none("fetch", label));
        return answer(request, this.ctx, () => super.fetch(request));
      }
    };
  }
  return {
    async fetch(request, env, ctx) {
      configure(NAME, env);
      const kind = request.headers.get("ew-event");
      if (kind !== null) return event(request, ctx, (told) => run(kind, told, exported, [env, ctx], label));
      if (typeof exported?.fetch !== "function") return answer(request, ctx, () => none("fetch", label));
      return answer(request, ctx, () => exported.fetch(request, env, ctx));
    },
  };
}

// A class of Durable Objects: what an object fetches belongs to the invocation that called it.
function wrapObject(exported, name) {
  if (!isClass(exported)) throw new TypeError(`The worker exports no class "${name}", of which a binding has Durable Objects`);
  return class extends exported {
    constructor(ctx, env) {
      configure(NAME, env);
      super(ctx, env);
    }
    async fetch(request) {
      const ray = request.headers.get("ew-invocation") ?? "";
      const made = new Request(request);
      made.headers.delete("ew-invocation");
      if (typeof super.fetch !== "function") throw new TypeError("Handler does not export a fetch() function.");
      return within(ray, () => super.fetch(made));
    }
    async __edgeworker_call(ray, name, args) {
      const isPublic = name !== "constructor" && !name.startsWith("__edgeworker") && name in exported.prototype && !(name in Object.prototype);
      if (!isPublic || typeof this[name] !== "function") throw new TypeError(`The RPC receiver does not implement the method "${name}".`);
      return within(ray, () => this[name](...args));
    }
  };
}

function none(handler, label) {
  throw new TypeError(`The ${label} has no ${handler}() handler.`);
}

async function run(kind, told, target, surplus, label) {
  if (kind === "describe") return describeExports();
  if (kind === "keep") return keepReads(told.keeps);
  if (kind === "scheduled") {
    if (typeof target?.scheduled !== "function") none("scheduled", label);
    const { controller, result } = scheduledController(told);
    await target.scheduled(controller, ...surplus);
    return result();
  }
  const method = publicMethod(target, told.method);
  if (method === undefined) throw new TypeError(`The RPC receiver does not implement the method "${told.method}".`);
  return encode(await method.apply(target, told.args.map(decode)));
}

// Methods of the class and of those it extends, up to WorkerEntrypoint: what an instance or Object has is not public.
function publicMethod(target, name) {
  if (!(target instanceof WorkerEntrypoint) || name === "constructor" || Object.hasOwn(target, name)) return undefined;
  let prototype = Object.getPrototypeOf(Object.getPrototypeOf(target)); // past the class that wraps the script's
  while (prototype !== null && prototype !== WorkerEntrypoint.prototype) {
    if (Object.hasOwn(prototype, name)) return typeof target[name] === "function" ? target[name] : undefined;
    prototype = Object.getPrototypeOf(prototype);
  }
  return undefined;
}

function handlersOf(exported) {
  const source = isClass(exported) ? exported.prototype : exported;
  return ["fetch", "scheduled", "queue", "email", "tail"].filter((name) => typeof source?.[name] === "function");
}

function describeExports() {
  return {
    default: handlersOf(main),
    names: Object.keys(worker).filter((name) => name !== "default" && worker[name]?.prototype instanceof WorkerEntrypoint),
  };
}
