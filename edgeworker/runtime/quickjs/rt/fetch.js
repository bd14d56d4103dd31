// Request, Response, fetch(). Source: https://fetch.spec.whatwg.org/; texts are the Workers runtime's.
import { giveAway, heldSocket } from "edgeworker:websocket";
import { askFetch, define, host, setMakeResponse, tag } from "edgeworker:host";
import { BODY, Body, extract, nativeBody, NO_BODY, send, tee } from "edgeworker:body";
import { newSignal } from "edgeworker:dom";

const NULL_BODY = [101, 103, 204, 205, 304];
const NORMAL = ["DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH"];
// Workers have no credentials, mode and the like.
const ABSENT = { cache: undefined, integrity: "", keepalive: false };

const MAKE = Symbol("make"); // an object whose parts are set afterwards

class Request extends Body {
  #url;
  #method = "GET";
  #redirect = "follow";
  #headers;
  #signal;
  #cf;
  #isIncoming = false;
  #cfOf = 0; // the invocation whose `cf` it is: the edge is asked for it when a script reads it
  constructor(input, init = undefined) {
    super();
    if (input === MAKE) return;
    this[BODY] = NO_BODY;
    const given = init ?? {};
    const base = input instanceof Request ? input : undefined;
    if (base === undefined) {
      const parsed = URL.parse(String(input));
      if (parsed === null) throw new TypeError(`Invalid URL: ${String(input).slice(0, 200)}`);
      this.#url = parsed.href;
      this.#headers = new Headers(given.headers);
    } else {
      this.#url = base.#url;
      this.#method = base.#method;
      this.#redirect = base.#redirect;
      this.#cf = base.#cf;
      this.#cfOf = base.#cfOf;
      this.#signal = base.#isIncoming ? undefined : base.#signal;
      this.#headers = new Headers(given.headers ?? base.#headers);
    }
    if (given.method !== undefined) {
      const method = String(given.method);
      if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(method) || method.toUpperCase() === "CONNECT") throw new TypeError(`Invalid HTTP method string: ${method}`);
      this.#method = NORMAL.includes(method.toUpperCase()) ? method.toUpperCase() : method;
    }
    if (given.redirect !== undefined) {
      const mode = String(given.redirect).toLowerCase();
      if (!["follow", "manual"].includes(mode)) {
        throw new TypeError(`Invalid redirect value, must be one of "follow" or "manual" ("error" won't be implemented since it does not make sense at the edge; use "manual" and check the response status code).`);
      }
      this.#redirect = mode;
    }
    if (given.signal !== undefined) this.#signal = given.signal ?? undefined;
    if (given.cf !== undefined) {
      this.#cf = given.cf;
      this.#cfOf = 0;
    }
    if (given.body !== undefined && given.body !== null) {
      if (this.#method === "GET" || this.#method === "HEAD") throw new TypeError("Request with a GET or HEAD method cannot have a body.");
      const { state, type } = extract(given.body);
      this[BODY] = state;
      if (given.headers === undefined && base !== undefined) for (const name of ["content-length", "transfer-encoding", "content-encoding"]) this.#headers.delete(name);
      if (type !== null && !this.#headers.has("content-type")) this.#headers.set("content-type", type);
    } else if (base !== undefined && given.body === undefined) {
      if (base.bodyUsed) throw new TypeError("Cannot reconstruct a Request with a used body.");
      if (base[BODY] !== NO_BODY) this[BODY] = extractFrom(base);
    }
  }
  static _incoming(invocation, url, method, headers, body, buffer) {
    const made = new Request(MAKE);
    made.#url = url;
    made.#method = method;
    made.#redirect = "manual";
    made.#headers = Headers._of(headers, true);
    made.#cfOf = invocation;
    made.#isIncoming = true;
    made[BODY] = bodyOf(body, buffer);
    return made;
  }
  get url() { return this.#url; }
  get method() { return this.#method; }
  get redirect() { return this.#redirect; }
  get headers() { return this.#headers; }
  get cf() {
    if (this.#cfOf !== 0) {
      const text = host.cf(this.#cfOf);
      this.#cf = text === null ? undefined : JSON.parse(text);
      this.#cfOf = 0;
    }
    return this.#cf;
  }
  // As the edge is told: null, `true` for that of the request that came in, or a text.
  get _cf() {
    if (this.#cfOf !== 0) return true;
    const cf = this.#cf;
    return cf === undefined || cf === null ? null : (JSON.stringify(cf) ?? null);
  }
  get signal() { return (this.#signal ??= newSignal()); }
  get _signal() { return this.#signal; }
  clone() {
    const made = new Request(MAKE);
    made.#url = this.#url;
    made[BODY] = tee(this[BODY]);
    made.#method = this.#method;
    made.#redirect = this.#redirect;
    made.#headers = Headers._of(this.#headers._text(), this.#isIncoming);
    made.#cf = this.#cf;
    made.#cfOf = this.#cfOf;
    made.#signal = this.#signal;
    return made;
  }
}
Object.defineProperties(Request.prototype, Object.fromEntries(Object.entries(ABSENT).map(([name, value]) => [name, { get: () => value, configurable: true }])));
tag(Request, "Request");

// The body of another request moves to the new one; the old one's is used then.
function extractFrom(base) {
  const state = { ...base[BODY] };
  if (state.stream?.locked) throw new TypeError("This ReadableStream is currently locked to a reader.");
  base[BODY].used = true;
  return state;
}

class Response extends Body {
  #status = 200;
  #statusText = "";
  #headers;
  #url = "";
  #redirected = false;
  #cf;
  #webSocket = null;
  #isAutomatic = true;
  #type = "default";
  constructor(body = null, init = undefined) {
    super();
    if (body === MAKE) return;
    this[BODY] = NO_BODY;
    const given = init ?? {};
    const status = given.status === undefined ? 200 : Number(given.status);
    this.#webSocket = given.webSocket ?? null;
    if (this.#webSocket !== null && status !== 101) throw new RangeError("Responses with a WebSocket must have status code 101.");
    if (this.#webSocket === null) {
      if (!(Number.isInteger(status) && status >= 200 && status <= 599)) {
        throw new RangeError("Responses may only be constructed with status codes in the range 200 to 599, inclusive.");
      }
    }
    this.#status = status;
    this.#statusText = String(given.statusText ?? "");
    if (this.#statusText !== "" && /[^\t\x20-\x7e\x80-\xff]/.test(this.#statusText)) throw new TypeError("Invalid statusText");
    this.#headers = new Headers(given.headers);
    if (given.encodeBody !== undefined && !["automatic", "manual"].includes(given.encodeBody)) {
      throw new TypeError(`encodeBody: unexpected value: ${given.encodeBody}`);
    }
    this.#isAutomatic = given.encodeBody !== "manual";
    this.#cf = given.cf;
    const { state, type } = extract(body);
    if (state !== NO_BODY && NULL_BODY.includes(status)) {
      if (status === 101 || state.kind !== "bytes" || state.bytes.byteLength > 0) {
        throw new TypeError("Response with null body status (101, 204, 205, or 304) cannot have a body.");
      }
      return;
    }
    this[BODY] = state;
    if (type !== null && !this.#headers.has("content-type")) this.#headers.set("content-type", type);
  }
  static _received(status, statusText, headers, url, redirected, body, buffer, webSocket) {
    const made = new Response(MAKE);
    made.#status = status;
    made.#statusText = statusText;
    made.#headers = Headers._of(headers, true);
    made.#url = url;
    made.#redirected = redirected;
    if (webSocket !== null) made.#webSocket = heldSocket(webSocket);
    made[BODY] = bodyOf(body, buffer);
    return made;
  }
  static _describe(response) {
    const { body, buffer } = send(response[BODY]);
    const webSocket = response.#webSocket === null ? null : JSON.stringify(giveAway(response.#webSocket));
    return [response.#status, response.#statusText, response.#headers._text(), response.#isAutomatic, body, webSocket, buffer];
  }
  static _respond(id, response) {
    if (response.#status === 0) throw new TypeError("Return value from serve handler must not be an error response (like Response.error())");
    const { body, buffer } = send(response[BODY]);
    const webSocket = response.#webSocket === null ? null : JSON.stringify(giveAway(response.#webSocket));
    host.respond(id, response.#status, response.#statusText, response.#headers._text(), response.#isAutomatic, body, webSocket, buffer);
  }
  static json(data, init = {}) {
    const text = String(JSON.stringify(data)); // "undefined" for what JSON does not have
    const headers = new Headers(init?.headers);
    if (!headers.has("content-type")) headers.set("content-type", "application/json");
    return new Response(text, { ...init, headers });
  }
  static redirect(url, status = 302) {
    if (![301, 302, 303, 307, 308].includes(Number(status))) throw new RangeError(`${status} is not a redirect status code.`);
    const parsed = URL.parse(String(url));
    if (parsed === null) throw new TypeError(`Unable to parse URL: ${String(url).slice(0, 200)}`);
    const made = new Response(null, { status, headers: { Location: parsed.href } });
    made.#headers = Headers._of(made.#headers._text(), true);
    return made;
  }
  static error() {
    const made = new Response(null);
    made.#status = 0;
    made.#type = "error";
    return made;
  }
  get status() { return this.#status; }
  get statusText() { return this.#statusText || (PHRASES[this.#status] ?? ""); }
  get ok() { return this.#status >= 200 && this.#status <= 299; }
  get headers() { return this.#headers; }
  get url() { return this.#url; }
  get redirected() { return this.#redirected; }
  get type() { return this.#type; }
  get cf() { return this.#cf; }
  get webSocket() { return this.#webSocket; }
  clone() {
    const made = new Response(MAKE);
    made[BODY] = tee(this[BODY]);
    made.#isAutomatic = this.#isAutomatic;
    made.#status = this.#status;
    made.#statusText = this.#statusText;
    made.#headers = new Headers(this.#headers);
    made.#url = this.#url;
    made.#redirected = this.#redirected;
    made.#cf = this.#cf;
    made.#type = this.#type;
    return made;
  }
}
tag(Response, "Response");

const PHRASES = {
  200: "OK", 201: "Created", 202: "Accepted", 204: "No Content", 206: "Partial Content", 301: "Moved Permanently", 302: "Found",
  303: "See Other", 304: "Not Modified", 307: "Temporary Redirect", 308: "Permanent Redirect", 400: "Bad Request",
  401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 409: "Conflict", 410: "Gone",
  413: "Payload Too Large", 415: "Unsupported Media Type", 418: "I'm a Teapot", 422: "Unprocessable Entity",
  429: "Too Many Requests", 500: "Internal Server Error", 501: "Not Implemented", 502: "Bad Gateway",
  503: "Service Unavailable", 504: "Gateway Timeout",
};

// The body of something that came from the edge: null, "bytes" for the buffer, or the JSON of what it holds.
function bodyOf(told, buffer) {
  if (told === null) return NO_BODY;
  if (told === "bytes") return { kind: "bytes", used: false, bytes: new Uint8Array(buffer) };
  return nativeBody(JSON.parse(told));
}

// What the edge is told of a response, in the order in which it reads it. Uses the body up.
export const describeResponse = Response._describe;

// Answers the call of that number with it.
export const respond = Response._respond;

export const receive = Response._received;
setMakeResponse(receive);

// `target` is the JSON of a binding's name, or null for where this invocation's subrequests go.
export function fetchFrom(target, input, init) {
  try {
    const request = input instanceof Request && init === undefined ? input : new Request(input, init);
    const signal = request._signal;
    signal?.throwIfAborted();
    const { url } = request;
    if (target === null && !url.startsWith("http:") && !url.startsWith("https:")) throw new TypeError(`Fetch API cannot load: ${url}`);
    const { body, buffer } = send(request[BODY]);
    const answer = askFetch(request.method, url, request.headers._text(), request.redirect, request._cf, target, body, buffer);
    if (signal === undefined) return answer;
    const aborted = Promise.withResolvers();
    signal.addEventListener("abort", () => aborted.reject(signal.reason), { once: true });
    return Promise.race([answer, aborted.promise]);
  } catch (error) {
    return Promise.reject(error);
  }
}

define({ Body, Request, Response, fetch: (input, init = undefined) => fetchFrom(null, input, init) });
