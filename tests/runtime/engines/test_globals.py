"""What scripts find of the runtime's globals: the same over both engines, as workerd 2026-07-30 answered."""

import json
from pathlib import Path
from typing import Final

import pytest

from edgeworker.messages import URL, Headers, Request, Response
from edgeworker.runtime.contract.javascript import JavaScriptException
from tests.runtime.engines.stage import staged

# An expression, which may await, and the JSON of its value.
_CASES: Final[list[tuple[str, object]]] = [
    ("Object.keys(new Response('x'))", []),
    ("Object.keys(new Request('http://a/'))", []),
    ("JSON.stringify({ ...new Request('http://a/') })", "{}"),
    ("Object.keys(env)", []),
    ("Object.keys((await import('cloudflare:workers')).env)", []),
    ("[caches, navigator].map(String)", ["[object CacheStorage]", "[object Navigator]"]),
    ("await Response.json(undefined).text()", "undefined"),
    ("[DOMException.ABORT_ERR, DOMException.DATA_CLONE_ERR, new DOMException('').ABORT_ERR]", [20, 25, 20]),
    ("[typeof Symbol.dispose, typeof Symbol.asyncDispose]", ["symbol", "symbol"]),
    (
        "(() => { try { new Request('http://a', { method: 'CONNECT' }); } catch (e) { return e.message; } })()",
        "Invalid HTTP method string: CONNECT",
    ),
    # https://html.spec.whatwg.org/multipage/structured-data.html#dom-structuredclone
    (
        "(() => { const a = new Uint8Array([7]).buffer, b = structuredClone({ a }, { transfer: [a] }).a;"
        " return [a.byteLength, b.byteLength, new Uint8Array(b)[0]]; })()",
        [0, 1, 7],
    ),
    # https://html.spec.whatwg.org/multipage/web-messaging.html#message-channels
    (
        "await new Promise((done) => { const { port1, port2 } = new MessageChannel(); const seen = [];"
        " port1.postMessage({ a: 1 }); port1.postMessage('b');"
        " port2.onmessage = ({ data }) => { if (seen.push(data) === 2) done(seen); }; })",
        [{"a": 1}, "b"],
    ),
    # https://encoding.spec.whatwg.org/#names-and-labels
    ("new TextDecoder('sjis').decode(new Uint8Array([0x82, 0xa0]))", "あ"),
    ("new TextDecoder('gb2312').decode(new Uint8Array([0xc4, 0xe3]))", "你"),
    ("new TextDecoder('euc-kr').decode(new Uint8Array([0xb0, 0xa1]))", "가"),
    ("new TextDecoder('big5').decode(new Uint8Array([0xa7, 0x41]))", "你"),
    ("new TextDecoder('koi8-r').decode(new Uint8Array([0xc1]))", "а"),
    ("new TextDecoder('iso-8859-2').decode(new Uint8Array([0xb1]))", "ą"),
    ("['utf8', 'latin1', 'iso8859-9', 'cp1251', 'gb2312'].map((label) => new TextDecoder(label).encoding)",
     ["utf-8", "windows-1252", "windows-1254", "windows-1251", "gbk"]),
    (
        "(() => { const d = new TextDecoder('shift_jis'); return d.decode(new Uint8Array([0x82]), { stream: true })"
        " + d.decode(new Uint8Array([0xa0])); })()",
        "あ",
    ),
    (
        "await new Response(new ReadableStream({ start(c) { c.enqueue('text'); c.close(); } })).text()"
        ".catch((e) => e.message)",
        "This ReadableStream did not return bytes.",
    ),
    (
        "await (async () => { const h = new Headers([['b', '1'], ['A', '2'], ['b', '3'], ['c', '4']]);"
        " const copy = new Headers(h); copy.set('B', '5'); copy.delete('c'); copy.append('d', '6');"
        " return [[...h], [...copy]]; })()",
        [[["a", "2"], ["b", "1, 3"], ["c", "4"]], [["a", "2"], ["b", "5"], ["d", "6"]]],
    ),
    ("(() => { const h = new Headers(); h.append('set-cookie', 'a'); h.append('x', 'y'); h.append('Set-Cookie', 'b');"
     " h.delete('X'); return [[...h], h.get('set-cookie')]; })()",
     [[["set-cookie", "a"], ["set-cookie", "b"]], "a, b"]),
    ("[Response.error().type, Response.error().status, Response.error().body]", ["error", 0, None]),
    ("[self instanceof ServiceWorkerGlobalScope, String(self), origin, navigator.platform]",
     [True, "[object ServiceWorkerGlobalScope]", "null", ""]),
    ("[() => caches.has('x'), () => caches.default.keys()].map((one) => { try { one(); }"
     " catch (e) { return e.message; } })",
     ["Failed to execute 'has' on 'CacheStorage': the method is not implemented.",
      "Failed to execute 'keys' on 'Cache': the method is not implemented."]),
    ("(() => { try { URL.createObjectURL(new Blob()); } catch (e) { return String(e); } })()",
     "Error: URL.createObjectURL() is not implemented"),
    ("[FetchEvent, ExtendableEvent, ScheduledEvent, TailEvent, Body].map((one) => { try { new one('x'); }"
     " catch (e) { return e.message; } })", ["Illegal constructor"] * 5),
    ("[DOMException.VALIDATION_ERR, DOMException.URL_MISMATCH_ERR, Event.AT_TARGET]", [16, 21, 2]),
    ("(() => { const e = new ErrorEvent('error', { message: 'm', lineno: 3 });"
     " return [e.message, e.filename, e.lineno, Object.keys(e), String(e)]; })()",
     ["m", "", 3, [], "[object ErrorEvent]"]),
    ("[request.credentials, request.mode, request.keepalive].map(String)", ["undefined", "undefined", "false"]),
    # The stack begins as V8's does.
    ("[new Error('a'), TypeError('b'), new (class A extends Error {})('c'), new Error('d\\ne'),"
     " new AggregateError([], 'f')].map((one) => one.stack.split('\\n    at ')[0])",
     ["Error: a", "TypeError: b", "Error: c", "Error: d\ne", "AggregateError: f"]),
    ("(() => { class B extends Error { constructor(m) { super(m); this.name = 'B'; } }; const e = new Error('x');"
     " e.message = 'y'; return [new B('q').stack, e.stack, new Error().stack].map((one) => one.split('\\n')[0]); })()",
     ["B: q", "Error: x", "Error"]),
    ("(() => { const o = {}, e = new TypeError('w'); e.name = 'N'; Error.captureStackTrace(o);"
     " Error.captureStackTrace(e); e.own = 1; const before = e.stack.split('\\n')[0]; e.stack = 'mine';"
     " return [o.stack.split('\\n')[0], before, e.stack, Object.keys(e)]; })()",
     ["Error", "N: w", "mine", ["name", "own"]]),
    ("[Error.name, Error.length, Object.getPrototypeOf(TypeError) === Error,"
     " new TypeError('').constructor === TypeError, new Error('a', { cause: 1 }).cause,"
     " new RangeError('') instanceof Error]",
     ["Error", 1, True, True, 1, True]),
    # https://tc39.es/proposal-explicit-resource-management/
    ("(() => { const done = [], stack = new DisposableStack(); stack.defer(() => done.push(1));"
     " stack.use({ [Symbol.dispose]() { done.push(2); } }); stack.adopt(3, (value) => done.push(value));"
     " stack.dispose(); return [done, stack.disposed, String(stack)]; })()",
     [[3, 2, 1], True, "[object DisposableStack]"]),
    ("(() => { const stack = new DisposableStack(); stack.defer(() => { throw 1; }); stack.defer(() => { throw 2; });"
     " try { stack.dispose(); } catch (e) { return [e.name, e.error, e.suppressed, e.message]; } })()",
     ["SuppressedError", 1, 2, "An error was suppressed during disposal"]),
    ("await (async () => { const done = [], stack = new AsyncDisposableStack();"
     " stack.use({ async [Symbol.asyncDispose]() { await null; done.push(1); } }); stack.defer(() => done.push(2));"
     " await stack.disposeAsync(); return done; })()", [2, 1]),
    ("await (async () => { const bytes = new TextEncoder().encode(': c\\nid: 1\\nevent: add\\ndata: a\\ndata: b\\n\\n"
     "data:x\\r\\n\\r\\nignored: y\\n\\ndata: lost'), seen = [];"
     " const source = EventSource.from(new ReadableStream({ start(c) { c.enqueue(bytes.slice(0, 9));"
     " c.enqueue(bytes.slice(9)); c.close(); } }));"
     " source.addEventListener('add', ({ data, lastEventId }) => seen.push([data, lastEventId]));"
     " source.onmessage = ({ data }) => seen.push(data);"
     " await new Promise((done) => { source.onerror = done; }); return [seen, source.readyState]; })()",
     [[["a\nb", "1"], "x"], 2]),
]  # fmt: skip


# All of workerd's global scope at 2026-07-01: functions, then what else there is.
_FUNCTIONS: Final = [
    "AbortController",
    "AbortSignal",
    "AggregateError",
    "Array",
    "ArrayBuffer",
    "AsyncDisposableStack",
    "BigInt",
    "BigInt64Array",
    "BigUint64Array",
    "Blob",
    "Body",
    "Boolean",
    "ByteLengthQueuingStrategy",
    "Cache",
    "CacheStorage",
    "CloseEvent",
    "CompressionStream",
    "CountQueuingStrategy",
    "Crypto",
    "CryptoKey",
    "CustomEvent",
    "DOMException",
    "DataView",
    "Date",
    "DecompressionStream",
    "DisposableStack",
    "Error",
    "ErrorEvent",
    "EvalError",
    "Event",
    "EventSource",
    "EventTarget",
    "ExtendableEvent",
    "FetchEvent",
    "File",
    "FinalizationRegistry",
    "FixedLengthStream",
    "Float16Array",
    "Float32Array",
    "Float64Array",
    "FormData",
    "Function",
    "HTMLRewriter",
    "Headers",
    "IdentityTransformStream",
    "Int16Array",
    "Int32Array",
    "Int8Array",
    "Iterator",
    "Map",
    "MessageChannel",
    "MessageEvent",
    "MessagePort",
    "Navigator",
    "Number",
    "Object",
    "Promise",
    "PromiseRejectionEvent",
    "Proxy",
    "RangeError",
    "ReadableByteStreamController",
    "ReadableStream",
    "ReadableStreamBYOBReader",
    "ReadableStreamBYOBRequest",
    "ReadableStreamDefaultController",
    "ReadableStreamDefaultReader",
    "ReferenceError",
    "RegExp",
    "Request",
    "Response",
    "ScheduledEvent",
    "ServiceWorkerGlobalScope",
    "Set",
    "SharedArrayBuffer",
    "String",
    "SubtleCrypto",
    "SuppressedError",
    "Symbol",
    "SyntaxError",
    "TailEvent",
    "TextDecoder",
    "TextDecoderStream",
    "TextEncoder",
    "TextEncoderStream",
    "TraceEvent",
    "TransformStream",
    "TransformStreamDefaultController",
    "TypeError",
    "URIError",
    "URL",
    "URLPattern",
    "URLSearchParams",
    "Uint16Array",
    "Uint32Array",
    "Uint8Array",
    "Uint8ClampedArray",
    "WeakMap",
    "WeakRef",
    "WeakSet",
    "WebSocket",
    "WebSocketPair",
    "WebSocketRequestResponsePair",
    "WorkerGlobalScope",
    "WritableStream",
    "WritableStreamDefaultController",
    "WritableStreamDefaultWriter",
    "addEventListener",
    "atob",
    "btoa",
    "clearInterval",
    "clearTimeout",
    "decodeURI",
    "decodeURIComponent",
    "dispatchEvent",
    "encodeURI",
    "encodeURIComponent",
    "escape",
    "eval",
    "fetch",
    "isFinite",
    "isNaN",
    "parseFloat",
    "parseInt",
    "queueMicrotask",
    "removeEventListener",
    "reportError",
    "setInterval",
    "setTimeout",
    "structuredClone",
    "unescape",
]
_OTHERS: Final = [
    "Atomics",
    "Cloudflare",
    "Infinity",
    "Intl",
    "JSON",
    "Math",
    "NaN",
    "Reflect",
    "WebAssembly",
    "caches",
    "console",
    "crypto",
    "globalThis",
    "navigator",
    "origin",
    "performance",
    "scheduler",
    "self",
    "undefined",
]
_NOT_EMBEDDED: Final = {"WebAssembly"}


@pytest.fixture(scope="module", params=["embedded", "workerd"])
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def test_each_expression_has_the_value_of_workerd(engine: str, tmp_path: Path) -> None:
    functions = ",\n".join(f"async (request, env) => ({expression})" for expression, _ in _CASES)
    source = f"""const cases = [{functions}];
    export default {{ async fetch(request, env) {{
      const values = [];
      for (const one of cases) values.push(await one(request, env).catch((error) => `thrown: ${{error}}`));
      return Response.json(values);
    }} }};"""

    async with staged(engine, tmp_path, source) as stage:
        values = json.loads(await stage.text("/"))

    wrong = [(case, value) for (case, expected), value in zip(_CASES, values, strict=True) if value != expected]
    assert wrong == []


async def test_a_class_that_extends_response_answers_with_what_it_was_made_of(engine: str, tmp_path: Path) -> None:
    source = """class Odd extends Response {
      get status() { return "abc"; }
      get headers() { return null; }
    }
    export default { fetch: () => new Odd("body", { status: 201, headers: { a: "b" } }) };"""

    async with staged(engine, tmp_path, source) as stage:
        response = await stage.get("/")

    assert (response.status, response.headers.get("a")) == (201, "b")


async def test_all_names_of_the_global_scope_are_there(engine: str, tmp_path: Path) -> None:
    source = f"""const functions = {json.dumps(_FUNCTIONS)}, others = {json.dumps(_OTHERS)};
    const uses = () => [new Intl.NumberFormat("en"), new URLPattern()]; // loaded where they are named
    export default {{ fetch: () => Response.json([
      functions.filter((name) => typeof globalThis[name] !== "function"),
      others.filter((name) => globalThis[name] === undefined),
    ]) }};"""

    async with staged(engine, tmp_path, source) as stage:
        functions, others = json.loads(await stage.text("/"))

    assert functions == []
    assert set(others) == (_NOT_EMBEDDED if engine == "embedded" else set()) | {"undefined"}


async def test_an_event_source_of_a_url_goes_on_after_its_end(tmp_path: Path) -> None:
    class Events:
        def __init__(self) -> None:
            self.asked: list[str | None] = []

        async def fetch(self, request: Request, /) -> Response:
            self.asked.append(request.headers.get("last-event-id"))
            content = f"retry: 1\nid: {len(self.asked)}\ndata: {request.headers.get('accept')}\n\n".encode()
            return Response(200, Headers({"Content-Type": "text/event-stream; charset=utf-8"}), content)

    source = """export default { async fetch() {
      const source = new EventSource("http://events.test/");
      const seen = await new Promise((done) => {
        const seen = [];
        source.onmessage = ({ data, lastEventId, origin }) => {
          if (seen.push([data, lastEventId, origin]) === 2) done(seen);
        };
      });
      source.close();
      return Response.json([seen, source.readyState, source.url]);
    } };"""
    events = Events()

    async with staged("embedded", tmp_path, source) as stage:
        response = await stage.send(Request("GET", URL.parse("http://x.test/")), events)

    assert response.body is not None
    assert json.loads(await response.body.read()) == [
        [["text/event-stream", "1", "http://events.test"], ["text/event-stream", "2", "http://events.test"]],
        2,
        "http://events.test/",
    ]
    assert events.asked[:2] == [None, "1"]


async def test_a_service_worker_gets_events_of_their_classes(engine: str, tmp_path: Path) -> None:
    source = """addEventListener("fetch", (event) => event.respondWith(Response.json([
      event instanceof FetchEvent, event instanceof ExtendableEvent, event.type, event.request instanceof Request,
      String(event), typeof event.waitUntil,
    ])));"""

    async with staged(engine, tmp_path, source) as stage:
        assert json.loads(await stage.text("/")) == [True, True, "fetch", True, "[object FetchEvent]", "function"]


async def test_an_error_response_is_not_an_answer(engine: str, tmp_path: Path) -> None:
    async with staged(engine, tmp_path, "export default { fetch: () => Response.error() };") as stage:
        with pytest.raises(JavaScriptException, match="must not be an error response"):
            await stage.get("/")
