// HTMLRewriter: the edge parses and rewrites; handlers run here, over what it shows them.
import { call, currentInvocation, define, host, tag } from "edgeworker:host";
import { BODY, NO_BODY, nativeBody, send } from "edgeworker:body";

const running = new Map(); // a document's number -> its invocation and handlers
let nextDocument = 1;

class HTMLRewriter {
  #handlers = [];
  on(selector, handlers) {
    call("html_selector", String(selector));
    this.#handlers.push({ selector: String(selector), handlers });
    return this;
  }
  onDocument(handlers) {
    this.#handlers.push({ selector: null, handlers });
    return this;
  }
  transform(response) {
    if (!(response instanceof Response)) {
      throw new TypeError("Failed to execute 'transform' on 'HTMLRewriter': parameter 1 is not of type 'Response'.");
    }
    const made = new Response(null, response);
    if (response[BODY] === NO_BODY) return made;
    const { body, buffer } = send(response[BODY]);
    const number = nextDocument++;
    const handlers = [...this.#handlers];
    running.set(number, { invocation: currentInvocation(), handlers, ends: [] });
    const events = handlers.map(({ selector, handlers: given }) => ({
      selector,
      events: ["element", "text", "comments", "doctype", "end"].filter((name) => typeof given?.[name] === "function"),
    }));
    const id = host.html(currentInvocation(), JSON.stringify({ document: number, body, handlers: events }), buffer);
    made[BODY] = nativeBody({ id, encoding: null });
    made.headers.delete("content-length");
    return made;
  }
}
tag(HTMLRewriter, "HTMLRewriter");

// An object over a part of the document, which the edge knows by its number while its handler runs.
class Part {
  #id;
  #document;
  constructor(id, document) {
    this.#id = id;
    this.#document = document;
  }
  static use(part, name, values) { return call("html_part", part.#id, name, JSON.stringify(values)); }
  static document(part) { return part.#document; }
}

function part(name, { values = [], settable = [], chained = [], asked = [] }) {
  const made = { [name]: class extends Part {} }[name];
  for (const property of [...values, ...settable]) {
    Object.defineProperty(made.prototype, property, {
      get() { return Part.use(this, `!${property}`, []); },
      set: settable.includes(property) ? function (value) { Part.use(this, `!${property}`, [String(value)]); } : undefined,
      configurable: true,
    });
  }
  for (const method of [...chained, ...asked]) {
    Object.defineProperty(made.prototype, method, {
      value(...given) {
        const found = Part.use(this, method, given.map((value) => (typeof value === "object" && value !== null ? { html: Boolean(value.html) } : String(value))));
        return chained.includes(method) ? this : found;
      },
      configurable: true,
      writable: true,
    });
  }
  tag(made, name);
  return made;
}

const MOVES = ["before", "after", "replace", "remove"];
const PARTS = {
  Element: part("Element", {
    values: ["removed", "namespaceURI"], settable: ["tagName"], asked: ["getAttribute", "hasAttribute"],
    chained: [...MOVES, "setAttribute", "removeAttribute", "prepend", "append", "setInnerContent", "removeAndKeepContent"],
  }),
  Text: part("Text", { values: ["text", "lastInTextNode", "removed"], chained: MOVES }),
  Comment: part("Comment", { values: ["removed"], settable: ["text"], chained: MOVES }),
  Doctype: part("Doctype", { values: ["name", "publicId", "systemId"] }),
  EndTag: part("EndTag", { values: ["removed"], settable: ["name"], chained: ["before", "after", "remove", "replace"] }),
  DocumentEnd: part("DocumentEnd", { chained: ["append"] }),
};
Object.defineProperty(PARTS.Element.prototype, "attributes", {
  get() { return Part.use(this, "!attributes", []).values(); },
  configurable: true,
});
PARTS.Element.prototype.onEndTag = function (handler) {
  const { ends } = running.get(Part.document(this));
  ends.push(handler);
  Part.use(this, "onEndTag", [String(ends.length - 1)]);
};

export async function runHandler({ document, handler, event, end, id, kind }) {
  const { handlers, ends } = running.get(document);
  const shown = new PARTS[kind](id, document);
  if (end !== undefined) await ends[end](shown);
  else await handlers[handler].handlers[event](shown);
}

export function forget(invocation) {
  for (const [number, one] of running) if (one.invocation === invocation) running.delete(number);
}

define({ HTMLRewriter });
