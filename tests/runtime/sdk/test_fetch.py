"""`workers.fetch`: options, redirects, failures. Source: https://fetch.spec.whatwg.org/#http-redirect-fetch"""

from collections.abc import AsyncIterator, Callable, Mapping

import pytest

from edgeworker.errors import OriginError, ScriptError
from edgeworker.messages import URL, Body, Headers, Request, Response
from tests.runtime.stage import Stage, evaluated


def going(places: Mapping[str, tuple[int, str]]) -> Callable[[Request], Response]:
    """An origin that redirects: URL -> (status, location); other URLs answer what they were asked with."""

    def answer(request: Request) -> Response:
        if request.url.href in places:
            status, location = places[request.url.href]
            return Response(status, Headers({"location": location}))
        names = ",".join(sorted(name for name, _ in request.headers.entries()))
        content = b"" if request.body is None else request.body.complete or b""
        return Response(200, body=f"{request.method} {request.url} [{names}] {content.decode()}".encode())

    return answer


HEADERS = "{'authorization': 'a', 'cookie': 'c', 'x': '1'}"
REDIRECTS = [
    # (status, location, the call, what the last server was asked)
    (302, "/b", "fetch('https://a.example/a')", "GET https://a.example/b [] "),
    (
        301,
        "https://a.example/b",
        f"fetch('https://a.example/a', headers={HEADERS})",
        "GET https://a.example/b [authorization,cookie,x] ",
    ),
    (301, "https://c.example/b", f"fetch('https://a.example/a', headers={HEADERS})", "GET https://c.example/b [x] "),
    (302, "http://a.example/b", f"fetch('https://a.example/a', headers={HEADERS})", "GET http://a.example/b [x] "),
    (302, "/b", "fetch('https://a.example/a', method='POST', body='x')", "GET https://a.example/b [] "),
    (303, "/b", "fetch('https://a.example/a', method='PUT', body='x')", "GET https://a.example/b [] "),
    (307, "/b", "fetch('https://a.example/a', method='POST', body='x')", "POST https://a.example/b [content-type] x"),
    (308, "/b", "fetch('https://a.example/a', method='PUT', body=b'x')", "PUT https://a.example/b [] x"),
    (302, "/b", "fetch('https://a.example/a', method='PUT', body=b'x')", "PUT https://a.example/b [] x"),
    (304, "/b", "fetch('https://a.example/a')", ""),
]


@pytest.mark.parametrize(("status", "location", "call", "asked"), REDIRECTS)
async def test_redirects_are_followed_as_the_standard_says(
    stage: Stage, status: int, location: str, call: str, asked: str
) -> None:
    stage.origin.answer = going({"https://a.example/a": (status, location)})

    assert await evaluated(stage, f"r = await {call}", "await r.text()") == asked


async def test_a_followed_response_says_where_it_came_from(stage: Stage) -> None:
    stage.origin.answer = going({"https://a.example/a": (302, "/b")})

    assert (
        await evaluated(
            stage,
            "r = await fetch('https://a.example/a'); s = await fetch('https://a.example/c')",
            "r.url, r.redirected, s.redirected",
        )
        == "('https://a.example/b', True, False)"
    )


FAILURES = [
    (
        "await fetch('https://a.example/loop')",
        "OSError: Too many redirects (20), the last one from https://a.example/loop",
    ),
    ("await fetch('https://a.example/a', redirect='error')", "OSError: Invalid redirect value"),
    (
        "await fetch('https://a.example/odd')",
        "OSError: Invalid Location header; unable to follow redirect. https://a.example/odd redirects to what is not",
    ),
    ("await request.text(); await fetch(request)", "OSError: Body has already been used."),
    ("await fetch('nope')", 'OSError: Invalid URL: "nope"'),
    (
        "await fetch('https://a.example', {'method': 'PUT'})",
        "TypeError: fetch() takes 1 positional argument but 2 were given",
    ),
    ("await fetch('https://a.example', headers=5)", "TypeError: Received unexpected type for headers argument: int"),
    (
        "async def g():\n    yield b'x'\n"
        "await fetch('https://a.example/temporary', method='POST', body=getattr(js.ReadableStream, 'from')(g()))",
        "OSError: A request with a one-time-use body",
    ),
]


@pytest.mark.parametrize(("call", "says"), FAILURES)
async def test_what_cannot_be_fetched_is_an_error(stage: Stage, call: str, says: str) -> None:
    stage.origin.answer = going(
        {
            "https://a.example/loop": (302, "/loop"),
            "https://a.example/a": (302, "/b"),
            "https://a.example/odd": (302, "ftp://x"),
            "https://a.example/temporary": (307, "/b"),
        }
    )

    assert (await evaluated(stage, call, "1")).replace("FetchFailed", "OSError").startswith(says)


async def test_the_incoming_requests_redirects_are_handed_to_the_client(stage: Stage) -> None:
    stage.origin.answer = lambda _: Response(302, Headers({"location": "/b"}))
    for call in (
        "fetch(request)",
        "fetch(Request(request, headers={'a': 'b'}))",
        "fetch('https://a.b', redirect='manual')",
    ):
        stage.add_fetch(f"return await {call}")
        answer = await stage.get()
        assert (answer.status, answer.headers.get("location")) == (302, "/b")


async def test_an_origin_that_does_not_answer_is_an_os_error(stage: Stage) -> None:
    def refuse(_request: Request) -> Response:
        raise OriginError("connection refused", status=521)

    stage.origin.answer = refuse

    assert (
        await stage.run(
            "try:\n    await fetch('https://a.example/p?secret=1')\n"
            "except OSError as error:\n    return Response(f'{isinstance(error, OSError)} {error}')"
        )
        == "True GET https://a.example/p: connection refused"
    )


async def test_an_answer_of_500_is_not_an_error(stage: Stage) -> None:
    stage.origin.answer = lambda _: Response(500, body=b"x")

    assert await evaluated(stage, "r = await fetch('https://a.b')", "r.status, r.ok") == "(500, False)"


async def test_the_host_header_follows_the_url(stage: Stage) -> None:
    stage.add_fetch("return await fetch(Request('https://other.example/', headers=dict(request.headers.items())))")
    await stage.get(headers={"Host": "example.com", "A": "b"})

    sent = stage.origin.requests[0]
    assert sent.headers.get("host") is None
    assert sent.headers.get("a") == "b"


@pytest.mark.parametrize(
    "sent",
    [
        "request",
        "Request(request)",
        "Request(request, method='POST')",
        "Request(request, headers=request.js_object.headers)",
        "Request(Request(request, headers=request.js_object.headers), redirect='follow')",
        "'https://other.example/', headers=request.js_object.headers",
        "request.js_object",
        "js.Request.new(request.js_object, headers=request.js_object.headers)",
    ],
)
async def test_headers_that_a_script_hands_on_go_out_as_the_bytes_that_came(stage: Stage, sent: str) -> None:
    """The same objects, so they were neither checked nor encoded a second time."""
    fields = [(b"X-Long", b"a long value"), (b"x-bytes", b"caf\xe9")]
    received = Request("GET", URL.parse("https://example.com/"), Headers.from_raw(fields))
    stage.add_fetch(f"return await fetch({sent})", above="import js\n")

    await stage.workers["w"].run(received, stage.origin)

    sent_headers = stage.origin.requests[0].headers
    assert [sent_headers.get_bytes(name) for name in ("x-long", "x-bytes")] == [value for _, value in fields]
    assert sent_headers.get_bytes("x-long") is fields[0][1]


async def test_a_streamed_request_body_is_passed_on_unread(stage: Stage) -> None:
    pulled: list[int] = []

    async def pieces() -> AsyncIterator[bytes]:
        for number in range(3):
            pulled.append(number)
            yield b"%d" % number

    body = Body(pieces(), length=3)
    stage.add_fetch("return await fetch(Request(request, headers={'a': 'b'}))")
    await stage.get(method="POST", body=body)

    assert stage.origin.requests[0].body is body
    assert pulled == []
    assert await body.read() == b"012"


async def test_two_requests_at_once_have_subrequests_of_their_own(stage: Stage) -> None:
    assert (
        await evaluated(
            stage,
            "a, b = await asyncio.gather(fetch('https://a.b/1'), fetch('https://a.b/2'))",
            "await a.text() + await b.text()",
        )
        == "from the originfrom the origin"
    )


async def test_fetch_at_the_top_of_a_script_is_refused(stage: Stage) -> None:
    with pytest.raises(ScriptError, match="only while a handler runs"):
        stage.add("import asyncio\nfrom workers import fetch\nfetch('https://a.b').send(None)\n")


RPC = [
    ("", "python_to_rpc(None), python_to_rpc({'a': [1]}).a[0]", "(jsnull, 1)"),
    (
        "",
        "python_from_rpc(js.Object.new({'a': 1})), python_from_rpc(js.jsnull if hasattr(js, 'jsnull') else None)",
        "({'a': 1}, None)",
    ),
    ("", "python_from_rpc(js.Map.new([['a', 1]])), python_from_rpc(js.Date.new(0)).year", "({'a': 1}, 1970)"),
    ("", "type(python_from_rpc(js.Response.new('x'))).__module__.split('.')[-1]", "response"),
    ("", "python_to_rpc((1, 2))", "TypeError: <class 'tuple'> cannot be sent over RPC."),
    ("", "python_to_rpc({'a': asyncio.Event().wait})['a'] is not None", "True"),
]


@pytest.mark.parametrize(("statement", "expression", "gives"), RPC)
async def test_values_are_converted_for_rpc(stage: Stage, statement: str, expression: str, gives: str) -> None:
    assert await evaluated(stage, statement, expression) == gives


@pytest.mark.parametrize(
    "signal",
    ["js.AbortSignal.abort()", "js.AbortSignal.any([js.AbortController.new().signal, js.AbortSignal.abort()])"],
)
async def test_a_fetch_with_an_aborted_signal_is_an_abort_error(stage: Stage, signal: str) -> None:
    found = await evaluated(
        stage,
        f"from pyodide.http import AbortError\ntry:\n    await fetch('https://a.example/', signal={signal})\n"
        "except AbortError as error:\n    found = isinstance(error, OSError), str(error)",
        "found",
    )

    assert found == "(True, 'The operation was aborted')"
    assert stage.origin.requests == []


async def test_the_reason_of_a_signal_may_be_any_value(stage: Stage) -> None:
    found = await evaluated(
        stage,
        "from pyodide.http import AbortError\ntry:\n"
        "    await fetch('https://a.example/', signal=js.AbortSignal.abort('too slow'))\n"
        "except AbortError as error:\n    found = str(error)",
        "found",
    )

    assert found == "too slow"


async def test_a_fetch_with_a_signal_that_is_not_aborted_goes_through(stage: Stage) -> None:
    one = "one = js.AbortController.new(); signal = js.AbortSignal.any([one.signal, js.AbortController.new().signal])"

    assert await evaluated(stage, one, "(await fetch('https://a.example/', signal=signal)).status") == "200"
    assert await evaluated(stage, f"{one}; one.abort()", "signal.aborted, signal.reason.name") == "(True, 'AbortError')"
    assert (await evaluated(stage, "js.AbortSignal.any([1])", "1")).startswith(
        "JsException: TypeError: Incorrect type for array element 0"
    )
