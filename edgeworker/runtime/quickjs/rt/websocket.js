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
  #binaryType = Cloudflare.compatibilityFlags.websocket_standard_binary_type ? "blob" : "arraybuffer";
  #url = null;
  #protocol = "";
  #isConnecting = false;
  constructor(url, protocols = undefined) {
    super();
    if (url === MAKE) return;
    if (arguments.length === 0) throw new TypeError("Failed to construct 'WebSocket': 1 argument required, but only 0 present.");
    const { href, listed } = checkTarget(url, protocols);
    this.#url = href;
    this.#isConnecting = true;
    this.#connect(href, listed);
  }
  // A fetch() with an upgrade, as any other of the invocation's.
  async #connect(href, protocols) {
    try {
      const headers = new Headers({ Upgrade: "websocket" });
      if (protocols.length > 0) headers.set("Sec-WebSocket-Protocol", protocols.join(", "));
      const response = await connectWith(href.replace(/^ws/, "http"), { headers });
      if (response.webSocket === null) throw new Error(`The server answered ${response.status} and not with a WebSocket.`);
      this.#protocol = response.headers.get("sec-websocket-protocol") ?? "";
      this.#id = response.webSocket.#id;
      this.#isHeld = true;
    } catch (error) {
      this.#isConnecting = false;
      this.#closedHere = this.#closedThere = true;
      const message = `WebSocket connection to ${this.#url} failed: ${error.message}`;
      this.dispatchEvent(new ErrorEvent("error", { message, error: new Error(message) }));
      this.dispatchEvent(new CloseEvent("close", { code: 1006, reason: "Failed to establish websocket connection", wasClean: false }));
      return;
    }
    this.#isConnecting = false;
    if (this.#closedHere) return this.#toEdge({ code: 1000, reason: "" });
    this.dispatchEvent(new Event("open"));
    this.accept();
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
    if (this.#isConnecting) return 0;
    if (!this.#closedHere && !this.#closedThere) return 1;
    return this.#closedHere && this.#closedThere ? 3 : 2;
  }
  get binaryType() { return this.#binaryType; }
  set binaryType(value) {
    if (value !== "blob" && value !== "arraybuffer") throw new DOMException(`Unsupported WebSocket binaryType: ${value}`, "SyntaxError");
    this.#binaryType = value;
  }
  get url() { return this.#url; }
  get protocol() { return this.#protocol; }
  get extensions() { return ""; }
  accept() {
    if (this.#isConnecting) throw new TypeError("Websocket obtained from the 'new WebSocket()' constructor cannot call accept");
    if (this.#isGivenAway) throw new TypeError("Can't accept() WebSocket when it was already used in a response.");
    if (this.#accepted !== null) return;
    this.#accepted = currentInvocation();
    if (this.#isHeld) {
      const refusal = host.socket_accept(this.#id, currentInvocation());
      if (typeof refusal === "string") throw new Error(refusal);
      open.set(this.#id, this);
    }
    this.#later();
  }
  send(data) {
    if (this.#isConnecting) throw new DOMException("The WebSocket is not open yet.", "InvalidStateError");
    if (this.#url !== null && this.#accepted === null && !this.#closedHere) this.accept();
    if (this.#accepted === null) throw new TypeError("You must call accept() on this WebSocket before sending messages.");
    if (this.#closedHere) throw new TypeError("Can't call WebSocket send() after close().");
    this.#pass(typeof data === "string" ? data : bytesOf(data) === undefined ? String(data) : bufferOf(new Uint8Array(bytesOf(data))));
  }
  close(code = undefined, reason = undefined) {
    if (this.#isConnecting) {
      this.#closedHere = true;
      return;
    }
    if (this.#accepted === null && this.#url === null) throw new TypeError("You must call accept() on this WebSocket before calling close().");
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
    if (typeof message === "string") host.socket_out(this.#id, "text", message, undefined);
    else if (message instanceof ArrayBuffer) host.socket_out(this.#id, "bytes", "", message);
    else host.socket_out(this.#id, "close", `${message.code} ${message.reason}`, undefined);
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
        const isBlob = message instanceof ArrayBuffer && this.#binaryType === "blob";
        this.dispatchEvent(new MessageEvent("message", { data: isBlob ? new Blob([message]) : message }));
        continue;
      }
      this.#closedThere = true;
      this.#closedHere = true;  // the edge has answered the close already
      this.dispatchEvent(new CloseEvent("close", { ...message, wasClean: message.code !== 1006 }));
    }
  }
}
// Texts are the Workers runtime's.
function checkTarget(url, protocols) {
  const refuse = (text) => {
    throw new DOMException(`WebSocket Constructor: ${text}`, "SyntaxError");
  };
  const parsed = URL.parse(String(url)) ?? refuse("The url is invalid.");
  if (parsed.protocol !== "ws:" && parsed.protocol !== "wss:") refuse("The url scheme must be ws or wss.");
  if (parsed.hash !== "" || parsed.href.endsWith("#")) refuse("The url fragment must be empty.");
  const listed = protocols === undefined ? [] : Array.isArray(protocols) ? protocols.map(String) : [String(protocols)];
  if (listed.some((one) => !/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(one))) refuse("The protocol header token is invalid.");
  if (new Set(listed).size !== listed.length) refuse("The protocols header cannot have repeating values.");
  return { href: parsed.href, listed };
}

let connectWith;
export const setConnect = (value) => void (connectWith = value);

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
