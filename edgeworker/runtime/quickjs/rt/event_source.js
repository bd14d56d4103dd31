// EventSource. Source: https://html.spec.whatwg.org/multipage/server-sent-events.html, with workerd's `from(stream)`.
import { define, tag } from "edgeworker:host";

const [CONNECTING, OPEN, CLOSED] = [0, 1, 2];
const RETRY_MS = 2000;

class EventSource extends EventTarget {
  #url = "";
  #state = CONNECTING;
  #lastEventId = "";
  #retry = RETRY_MS;
  #fetcher;
  #abort = new AbortController();
  onopen = null;
  onmessage = null;
  onerror = null;
  constructor(url, options = {}) {
    super();
    if (url === CLOSED) return; // from()
    const parsed = URL.parse(String(url));
    if (parsed === null) throw new DOMException(`Cannot open an EventSource to '${url}'. The URL is invalid.`, "SyntaxError");
    if (options?.withCredentials) throw new DOMException("The init.withCredentials option is not supported. It must be false or undefined.", "NotSupportedError");
    this.#url = parsed.href;
    this.#fetcher = options?.fetcher ?? { fetch: (...values) => fetch(...values) };
    this.#connect();
  }
  static from(stream) {
    const made = new EventSource(CLOSED);
    made.#state = OPEN;
    queueMicrotask(() => made.#read(stream).then(() => made.#fail("The stream ended."), (error) => made.#fail(error.message, error)));
    return made;
  }
  get url() { return this.#url; }
  get withCredentials() { return false; }
  get readyState() { return this.#state; }
  close() {
    this.#state = CLOSED;
    this.#abort.abort();
  }
  #fail(message, error) {
    if (this.#state === CLOSED) return;
    this.#state = CLOSED;
    this.dispatchEvent(new ErrorEvent("error", { message, error }));
  }
  async #connect() {
    while (this.#state !== CLOSED) {
      try {
        const headers = { Accept: "text/event-stream", "Cache-Control": "no-cache" };
        if (this.#lastEventId !== "") headers["Last-Event-ID"] = this.#lastEventId;
        const response = await this.#fetcher.fetch(this.#url, { headers, signal: this.#abort.signal });
        if (this.#state === CLOSED) return;
        if (response.status === 204 || !response.ok) return this.#fail(`The response status code was ${response.status}.`);
        if (!/^text\/event-stream\s*(;|$)/i.test(response.headers.get("content-type") ?? "")) return this.#fail("The content type is not text/event-stream.");
        this.#state = OPEN;
        this.dispatchEvent(new Event("open"));
        if (response.body !== null) await this.#read(response.body);
      } catch (error) {
        if (this.#state === CLOSED) return;
        this.#state = CONNECTING;
        this.dispatchEvent(new ErrorEvent("error", { message: error?.message ?? String(error), error }));
      }
      if (this.#state === CLOSED) return;
      this.#state = CONNECTING;
      await new Promise((resolve) => setTimeout(resolve, this.#retry));
    }
  }
  async #read(stream) {
    const decoder = new TextDecoder();
    let text = "", data = [], type = "";
    const takeLine = (line) => {
      if (line === "") {
        if (data.length > 0) this.dispatchEvent(new MessageEvent(type || "message", { data: data.join("\n"), lastEventId: this.#lastEventId, origin: this.#url === "" ? null : new URL(this.#url).origin }));
        data = [];
        type = "";
        return;
      }
      const colon = line.indexOf(":");
      if (colon === 0) return;
      const name = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
      if (name === "data") data.push(value);
      else if (name === "event") type = value;
      else if (name === "id") {
        if (!value.includes("\0")) this.#lastEventId = value;
      } else if (name === "retry" && /^\d+$/.test(value)) this.#retry = Number(value);
    };
    for await (const piece of stream) {
      if (this.#state === CLOSED) return;
      text += decoder.decode(piece, { stream: true });
      for (;;) {
        const end = /\r\n|\n|\r(?=[^])/.exec(text); // a CR at the end may be half of a CRLF
        if (end === null) break;
        takeLine(text.slice(0, end.index));
        text = text.slice(end.index + end[0].length);
      }
    }
  }
}
for (const holder of [EventSource, EventSource.prototype]) {
  for (const [name, value] of Object.entries({ CONNECTING, OPEN, CLOSED })) Object.defineProperty(holder, name, { value, enumerable: true });
}
tag(EventSource, "EventSource");
define({ EventSource });
