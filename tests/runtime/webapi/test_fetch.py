"""What `Request`, `Response` and `fetch` take and refuse. Texts of workerd: tests/conformance/cases/web_api.json."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from edgeworker.messages import URL, Body, Headers, Request, Response
from tests.runtime.stage import Stage, evaluated

U = "'https://a.example/'"
REDIRECT = 'TypeError: Invalid redirect value, must be one of "follow" or "manual" ("error" won\'t be implemented'
METHOD = "TypeError: Invalid HTTP method string: "
INTEGRITY = "TypeError: Subrequest integrity checking is not implemented."
CACHE = "TypeError: Unsupported cache mode: "
RANGE = "RangeError: Responses may only be constructed with status codes in the range 200 to 599, inclusive."


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ("redirect='error'", REDIRECT),
        ("redirect='foo'", REDIRECT),
        ("method='FOO'", METHOD + "FOO"),
        ("method='CONNECT'", METHOD + "CONNECT"),
        ("method='TRACK'", METHOD + "TRACK"),
        ("method=''", METHOD),
        ("method=jsnull", METHOD + "null"),
        ("method='A B'", METHOD + "A B"),
        ("cache='default'", CACHE + "default"),
        ("cache='reload'", CACHE + "reload"),
        ("cache='force-cache'", CACHE + "force-cache"),
        ("cache='only-if-cached'", CACHE + "only-if-cached"),
        ("cache=jsnull", CACHE + "null"),
        (
            "cache='no-store', cf={'cacheTtl': 5}",
            "TypeError: CacheTtl: 5, is not compatible with cache: no-store header.",
        ),
        ("integrity='sha256-abc'", INTEGRITY),
        ("integrity=jsnull", INTEGRITY),
        *(
            (f"encodeResponseBody={mode}", f"TypeError: encodeResponseBody: unexpected value: {text}")
            for mode, text in (("'Manual'", "Manual"), ("''", ""), ("5", "5"), ("jsnull", "null"))
        ),
        ("body='x'", "TypeError: Request with a GET or HEAD method cannot have a body."),
        ("signal=5", "TypeError: Incorrect type for the 'signal' field on 'RequestInitializerDict'"),
        ("signal={}", "TypeError: Incorrect type for the 'signal' field on 'RequestInitializerDict'"),
        ("cf=5", "TypeError"),
        ("headers=5", "TypeError"),
    ],
)
async def test_what_production_refuses_is_refused_on_every_call(stage: Stage, options: str, error: str) -> None:
    begin = "from pyodide.ffi import jsnull"

    for expression in (f"js.Request.new({U}, {options})", f"await js.fetch({U}, {options})"):
        assert (await evaluated(stage, begin, expression)).startswith(f"JsException: {error}"), expression
    assert (await evaluated(stage, begin, f"await fetch({U}, {options})")).startswith(
        ("OSError: " + error.partition(": ")[2], "TypeError: Received unexpected type for headers")
    )
    assert (await evaluated(stage, begin, f"Request({U}, {options})")).partition(": ")[0] in (
        "JsException",
        "TypeError",
    )
    assert stage.origin.requests == []


@pytest.mark.parametrize(
    ("options", "gives"),
    [
        ("method='post'", "POST"),
        ("method='Delete'", "DELETE"),
        ("method='propfind'", "PROPFIND"),
        ("method='QUERY'", "QUERY"),
        ("method='trace', body='x'", "TRACE"),
        ("method=None", "GET"),
        ("integrity=''", "GET"),
        ("integrity=None, cache=None, redirect=None, signal=None", "GET"),
        ("signal=jsnull", "GET"),
        ("body=jsnull", "GET"),
        ("mode='foo', credentials='foo', referrer='x', window=1, priority=2", "GET"),
    ],
)
async def test_what_production_takes_is_taken(stage: Stage, options: str, gives: str) -> None:
    begin = "from pyodide.ffi import jsnull"

    assert await evaluated(stage, begin, f"js.Request.new({U}, {options}).method") == gives
    assert await evaluated(stage, begin, f"(await js.fetch({U}, {options})).status") == "200"
    assert [request.method for request in stage.origin.requests] == [gives]


@pytest.mark.parametrize("mode", ["no-store", "no-cache"])
async def test_a_cache_mode_tells_the_caches_on_the_way(stage: Stage, mode: str) -> None:
    await stage.run(f"await fetch('https://a.example/', cache='{mode}')\nreturn Response('x')")

    [request] = stage.origin.requests
    assert (request.headers.get("cache-control"), request.headers.get("pragma")) == ("no-cache", "no-cache")


@pytest.mark.parametrize(
    ("arguments", "gives"),
    [
        *((f"None, status={status}", RANGE) for status in (100, 101, 199, 600, 1000, 0, -1, "'abc'", "js.NaN", "True")),
        *((f"None, status={status}", str(status)) for status in (200, 204, 304, 499, 599)),
        ("None, status=200.5", "200"),
        ("None, status='201'", "201"),
        ("None, status=None", "200"),
        ("'', status=204", "204"),
        ("'x', status=204", "TypeError: Response with null body status"),
        *(
            (f"'x', statusText={text!r}", "TypeError: Invalid statusText")
            for text in ("a\nb", "a\rb", "a\0b", "a\tb", "\x01")
        ),
        ("'x', statusText='\\x7f'", "200"),
        ("'x', statusText='é'", "200"),
        ("'x', encodeBody='foo'", "TypeError: encodeBody: unexpected value: foo"),
        ("'x', 'y'", "TypeError"),
    ],
)
async def test_a_response_takes_the_statuses_and_texts_that_workerd_takes(
    stage: Stage, arguments: str, gives: str
) -> None:
    result = await evaluated(stage, "pass", f"js.Response.new({arguments}).status")

    assert result.removeprefix("JsException: ").startswith(gives)


@pytest.mark.parametrize(
    ("status", "gives"),
    [("301", "301"), ("'301'", "301"), ("None", "302"), *((s, "RangeError: ") for s in ("300", "304", "200", "0"))],
)
async def test_a_redirect_has_one_of_five_statuses(stage: Stage, status: str, gives: str) -> None:
    result = await evaluated(stage, "pass", f"js.Response.redirect('https://x/', {status}).status")

    assert result.removeprefix("JsException: ").startswith(gives)
    if "RangeError" in gives:
        assert f"{status} is not a redirect status code. It must be one of: 301, 302, 303, 307, or 308." in result


@pytest.mark.parametrize(
    ("body", "kind", "text"),
    [
        ("5", "text/plain;charset=UTF-8", "5"),
        ("True", "text/plain;charset=UTF-8", "true"),
        ("js.Object.new(a=1)", "text/plain;charset=UTF-8", "[object Object]"),
        ("{'a': 1}", "text/plain;charset=UTF-8", "{'a': 1}"),  # what pyodide's proxy of a dict shows
        ("js.URL.new('https://x/')", "text/plain;charset=UTF-8", "https://x/"),
        ("ValueError('e')", "text/plain;charset=UTF-8", "e"),
        ("bytearray(b'ab')", None, "ab"),
        ("js.Uint16Array.new([65, 66])", None, "A\0B\0"),
        ("js.Blob.new(['b'], {'type': 'A/B'})", "a/b", "b"),
        ("js.Blob.new(['b'], {'type': 'A\\nX: y'})", None, "b"),
        ("js.URLSearchParams.new('a=1')", "application/x-www-form-urlencoded;charset=UTF-8", "a=1"),
        ("iter([b'a', b'b'])", None, "ab"),
        ("[1, 2]", None, "JsException: TypeError: A body's stream is made of bytes, and one chunk is int."),
        ("[]", None, ""),
    ],
)
async def test_a_body_may_be_anything(stage: Stage, body: str, kind: str | None, text: str) -> None:
    assert await evaluated(stage, f"r = js.Response.new({body})", "repr(r.headers.get('content-type'))") == repr(kind)
    assert await evaluated(stage, f"r = js.Response.new({body})", "await r.text()") == text


@pytest.mark.parametrize(
    ("status", "body", "gives"),
    [
        (307, "stream()", "A request with a one-time-use body"),
        (308, "js.Response.new(stream()).body", "A request with a one-time-use body"),
        # The bytes are there already, and workerd refuses them all the same.
        *(
            (307, f"{body}", "A request with a one-time-use body")
            for body in (
                "js.Response.new('hi').body",
                "js.Response.new('hi').clone().body",
                "js.Response.new('').body",
                "js.Blob.new(['hi']).stream()",
                "js.Request.new('https://x/', method='POST', body='hi').body",
            )
        ),
        (303, "js.Response.new('hi').body", "GET None"),
        (303, "stream()", "GET None"),
        (302, "stream()", "GET None"),
        (307, "'hi'", "POST b'hi'"),
        (307, "js.Blob.new(['hi'])", "POST b'hi'"),
        (307, "js.URLSearchParams.new('a=1')", "POST b'a=1'"),
    ],
)
async def test_a_redirect_sends_a_body_again_that_is_not_a_stream(
    stage: Stage, status: int, body: str, gives: str
) -> None:
    def answer(asked: Request) -> Response:
        if asked.url.path == "/":
            return Response(status, Headers({"location": "/next"}))
        content = None if asked.body is None else asked.body.complete
        return Response(200, body=f"{asked.method} {content!r}".encode())

    stage.origin.answer = answer
    statement = "async def g():\n    yield b'hi'\ndef stream():\n    return getattr(js.ReadableStream, 'from')(g())\n"
    expression = f"await (await js.fetch({U}, method='POST', body={body})).text()"

    assert gives in await evaluated(stage, statement, expression)


@pytest.mark.parametrize(
    ("location", "gives"),
    [("", "302 None"), ("ftp://x/", "Invalid Location header"), ("http://", "Invalid Location header")],
)
async def test_a_location_that_leads_nowhere_is_no_network_failure(stage: Stage, location: str, gives: str) -> None:
    stage.origin.answer = lambda _asked: Response(302, Headers({"location": location}))

    result = await evaluated(stage, f"r = await js.fetch({U})", "f'{r.status} {None if not r.redirected else r.url}'")

    assert result.removeprefix("JsException: TypeError: ").startswith(gives)


@pytest.mark.parametrize("mode", ["MANUAL", "Manual"])
async def test_a_redirect_mode_is_read_in_any_case(stage: Stage, mode: str) -> None:
    assert await evaluated(stage, "pass", f"js.Request.new({U}, redirect={mode!r}).redirect") == "manual"


IMMUTABLE = "JsException: TypeError: Can't modify immutable headers."


@pytest.mark.parametrize(
    ("message", "mutable"),
    [
        ("request.js_object", False),
        ("request.clone().js_object", False),
        ("request.js_object.clone()", False),
        ("js.Request.new(request.js_object)", True),
        ("Request(request).js_object", True),
        ("await js.fetch('https://a.example/')", False),
        ("(await js.fetch('https://a.example/')).clone()", False),
        ("(await fetch('https://a.example/')).js_object", False),
        ("(await fetch('https://a.example/')).clone().js_object", False),
        ("js.Response.new('x', await js.fetch('https://a.example/'))", True),
        ("await kept()", False),
        ("(await kept()).clone()", False),
        ("js.Response.redirect('https://x/')", False),
        ("js.Response.redirect('https://x/').clone()", False),
        ("js.Response.error()", True),
        ("js.Response.json({})", True),
        ("js.Response.new('x')", True),
        ("js.Response.new('x').clone()", True),
        ("js.HTMLRewriter.new().transform(await js.fetch('https://a.example/'))", True),
    ],
)
async def test_headers_that_came_over_the_network_are_immutable(stage: Stage, message: str, mutable: bool) -> None:
    kept = (
        "async def kept():\n"
        "    await js.caches.default.put('https://k/', js.Response.new('x', headers={'cache-control': 'max-age=9'}))\n"
        "    return await js.caches.default.match('https://k/')\n"
        f"h = ({message}).headers\n"
    )

    for change in ("h.set('a', '1')", "h.append('a', '1')", "h.delete('a')"):
        assert await evaluated(stage, kept, change) == ("None" if mutable else IMMUTABLE)


REASON = "JsException: AbortError: The operation was aborted"


@pytest.mark.parametrize(
    ("statement", "expression", "gives"),
    [
        (
            "r = request.js_object",
            "r.signal.aborted, r.signal is r.signal, type(r.signal).__name__",
            "(False, True, 'AbortSignal')",
        ),
        ("r = js.Request.new(U)", "r.signal.aborted", "False"),
        ("r = js.Request.new(U, signal=c.signal); c.abort()", "r.signal.aborted, r.signal is c.signal", "(True, True)"),
        (
            "r = js.Request.new(U, signal=c.signal); s = js.Request.new(r); c.abort()",
            "s.signal.aborted, r.clone().signal.aborted",
            "(True, True)",
        ),
        ("r = js.Request.new(U, signal=c.signal); c.abort()", "await js.fetch(r)", REASON),
        ("r = Request(U, signal=c.signal); c.abort()", "await js.fetch(r.js_object)", REASON),
        ("r = Request(U, signal=c.signal); c.abort()", "await fetch(r)", "AbortError: The operation was aborted"),
        (
            "r = js.Request.new(U, signal=c.signal); c.abort(js.Error.new('why'))",
            "await js.fetch(r)",
            "Error: Error: why",
        ),
        ("r = js.Request.new(U, signal=c.signal); c.abort()", "(await js.fetch(r, signal=jsnull)).status", "200"),
        (
            "r = js.Request.new(U, signal=c.signal); c.abort()",
            "(await js.fetch(r, signal=js.AbortController.new().signal)).status",
            "200",
        ),
        (
            "r = js.Request.new(U, signal=c.signal); p = js.fetch(r).then(str, str)\nawait asyncio.sleep(0); c.abort()",
            "await p",
            "AbortError: The operation was aborted",
        ),
        ("r = await js.fetch(U, signal=c.signal); c.abort()", "await r.text()", REASON),
        ("r = await fetch(U, signal=c.signal); c.abort()", "await r.text()", REASON),
    ],
)
async def test_a_signal_within_a_request_counts(
    stage: Stage, statement: str, expression: str, gives: str
) -> None:  # fmt: skip
    hang = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        yield b"x"
        await hang.wait()

    stage.origin.answer = lambda _: Response(200, body=Body(endless()))
    begin = "from pyodide.ffi import jsnull\nU = 'https://a.example/'\nc = js.AbortController.new()\n"

    assert await evaluated(stage, begin + statement, expression) == gives


WATCHING = """
import asyncio, js
from workers import Response, WorkerEntrypoint
seen = []
class Default(WorkerEntrypoint):
    async def fetch(self, request):
        signal = request.js_object.signal
        signal.addEventListener("abort", lambda event: seen.append(str(signal.reason)))
        if request.url.endswith("/seen"):
            return Response(",".join(seen))
        if request.url.endswith("/slow"):
            await asyncio.sleep(600)
        async def pieces():
            yield b"x"
            await asyncio.sleep(600)
        return Response(getattr(js.ReadableStream, "from")(pieces()))
"""


@pytest.mark.parametrize(
    ("flags", "seen"), [(("enable_request_signal",), "AbortError: The client disconnected."), ((), "")]
)
@pytest.mark.parametrize("path", ["/slow", "/stream"])
async def test_the_signal_of_a_request_is_aborted_when_its_client_leaves(
    stage: Stage, path: str, flags: tuple[str, ...], seen: str
) -> None:
    worker = stage.add(WATCHING, flags=flags)
    request = Request("GET", URL.parse(f"https://x.example{path}"))

    async def read() -> None:
        response = await worker.run(request, stage.origin)
        assert response.body is not None
        await response.body.read()

    task = asyncio.ensure_future(read())
    for _ in range(20):  # until the handler waits
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert (await stage.get("https://x.example/seen")).text == seen
