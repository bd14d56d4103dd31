// "node:assert".
import { isDeepStrictEqual } from "node:util";

export class AssertionError extends Error {
  name = "AssertionError";
  code = "ERR_ASSERTION";
}
function fail(message, otherwise) {
  throw message instanceof Error ? message : new AssertionError(message ?? otherwise);
}
export function ok(value, message) { if (!value) fail(message, "The expression evaluated to a falsy value"); }
export function equal(a, b, message) { if (a != b) fail(message, `${a} == ${b}`); }
export function notEqual(a, b, message) { if (a == b) fail(message, `${a} != ${b}`); }
export function strictEqual(a, b, message) { if (!Object.is(a, b)) fail(message, `${a} === ${b}`); }
export function notStrictEqual(a, b, message) { if (Object.is(a, b)) fail(message, `${a} !== ${b}`); }
export function deepStrictEqual(a, b, message) { if (!isDeepStrictEqual(a, b)) fail(message, "Expected values to be strictly deep-equal"); }
export const deepEqual = deepStrictEqual;
export function throws(work, message) {
  try {
    work();
  } catch {
    return;
  }
  fail(typeof message === "string" ? message : undefined, "Missing expected exception.");
}
const assert = Object.assign((value, message) => ok(value, message), { ok, equal, notEqual, strictEqual, notStrictEqual, deepStrictEqual, deepEqual, throws, AssertionError });
assert.strict = assert;
export { assert as strict };
export default assert;
