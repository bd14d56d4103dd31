// What stands behind a name of `env` where workerd has no binding of its own for it: an object that asks the edge.
// `env` here is the inner one: `host` fetches from the edge, `options` says what to make.
import { decode, encode } from "edgeworker:values";

const invocation = () => globalThis[Symbol.for("edgeworker.invocation")]?.() ?? "";

async function call(env, method, values) {
  const response = await env.host.fetch("http://edge/call", {
    method: "POST",
    headers: { "ew-invocation": invocation() },
    body: JSON.stringify({ method, args: values.map((value) => encode(value)) }),
  });
  const { value, error } = await response.json();
  if (error === undefined) return decode(value);
  const known = { TypeError, RangeError, SyntaxError }[error.name] ?? Error;
  throw Object.assign(new known(error.message), known === Error && error.name !== "Error" ? { name: error.name } : {});
}

function fetcher(env) {
  return async function fetch(input, init) {
    const request = new Request(input, init);
    request.headers.set("ew-invocation", invocation());
    const response = await env.host.fetch(request);
    const thrown = response.headers.get("ew-throws");
    if (thrown !== null) throw new Error(decodeURIComponent(thrown));
    return response;
  };
}

function methods(env, names, withoutAnswer) {
  const made = {};
  for (const name of names) {
    made[name] = withoutAnswer.includes(name)
      ? (...values) => void call(env, name, values).catch((error) => console.error(`${name}(): ${error.message}`))
      : (...values) => call(env, name, values);
  }
  return made;
}

function service(env) {
  const fetch = fetcher(env);
  return new Proxy({}, {
    get(_, name) {
      if (name === "fetch") return fetch;
      // A thenable would be awaited wherever the binding is returned.
      if (typeof name !== "string" || name === "then") return undefined;
      return (...values) => call(env, name, values);
    },
  });
}

// workerd's own namespace; each call says which invocation makes it.
function durableObjects(namespace) {
  const made = (stub) => new Proxy(stub, {
    get(target, name) {
      const value = Reflect.get(target, name, target);
      if (typeof name !== "string" || name === "then" || name === "id" || name === "name") return value;
      if (name === "fetch") {
        return (input, init) => {
          const request = new Request(input, init);
          request.headers.set("ew-invocation", invocation());
          return target.fetch(request);
        };
      }
      return (...values) => target.__edgeworker_call(invocation(), name, values);
    },
  });
  return new Proxy(namespace, {
    get(target, name) {
      const value = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      if (name === "get" || name === "getByName") return (...values) => made(value.apply(target, values));
      if (name === "jurisdiction") return (...values) => durableObjects(value.apply(target, values));
      return value.bind(target);
    },
  });
}

function unsupported(options) {
  const refuse = (what) => {
    throw new Error(`env.${options.name} is a ${options.kind}, which edgeworker does not emulate (${what}).`);
  };
  return new Proxy({}, {
    get(_, name) {
      return typeof name !== "string" || name === "then" || name === "toJSON" ? undefined : () => refuse(`.${name}()`);
    },
  });
}

export default function make(env) {
  const options = JSON.parse(env.options);
  switch (options.form) {
    case "service":
      return service(env);
    case "fetcher":
      return { fetch: fetcher(env) };
    case "durableObjects":
      return durableObjects(env.namespace);
    case "methods":
      return methods(env, options.methods, options.withoutAnswer);
    default:
      return unsupported(options);
  }
}
