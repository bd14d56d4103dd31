// `env`, and the `ctx` of each invocation.
import { stackWith } from "edgeworker:errors";
import { ask, currentInvocation, host, tag } from "edgeworker:host";

export const environment = {};
const contexts = new Map();
let nextWait = 1;

// The worker's own entrypoints, once they are known.
let ownExports = {};
export const setExports = (value) => void (ownExports = value);

class ExecutionContext {
  #invocation;
  constructor(invocation, props, audience) {
    this.#invocation = invocation;
    this.props = props;
    this.exports = ownExports;
    if (audience !== null) this.access = { aud: audience, getIdentity };
  }
  waitUntil(promise) {
    const id = nextWait++;
    host.wait(id, this.#invocation);
    Promise.resolve(promise).then(
      () => host.waited(id, null),
      (error) => host.waited(id, JSON.stringify(describe(error))),
    );
  }
  passThroughOnException() { host.pass_through(this.#invocation); }
}
tag(ExecutionContext, "ExecutionContext");

// Who Cloudflare Access let in; undefined for a service token.
async function getIdentity() {
  const text = await ask("identity", "{}");
  return JSON.parse(text) ?? undefined;
}

export function enterContext(invocation, props, audience) {
  const made = new ExecutionContext(invocation, props, audience);
  contexts.set(invocation, made);
  return made;
}

export const leaveContext = (invocation) => void contexts.delete(invocation);

export function currentContext() {
  const found = contexts.get(currentInvocation());
  if (found === undefined) throw new Error("waitUntil() works only while a handler runs.");
  return found;
}

const ABSENT = /'?\b(Intl|SharedArrayBuffer)\b'? is not defined/;
const OF_WEBASSEMBLY = /'(?:instantiate|instantiateStreaming|compile|compileStreaming|validate|Module|Instance|Memory|Table|Global)' of undefined/;

export function describe(error) {
  const isError = error instanceof Error;
  let text;
  try {
    text = isError ? String(error.message) : String(error);
  } catch {
    text = "a value that has no text";
  }
  const lacking = ABSENT.exec(text)?.[1] ?? (OF_WEBASSEMBLY.test(text) ? "WebAssembly" : undefined);
  if (lacking !== undefined) {
    text += ` (the embedded JavaScript engine has no ${lacking}; run the worker in workerd: npm install --save-dev wrangler in the project, or javascript.engine = "workerd")`;
  }
  const name = isError ? String(error.name) : typeof error;
  return { name, message: text, stack: isError ? stackWith(`${name}: ${text}`, error) : "" };
}
