// Rejections that nothing handles: an event where the worker listens, else a line of the log. Python has `track` called by
// QuickJS when a promise is rejected without a handler, and `report` when all that was to run has run.
import { currentInvocation, define, enter, host } from "edgeworker:host";
import { inspect } from "edgeworker:console";
import { describe } from "edgeworker:context";
import { globalEvents } from "edgeworker:globals";

const MAX_UNHANDLED = 1000; // of one turn
const unhandled = new Map(); // by promise: its reason and the invocation
const reported = new WeakSet();
let handledLate = [];

const MAKE = Symbol("make");
class PromiseRejectionEvent extends Event {
  constructor(made, type, promise, reason) {
    if (made !== MAKE) throw new TypeError("Illegal constructor");
    super(type, { cancelable: true });
    Object.defineProperty(this, "promise", { value: promise, enumerable: true });
    Object.defineProperty(this, "reason", { value: reason, enumerable: true });
  }
  get isTrusted() { return true; }
}
define({ PromiseRejectionEvent });

export function track(promise, reason, isHandled) {
  try {
    if (!isHandled) {
      if (unhandled.size < MAX_UNHANDLED) unhandled.set(promise, { reason, invocation: currentInvocation() });
    } else if (!unhandled.delete(promise) && reported.delete(promise)) handledLate.push({ promise, invocation: currentInvocation() });
  } catch {} // there is no memory, which ends the worker elsewhere
}

export function report() {
  const lost = [...unhandled];
  const late = handledLate;
  unhandled.clear();
  handledLate = [];
  for (const [promise, { reason, invocation }] of lost) {
    reported.add(promise);
    enter(invocation);
    if (globalEvents.dispatchEvent(new PromiseRejectionEvent(MAKE, "unhandledrejection", promise, reason))) {
      host.rejected(describe(reason).stack || inspect(reason));
    }
  }
  for (const { promise, invocation } of late) {
    enter(invocation);
    globalEvents.dispatchEvent(new PromiseRejectionEvent(MAKE, "rejectionhandled", promise));
  }
}
