// The stack of an error begins with its name and message, as V8's does; QuickJS gives the frames alone. That holds for
// errors that code makes: those that QuickJS throws itself have their frames. Loaded before all else.
const FRAME = "    at ";

// The name is that of the first look, the message that of the beginning: so it is in V8.
function giveStack(error, frames) {
  const message = String(error.message ?? "");
  const define = (descriptor) => Object.defineProperty(error, "stack", { ...descriptor, configurable: true, enumerable: false });
  let stack;
  define({
    get: () => {
      if (stack === undefined) {
        const name = String(error.name ?? "Error");
        const head = name === "" ? message : message === "" ? name : `${name}: ${message}`;
        stack = frames === "" ? head : `${head}\n${frames}`;
      }
      return stack;
    },
    set: (value) => define({ value, writable: true }),
  });
  return error;
}

// Without those of this module.
function framesOfCaller(stack) {
  const lines = stack.trimEnd().split("\n");
  const first = lines.findIndex((line) => !line.includes("edgeworker:errors") && !line.endsWith("(native)"));
  return first < 0 ? "" : lines.slice(first).join("\n");
}

function wrap(native, parent) {
  const made = function (...values) {
    const error = Reflect.construct(native, values, new.target ?? made);
    return giveStack(error, framesOfCaller(error.stack));
  };
  Object.setPrototypeOf(made, parent);
  Object.defineProperty(made, "name", { value: native.name, configurable: true });
  Object.defineProperty(made, "length", { value: native.length, configurable: true });
  Object.defineProperty(made, "prototype", { value: native.prototype, writable: false });
  Object.defineProperty(native.prototype, "constructor", { value: made, writable: true, configurable: true });
  Object.defineProperty(globalThis, native.name, { value: made, writable: true, configurable: true, enumerable: false });
  return made;
}

const NativeError = globalThis.Error;
const others = [AggregateError, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError];
const Error = wrap(NativeError, Function.prototype);
for (const native of others) wrap(native, Error);
Error.captureStackTrace = function captureStackTrace(error) {
  giveStack(error, framesOfCaller(new NativeError().stack));
};
Error.stackTraceLimit = 10;

// https://tc39.es/proposal-explicit-resource-management/#sec-suppressederror-constructor
class SuppressedError extends Error {
  constructor(error, suppressed, message) {
    super(...(message === undefined ? [] : [message]));
    for (const [name, value] of [["error", error], ["suppressed", suppressed]]) {
      Object.defineProperty(this, name, { value, writable: true, configurable: true });
    }
  }
}
Object.defineProperty(SuppressedError.prototype, "name", { value: "SuppressedError", writable: true, configurable: true });
Object.defineProperty(globalThis, "SuppressedError", { value: SuppressedError, writable: true, configurable: true });

// An error for people: its stack, which begins with `head` where it is one of QuickJS's or was changed.
export function stackWith(head, error) {
  let stack = "";
  try {
    if (typeof error.stack === "string") stack = error.stack.trimEnd();
  } catch {} // the script's own getter
  if (stack === "") return head;
  const at = stack.startsWith(FRAME) ? 0 : stack.indexOf(`\n${FRAME}`) + 1;
  if (at === 0 && !stack.startsWith(FRAME)) return stack.startsWith(head) ? head : `${head}\n${stack}`;
  return `${head}\n${stack.slice(at)}`;
}
