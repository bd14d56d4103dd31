// MessageChannel. Source: https://html.spec.whatwg.org/multipage/web-messaging.html#message-channels
import { define, tag } from "edgeworker:host";
import "edgeworker:clone";
import "edgeworker:dom";
import "edgeworker:timers";

const MAKE = Symbol("make");

class MessagePort extends EventTarget {
  #peer;
  #onmessage = null;
  #waiting = []; // until it is started
  #isStarted = false;
  #isClosed = false;
  constructor(made) {
    if (made !== MAKE) throw new TypeError("Illegal constructor");
    super();
  }
  static _entangle(one, other) {
    one.#peer = other;
    other.#peer = one;
  }
  get onmessage() { return this.#onmessage; }
  set onmessage(listener) {
    this.#onmessage = typeof listener === "function" ? listener : null;
    this.start();
  }
  postMessage(value, options = undefined) {
    const data = structuredClone(value, Array.isArray(options) ? { transfer: options } : options);
    const peer = this.#peer;
    if (this.#isClosed || peer.#isClosed) return;
    if (peer.#isStarted) peer.#deliver(data);
    else peer.#waiting.push(data);
  }
  start() {
    if (this.#isStarted) return;
    this.#isStarted = true;
    for (const data of this.#waiting.splice(0)) this.#deliver(data);
  }
  close() { this.#isClosed = true; }
  #deliver(data) {
    setTimeout(() => {
      if (!this.#isClosed) this.dispatchEvent(new MessageEvent("message", { data }));
    }, 0);
  }
}
tag(MessagePort, "MessagePort");

class MessageChannel {
  port1 = new MessagePort(MAKE);
  port2 = new MessagePort(MAKE);
  constructor() { MessagePort._entangle(this.port1, this.port2); }
}
tag(MessageChannel, "MessageChannel");

define({ MessageChannel, MessagePort });
