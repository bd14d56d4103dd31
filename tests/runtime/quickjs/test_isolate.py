"""The embedded engine: its limits, its time, its web platform. What both engines do is in tests/runtime/engines."""

import asyncio
import contextlib
import gc
import gzip
import json
import weakref
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from edgeworker.errors import ScriptError
from edgeworker.messages import URL, Body, Headers, Request, Response
from edgeworker.runtime.contract.isolate import ExceededLimits
from edgeworker.runtime.contract.javascript import JavaScriptException

pytest.importorskip("quickjs", reason="quickjs-bindings has wheels for CPython 3.11 and 3.13")
from edgeworker.runtime.quickjs.isolate import QuickJSIsolate
from edgeworker.testing.clock import MovableClock
from tests.runtime.engines.stage import Stage, staged


async def evaluated(folder: Path, expression: str) -> object:
    """The value of an expression of a handler, as JSON has it."""
    source = f"export default {{ async fetch(request, env, ctx) {{ return Response.json({expression}); }} }}"
    async with staged("embedded", folder, source, flags=("nodejs_compat",)) as stage:
        value: object = json.loads(await stage.text("/"))
        return value


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("new URL('../b?q=é#f', 'https://EXAMPLE.com:443/a/c').href", "https://example.com/b?q=%C3%A9#f"),
        ("(() => { const u = new URL('http://a/'); u.searchParams.set('x', 'y z'); u.port = '81'; return u.href })()",
         "http://a:81/?x=y+z"),
        ("[URL.canParse('x'), URL.parse('x'), new URLSearchParams({a: '1&'}).toString()]", [False, None, "a=1%26"]),
        ("[...new URLSearchParams('?b=2&a=1+%C3%A9&b=3')]", [["b", "2"], ["a", "1 é"], ["b", "3"]]),
        ("[...new Headers([['B', '2'], ['a', '1'], ['b', '3'], ['Set-Cookie', 'x'], ['set-cookie', 'y']])]",
         [["a", "1"], ["b", "2, 3"], ["set-cookie", "x"], ["set-cookie", "y"]]),
        ("[btoa('é'), atob('6Q=='), new TextDecoder().decode(new TextEncoder().encode('é\\ud800'))]",
         ["6Q==", "é", "é\ufffd"]),
        ("await new Response(new Blob(['a', new Uint8Array([98])])).text()", "ab"),
        ("await (async () => { const r = new Response('x'); const c = r.clone(); return [await r.text(), "
         "await c.text(), r.bodyUsed] })()",
         ["x", "x", True]),
        ("await (async () => { const f = new FormData(); f.append('a', 'b'); f.append('f', new File(['c'], 'n')); "
         "const g = await new Response(f).formData(); return [g.get('a'), g.get('f').name, await "
         "g.get('f').text()] })()",
         ["b", "n", "c"]),
        ("await (async () => { const parts = []; for await (const p of new Response('xyz').body) "
         "parts.push(...p); return parts })()",
         [120, 121, 122]),
        ("await new Response(new Response('zip').body.pipeThrough(new "
         "CompressionStream('gzip')).pipeThrough(new DecompressionStream('gzip'))).text()",
         "zip"),
        ("[structuredClone(new Map([[1, new Date(5)]])).get(1).getTime(), structuredClone({a: "
         "[1n]}).a.length]", [5, 1]),
        ("(() => { try { structuredClone(() => 1) } catch (e) { return [e.name, e instanceof DOMException, "
         "e.code] } })()",
         ["DataCloneError", True, 25]),
        ("(() => { const c = new AbortController(); let n = 0; c.signal.addEventListener('abort', () => n++); "
         "c.abort(); return [n, c.signal.reason.name] })()",
         [1, "AbortError"]),
        ("[crypto.randomUUID().length, crypto.getRandomValues(new Uint8Array(4)).length]", [36, 4]),
        ("[...new Uint8Array(await crypto.subtle.digest('SHA-1', new Uint8Array()))].slice(0, 3)", [218, 57, 163]),
        ("[typeof WebAssembly, navigator.userAgent, self === globalThis]",
         ["undefined", "Cloudflare-Workers", True]),
        ("[Buffer.from('aGk', 'base64url').toString(), process.getBuiltinModule('util').format('%s=%d', 'a', "
         "1)]", ["hi", "a=1"]),
        ("[typeof __edgeworker, typeof __edgeworker_host, typeof __edgeworker_main]", ["undefined"] * 3),
        # A text that is joined of many pieces is not a str when it comes to Python.
        ("(() => { let s = ''; for (let i = 0; i < 5000; i++) s += 'é123456789'; return [new "
         "TextEncoder().encode(s).length, s.length] })()",
         [55000, 50000]),
    ],
)  # fmt: skip
async def test_the_web_platform(tmp_path: Path, expression: str, value: object) -> None:
    assert await evaluated(tmp_path, expression) == value


@pytest.mark.parametrize(
    "loop",
    [
        "for (;;);",
        "try { for (;;); } catch {} return new Response('caught')",
        "const again = () => Promise.resolve().then(again); await again()",
        "await Promise.resolve(); for (;;);",
        "/(a+)+$/.test('a'.repeat(40) + 'b'); for (;;);",
    ],
)
async def test_a_loop_of_any_kind_ends_and_the_next_request_is_answered(tmp_path: Path, loop: str) -> None:
    source = (
        "export default { async fetch(request) { if (request.url.endsWith('/loop')) { "
        + loop
        + " } return new Response('alive'); } }"
    )

    async with staged("embedded", tmp_path, source, cpu_ms=200) as stage:
        with pytest.raises(ExceededLimits, match=r"computed for more than 0.2 s \(limits.cpu_ms\)"):
            await stage.get("/loop")

        assert await stage.text("/") == "alive"


@pytest.mark.parametrize(
    "grow",
    [
        "let text = 'x'; for (;;) text += text;",
        "const all = []; for (;;) all.push({ a: all.length });",
        "const all = []; for (;;) all.push(new Uint8Array(1_000_000));",
    ],
)
async def test_memory_that_grows_ends_the_request_or_throws(tmp_path: Path, grow: str) -> None:
    source = (
        f"export default {{ async fetch(request) {{ if (request.url.endsWith('/grow')) {{ {grow} }} "
        "return new Response('alive'); } }"
    )

    async with staged("embedded", tmp_path, source) as stage:
        with pytest.raises((ExceededLimits, JavaScriptException)):
            await stage.get("/grow")

        assert await stage.text("/") == "alive"


async def test_deep_recursion_is_an_exception_of_the_script(tmp_path: Path) -> None:
    value = await evaluated(
        tmp_path, "(() => { const f = () => f() + 1; try { f() } catch (e) { return e.message } })()"
    )

    assert value == "stack overflow"


WAITING = """export default { async fetch(request) {
  if (request.url.endsWith("/wait")) return new Response((await (await fetch("http://slow.test/")).text()) + " waited");
  if (request.url.endsWith("/microtasks")) { const again = () => Promise.resolve().then(again); await again(); }
  if (request.url.endsWith("/loop")) for (;;);
  return new Response("alive");
} }"""


async def test_the_other_requests_of_a_script_that_computed_for_too_long_are_answered(tmp_path: Path) -> None:
    answer = asyncio.Event()

    class Slow:
        async def fetch(self, request: Request, /) -> Response:
            await answer.wait()
            return Response(200, body=b"slow")

    async with staged("embedded", tmp_path, WAITING, cpu_ms=100) as stage:
        waiting = asyncio.ensure_future(stage.send(Request("GET", URL.parse("http://x.test/wait")), Slow()))
        await asyncio.sleep(0)
        with pytest.raises(ExceededLimits):
            await stage.get("/loop")
        assert await stage.text("/") == "alive"
        answer.set()

        response = await waiting
        assert response.body is not None
        assert await response.body.read() == b"slow waited"
        assert await stage.text("/") == "alive"


async def test_worlds_in_which_others_finish_do_not_pile_up(tmp_path: Path) -> None:
    class Never:
        async def fetch(self, request: Request, /) -> Response:
            await asyncio.Event().wait()
            raise AssertionError

    async with staged("embedded", tmp_path, WAITING, cpu_ms=100) as stage:
        waiting = []
        for _ in range(3):
            send = stage.send(Request("GET", URL.parse("http://x.test/wait")), Never())
            waiting.append(asyncio.ensure_future(send))
            await asyncio.sleep(0)
            with pytest.raises(ExceededLimits):
                await stage.get("/loop")
            assert await stage.text("/") == "alive"

        for one in waiting[:2]:
            with pytest.raises(ScriptError, match="the worker is closed"):
                await one
        assert not waiting[2].done()
        waiting[2].cancel()
        await asyncio.wait(waiting[2:])


async def test_work_of_node_crypto_has_a_limit_and_counts_as_the_scripts(tmp_path: Path) -> None:
    source = """import { scrypt, scryptSync } from "node:crypto";
    export default { async fetch(request) {
      if (request.url.endsWith("/large")) return new Response(scryptSync("p", "s", 8, { N: 2 ** 14, r: 8, p: 10_000 }));
      if (request.url.endsWith("/many")) {
        for (;;) await new Promise((done) => scrypt("p", "s", 8, done));
      }
      return new Response("alive");
    } }"""

    async with staged("embedded", tmp_path, source, cpu_ms=500) as stage:
        with pytest.raises(JavaScriptException, match=r"N \* r \* p may be 4194304 at most here"):
            await stage.get("/large")
        with pytest.raises(ExceededLimits):
            await stage.get("/many")
        assert await stage.text("/") == "alive"


async def test_a_loop_of_promises_ends_only_its_own_request(tmp_path: Path) -> None:
    answer = asyncio.Event()

    class Slow:
        async def fetch(self, request: Request, /) -> Response:
            await answer.wait()
            return Response(200, body=b"slow")

    async with staged("embedded", tmp_path, WAITING, cpu_ms=100) as stage:
        waiting = asyncio.ensure_future(stage.send(Request("GET", URL.parse("http://x.test/wait")), Slow()))
        await asyncio.sleep(0)
        with pytest.raises(ExceededLimits):
            await stage.get("/microtasks")
        answer.set()

        # Its turns alternate with those of the loop, which is still there in that world.
        response = await waiting
        assert response.body is not None
        assert await response.body.read() == b"slow waited"
        assert await stage.text("/") == "alive"


async def test_a_handler_that_waits_for_nothing_is_ended(tmp_path: Path) -> None:
    async with staged("embedded", tmp_path, "export default { fetch: () => new Promise(() => undefined) }") as stage:
        with pytest.raises(JavaScriptException, match="will never generate a response"):
            await stage.get("/")


async def test_time_is_the_edges_clock(tmp_path: Path) -> None:
    source = """export default { async fetch(request, env, ctx) {
      const before = [Date.now(), new Date().getTime(), new Date(7).getTime(), new Date() instanceof Date];
      await new Promise((resolve) => setTimeout(resolve, 60_000));
      return Response.json([...before, Date.now()]);
    } }"""
    clock = MovableClock(1000)

    async with staged("embedded", tmp_path, source, clock=clock) as stage:
        answer = asyncio.ensure_future(stage.text("/"))
        for _ in range(20):
            await asyncio.sleep(0)
        clock.advance(60)
        clock.wake_next()

        begun, same, given, is_date, later = json.loads(await answer)

    assert (begun, same, given, is_date) == (1_000_000, 1_000_000, 7, True)
    assert later >= 1_060_000


async def test_a_body_passes_through_unread_and_a_gzip_one_is_decoded_for_who_reads_it(tmp_path: Path) -> None:
    source = """export default { async fetch(request) {
      const response = await fetch(request);
      if (request.url.endsWith("/read")) return new Response(await response.text());
      return new Response(response.body, response);
    } }"""
    packed = gzip.compress(b"content")

    class Origin:
        async def fetch(self, request: Request, /) -> Response:
            async def pieces() -> AsyncIterator[bytes]:
                yield packed[:10]
                yield packed[10:]

            return Response(200, Headers({"Content-Encoding": "gzip"}), Body(pieces()))

    async with staged("embedded", tmp_path, source) as stage:
        read = await stage.send(Request("GET", URL.parse("http://x.test/read")), Origin())
        passed = await stage.send(Request("GET", URL.parse("http://x.test/pass")), Origin())
        assert read.body is not None
        assert passed.body is not None

        assert await read.body.read() == b"content"
        assert await passed.body.read() == packed
        assert passed.headers.get("content-encoding") == "gzip"


async def test_handlers_of_html_may_wait_and_fetch_and_what_they_throw_ends_the_answer(tmp_path: Path) -> None:
    source = """let kept;
    export default { async fetch(request) {
      const page = await fetch("http://page.test/");
      return new HTMLRewriter().on("b", { async element(element) {
        kept ??= element;
        if (request.url.endsWith("/throw")) throw new RangeError("no");
        if (request.url.endsWith("/kept")) kept.remove();
        element.append(await (await fetch("http://inner.test/")).text());
      } }).transform(page);
    } }"""

    class Pages:
        async def fetch(self, request: Request, /) -> Response:
            return Response(200, body=b"<p><b>x</b></p>" if request.url.host == "page.test" else b"<inner>")

    async def answered(stage: Stage, path: str) -> bytes:
        response = await stage.send(Request("GET", URL.parse(f"http://x.test{path}")), Pages())
        assert response.body is not None
        return await response.body.read()

    async with staged("embedded", tmp_path, source) as stage:
        assert await answered(stage, "/") == b"<p><b>x&lt;inner&gt;</b></p>"
        with pytest.raises(JavaScriptException, match="RangeError: no"):
            await answered(stage, "/throw")
        with pytest.raises(JavaScriptException, match="This content token is no longer valid"):
            await answered(stage, "/kept")


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ('import x from "cloudflare:nope"; export default {}', 'There is no module "cloudflare:nope"'),
        ("for (;;); export default {}", r"top level computes for more than 0.2 s"),
        (
            "export default { fetch() {\n\n  return @@ } }",
            r"SyntaxError: .*\n +at worker.js:3:\d+\nIf the syntax is right",
        ),
        ('import { nope } from "cloudflare:workers"; export default {}', "nope"),
        ("await new Promise(() => undefined); export default {}", "never generate"),
    ],
)
async def test_what_it_cannot_load_is_told_with_the_way_out(tmp_path: Path, source: str, text: str) -> None:
    with pytest.raises(ScriptError, match=text):
        async with staged("embedded", tmp_path, source, cpu_ms=200):
            pass


async def test_what_it_lacks_says_so_by_name(tmp_path: Path) -> None:
    async with staged(
        "embedded", tmp_path, "export default { async fetch() { await WebAssembly.compile(new ArrayBuffer()) } }"
    ) as stage:
        with pytest.raises(JavaScriptException, match="has no WebAssembly; run the worker in workerd"):
            await stage.get("/")


async def test_two_workers_share_nothing(tmp_path: Path) -> None:
    source = (
        "export default { fetch() { globalThis.seen = (globalThis.seen ?? 0) + 1; return new Response(`${seen}`) } }"
    )

    async with staged("embedded", tmp_path, source) as one, staged("embedded", tmp_path, source) as other:
        assert [await one.text("/"), await one.text("/"), await other.text("/")] == ["1", "2", "1"]


async def test_a_world_that_was_given_up_is_let_go(tmp_path: Path) -> None:
    source = """export default { fetch(request) {
      if (request.url.endsWith("/loop")) for (;;);
      return new Response("alive");
    } }"""

    async with staged("embedded", tmp_path, source, cpu_ms=100) as stage:
        assert isinstance(stage.isolate, QuickJSIsolate)
        realm = stage.isolate._realm
        assert realm is not None
        engine = weakref.ref(realm._engine)
        del realm
        with contextlib.suppress(ExceededLimits):
            await stage.get("/loop")
        assert await stage.text("/") == "alive"
        gc.collect()

        assert engine() is None
