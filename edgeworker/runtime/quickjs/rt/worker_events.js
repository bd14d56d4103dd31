// The events of a service worker, and other names that scripts look for and cannot make objects of.
import { define, tag } from "edgeworker:host";

const MAKE = Symbol("make");
const check = (made) => {
  if (made !== MAKE) throw new TypeError("Illegal constructor");
};

class ExtendableEvent extends Event {
  #context;
  constructor(made, type, context) {
    check(made);
    super(type);
    this.#context = context;
  }
  waitUntil(promise) { this.#context.waitUntil(promise); }
  get isTrusted() { return true; }
}

class FetchEvent extends ExtendableEvent {
  #context;
  #answer;
  constructor(made, context, request, answer) {
    super(made, "fetch", context);
    this.#context = context;
    this.#answer = answer;
    Object.defineProperty(this, "request", { value: request, enumerable: true });
  }
  respondWith(response) { this.#answer(response); }
  passThroughOnException() { this.#context.passThroughOnException(); }
}

class ScheduledEvent extends ExtendableEvent {
  #controller;
  constructor(made, context, controller) {
    super(made, "scheduled", context);
    this.#controller = controller;
    for (const name of ["cron", "scheduledTime"]) Object.defineProperty(this, name, { value: controller[name], enumerable: true });
  }
  noRetry() { this.#controller.noRetry(); }
}

class TailEvent extends ExtendableEvent {}

export const makeFetchEvent = (context, request, answer) => new FetchEvent(MAKE, context, request, answer);
export const makeScheduledEvent = (context, controller) => new ScheduledEvent(MAKE, context, controller);

class WebSocketRequestResponsePair {
  #request;
  #response;
  constructor(request, response) {
    this.#request = String(request);
    this.#response = String(response);
  }
  get request() { return this.#request; }
  get response() { return this.#response; }
}

for (const value of [ExtendableEvent, FetchEvent, ScheduledEvent, TailEvent, WebSocketRequestResponsePair]) {
  tag(value, value.name);
  define({ [value.name]: value });
}
define({ TraceEvent: TailEvent });
