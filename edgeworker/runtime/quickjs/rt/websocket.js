// WebSocketPair, and the WebSockets of answers. Source: https://developers.cloudflare.com/workers/runtime-apis/websockets/
import { bufferOf, bytesOf, define, host, runAs, currentInvocation, tag } from "edgeworker:host";

const MAKE = Symbol("make");
const REASON_BYTES = 123;
const open = new Map(); // by the number that the edge knows it by
let next = 1;

const mayBeSent = (code) => [1000, 1001, 1002, 1003].includes(code) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);

class WebSocket extends EventTarget {
  #peer = null;
  #id = null;  // of an end that is the edge's: what its peer sends goes there
  #isHeld = false;  // it came with an answer that was fetched
  #waiting = [];
  #accepted = null;
  #isGivenAway = false;
  #closedHere = false;
  #closedThere = false;
  onopen = null;
  onmessage = null;
  onclose = null;
  onerror = null;
  binaryType = "arraybuffer";
  constructor(made) {
    if (made !== MAKE) {
      throw new Error('new WebSocket(url) is not in the embedded JavaScript engine; run the worker in workerd: npm install --save-dev wrangler in the project, or javascript.engine = "workerd".');
    }
    super();
  }
  static _pair() {
    const [one, other] = [new WebSocket(MAKE), new WebSocket(MAKE)];
    one.#peer = other;
    other.#peer = one;
    return [one, other];
  }
  static _held(id) {
    const made = new WebSocket(MAKE);
    made.#id = id;
    made.#isHeld = true;
    return made;
  }
  // The end goes into an answer; what the edge is told of it.
  static _giveAway(socket) {
    if (!(socket instanceof WebSocket)) throw new TypeError("The webSocket of a response is an end of a WebSocketPair.");
    if (socket.#accepted !== null) throw new TypeError("Can't return WebSocket in a Response after calling accept().");
    if (socket.#isGivenAway) throw new TypeError("Can't return WebSocket that was already used in a response.");
    socket.#isGivenAway = true;
    if (socket.#isHeld) return { held: socket.#id };
    socket.#id = -next++;
    open.set(socket.#id, socket);
    for (const message of socket.#waiting.splice(0)) socket.#toEdge(message);
    return { pair: socket.#id };
  }
  static _fromEdge(id, kind, text, buffer) {
    const socket = open.get(id);
    if (socket === undefined) return;
    const message = kind === "close" ? { code: Number(text.split(" ", 1)[0]), reason: text.slice(text.indexOf(" ") + 1) } : kind === "text" ? text : buffer;
    const target = socket.#isHeld ? socket : socket.#peer;
    if (kind === "close") open.delete(id);
    target.#receive(message);
  }
  get readyState() {
    if (!this.#closedHere && !this.#closedThere) return 1;
    return this.#closedHere && this.#closedThere ? 3 : 2;
  }
  get url() { return null; }
  get protocol() { return ""; }
  get extensions() { return ""; }
  accept() {
    if (this.#isGivenAway) throw new TypeError("Can't accept() WebSocket when it was already used in a response.");
    if (this.#accepted !== null) return;
    this.#accepted = currentInvocation();
    if (this.#isHeld) {
      const refusal = host("socket_accept", this.#id, currentInvocation());
      if (typeof refusal === "string") throw new Error(refusal);
      open.set(this.#id, this);
    }
    this.#later();
  }
  send(data) {
    if (this.#accepted === null) throw new TypeError("You must call accept() on this WebSocket before sending messages.");
    if (this.#closedHere) throw new TypeError("Can't call WebSocket send() after close().");
    this.#pass(typeof data === "string" ? data : bytesOf(data) === undefined ? String(data) : bufferOf(new Uint8Array(bytesOf(data))));
  }
  close(code = undefined, reason = undefined) {
    if (this.#accepted === null) throw new TypeError("You must call accept() on this WebSocket before calling close().");
    if (code !== undefined && !mayBeSent(Number(code))) throw new DOMException(`Invalid WebSocket close code: ${code}.`, "InvalidAccessError");
    const text = reason === undefined ? "" : String(reason);
    if (text !== "" && code === undefined) throw new TypeError("If you specify a WebSocket close reason, you must also specify a code.");
    if (new TextEncoder().encode(text).length > REASON_BYTES) throw new DOMException(`WebSocket close reason must be no more than ${REASON_BYTES} bytes.`, "SyntaxError");
    if (this.#closedHere) return;
    this.#closedHere = true;
    this.#pass({ code: code === undefined ? 1005 : Number(code), reason: text });
  }
  // To the other end: of this script, or the edge's.
  #pass(message) {
    if (this.#isHeld) return this.#toEdge(message);
    const peer = this.#peer;
    if (peer.#closedThere) return;
    peer.#closedThere = typeof message === "object" && !(message instanceof ArrayBuffer);
    if (peer.#id !== null) peer.#toEdge(message);
    else peer.#receive(message);
  }
  #toEdge(message) {
    if (typeof message === "string") host("socket_out", this.#id, "text", message, undefined);
    else if (message instanceof ArrayBuffer) host("socket_out", this.#id, "bytes", "", message);
    else host("socket_out", this.#id, "close", `${message.code} ${message.reason}`, undefined);
  }
  #receive(message) {
    this.#waiting.push(message);
    this.#later();
  }
  #later() {
    if (this.#accepted !== null && this.#waiting.length > 0) queueMicrotask(() => this.#dispatch());
  }
  #dispatch() {
    while (this.#waiting.length > 0) {
      const message = this.#waiting.shift();
      if (typeof message === "string" || message instanceof ArrayBuffer) {
        this.dispatchEvent(new MessageEvent("message", { data: message }));
        continue;
      }
      this.#closedThere = true;
      this.#closedHere = true;  // the edge has answered the close already
      this.dispatchEvent(new CloseEvent("close", { ...message, wasClean: message.code !== 1006 }));
    }
  }
}
for (const [number, name] of ["CONNECTING", "OPEN", "CLOSING", "CLOSED"].entries()) {
  for (const target of [WebSocket, WebSocket.prototype]) {
    Object.defineProperty(target, name, { value: number, enumerable: true });
    Object.defineProperty(target, `READY_STATE_${name}`, { value: number, enumerable: true });
  }
}
tag(WebSocket, "WebSocket");

class WebSocketPair {
  constructor() { [this[0], this[1]] = WebSocket._pair(); }
  *[Symbol.iterator]() { yield* [this[0], this[1]]; }
}
tag(WebSocketPair, "WebSocketPair");

export const heldSocket = (id) => WebSocket._held(id);
export const giveAway = (socket) => WebSocket._giveAway(socket);
export const fromEdge = (invocation, id, kind, text, buffer) => runAs(invocation, () => WebSocket._fromEdge(id, kind, text, buffer));

define({ WebSocket, WebSocketPair });
