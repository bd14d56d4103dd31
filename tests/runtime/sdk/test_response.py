"""`workers.Response`. Source: workers/response.py of workers-runtime-sdk 1.9.5."""

import gzip

import brotli
import pytest

from edgeworker.messages import URL, Body, Headers, Request, Response
from tests.runtime.stage import Stage, evaluated

RULES = [
    # (statement, expression, what it gives)
    (
        "r = Response('x')",
        "r.status, r.ok, r.headers['content-type'], await r.text()",
        "(200, True, 'text/plain;charset=UTF-8', 'x')",
    ),
    ("r = Response(b'x')", "r.headers['content-type'], await r.bytes()", "(None, b'x')"),
    ("r = Response()", "r.headers['content-type'], await r.text(), r.body, r.body_used", "(None, '', None, False)"),
    ("r = Response(None, status=HTTPStatus.NO_CONTENT)", "r.status", "204"),
    ("r = Response('x', status=0, headers={})", "r.status, len(r.headers)", "(200, 1)"),
    (
        "r = Response('x', 404, 'Gone missing', {'A': 'b'})",
        "r.status, r.status_text, r.headers['a'], r.ok",
        "(404, 'Gone missing', 'b', False)",
    ),
    (
        "r = Response('x', headers=[('set-cookie', 'a'), ('set-cookie', 'b')])",
        "r.headers.get_all('Set-Cookie')",
        "['a', 'b']",
    ),
    ("r = Response('x', headers=js.Headers.new({'a': 'b'}))", "r.headers['A']", "b"),
    (
        "r = Response('<p>', headers={'Content-Type': 'text/html'})",
        "r.headers.get_all('content-type')",
        "['text/html']",
    ),
    ("r = Response(FormData({'a': 'b'}))", "(await r.form_data())['a']", "b"),
    ("r = Response(js.URLSearchParams.new('a=b'))", "await r.text()", "a=b"),
    ("r = Response(js.Blob.new(['x'], type='a/b'))", "r.headers['content-type']", "a/b"),
    ("r = Response(js.Uint8Array.new([65]))", "await r.text()", "A"),
    ("r = Response(js.Response.new('x', status=201))", "r.status, await r.text()", "(201, 'x')"),
    (
        "r = Response.json({'a': [1, 'é']})",
        "await r.text(), r.headers['content-type']",
        "('{\"a\": [1, \"\\\\u00e9\"]}', 'application/json')",
    ),
    (
        "r = Response.json([1], status=201, headers={'a': 'b'})",
        "r.status, r.headers['a'], r.headers['content-type']",
        "(201, 'b', 'application/json')",
    ),
    (
        "r = Response.json('x', headers={'Content-Type': 'a/b'})",
        "await r.text(), r.headers['content-type']",
        "('\"x\"', 'a/b')",
    ),
    ("r = Response.from_json(js.Date.new(0))", "await r.text()", '"1970-01-01T00:00:00.000Z"'),
    ("r = await Response('{\"a\": 1}').json()", "r", "{'a': 1}"),
    (
        "r = Response.redirect('https://a.b/c')",
        "r.status, r.headers.get('location'), r.constructor.name",
        "(302, 'https://a.b/c', 'Response')",
    ),
    ("r = Response('x'); c = r.clone()", "await r.text(), await c.text()", "('x', 'x')"),
    ("r = Response('x', status=201); n = r.replace_body('y')", "n.status, await n.text()", "(201, 'y')"),
    ("r = Response('x'); await r.text()", "await r.text()", "BodyUsedError: Body already used"),
    ("b = await Response('x').blob()", "b.size, (await Response('x').buffer()).to_bytes()", "(1, b'x')"),
    (
        "r = Response('x', status=404, status_text='N')",
        "r",
        "Response(status=404, status_text='N', content_type='text/plain;charset=UTF-8')",
    ),
    (
        "",
        "Response(b''), Response(b'').url, Response().redirected, Response().type",
        "(Response(status=200), '', False, 'default')",
    ),
    ("r = Response('x', status=500)", "r.raise_for_status()", "HttpStatusError: 500"),
    ("Response({'a': 1})", "1", "TypeError: Unsupported type in Response: dict; use Response.json(...)"),
    ("Response(5)", "1", "TypeError: Unsupported type in Response: int"),
    ("Response(Blob('x'))", "1", "TypeError: Unsupported type in Response: Blob"),
    ("Response(bytearray(b'x'))", "1", "TypeError: Unsupported type in Response: bytearray"),
    (
        "async def g():\n    yield b''\nResponse(g())",
        "1",
        "TypeError: Unsupported type in Response: async_generator; use js.ReadableStream",
    ),
    ("Response('x', headers='a: b')", "1", "TypeError: Received unexpected type for headers argument: str; use a dict"),
    (
        "Response(js.Response.new('x'), status=201)",
        "1",
        "ValueError: Expected no options when constructing Response from a js.Response",
    ),
    ("r = Response('', status=204)", "r.status, r.body, r.headers['content-type']", "(204, None, None)"),
    ("r = Response(b'', status=304)", "r.status, r.body", "(304, None)"),
    ("r = js.Response.new('', status=205)", "r.status, r.body", "(205, None)"),
    ("Response('', status=101)", "1", "JsException: RangeError: Responses may only be constructed"),
    (
        "r = Response.redirect('https://a.b/c'); r.headers.set('a', 'b')",
        "1",
        "JsException: TypeError: Can't modify immutable headers.",
    ),
    ("r = Response('x', status=204)", "1", "JsException: TypeError: Response with null body status"),
    ("Response('x', status=199)", "1", "JsException: RangeError: Responses may only be constructed with status codes"),
    ("Response('x', headers={'a': 'b\\nc'})", "1", "JsException: TypeError: Invalid value of header 'a'"),
    ("Response.redirect('nope')", "1", "ValueError: Invalid URL"),
    ("Response.redirect('https://a.b', 200)", "1", "ValueError: 200 is not a redirect status code."),
    ("Response.json({1, 2})", "1", "TypeError: Object of type set is not JSON serializable"),
    (
        "Response(None, web_socket=1)",
        "1",
        "JsException: TypeError: a response's webSocket is an end of a Web",
    ),
]


@pytest.mark.parametrize(("statement", "expression", "gives"), RULES)
async def test_a_response_is_as_the_sdk_has_it(stage: Stage, statement: str, expression: str, gives: str) -> None:
    assert (await evaluated(stage, statement, expression)).startswith(gives)


async def test_each_set_cookie_reaches_the_wire_for_itself(stage: Stage) -> None:
    stage.add_fetch(
        "return Response('', headers=[('Set-Cookie', 'a=1'), ('Set-Cookie', 'b=2'), ('X', '1'), ('X', '2')])"
    )

    headers = (await stage.get()).headers

    assert headers.get_set_cookie() == ["a=1", "b=2"]
    assert headers.get("x") == "1, 2"


GZIP = Headers({"content-encoding": "gzip", "content-type": "text/plain"})


async def test_what_is_read_is_decoded_and_what_is_passed_on_is_not_touched(stage: Stage) -> None:
    packed = gzip.compress(b"hello")
    stage.origin.answer = lambda _: Response(200, GZIP.copy(), packed)
    read = "return Response(await (await fetch(request)).text())"
    for body, content in [
        ("return await fetch(request)", packed),
        ("r = await fetch(request)\nreturn Response(r.body, headers=dict(r.headers.items()))", packed),
        ("r = await fetch(request)\nreturn Response(r.body)", b"hello"),
        ("r = await fetch(request)\nreturn r.replace_body(r.body)", packed),
        (read, b"hello"),
    ]:
        stage.add_fetch(body)
        assert (await stage.get()).content == content, body


async def test_a_scripts_own_body_is_encoded_as_its_headers_say(stage: Stage) -> None:
    stage.add_fetch("return Response('hello', headers={'Content-Encoding': 'gzip', 'Content-Length': '5'})")
    answer = await stage.get()
    stage.add_fetch(
        "return js.Response.new('raw', {'headers': {'content-encoding': 'gzip'}, 'encodeBody': 'manual'})",
        above="import js\n",
    )

    assert gzip.decompress(answer.content) == b"hello"
    assert not answer.headers.has("content-length")
    assert (await stage.get()).content == b"raw"


# What workerd wrote and read: tests/conformance/cases/web_api.json.
UNKNOWN_CODINGS = ["zstd", "foo", "deflate", "identity", "gzip, br", "br, gzip", "GZIP", "BR", "x-gzip"]
BODIES = {
    "text": "return Response('hello', headers={'Content-Encoding': CODING})",
    "bytes": "return Response(b'hello', headers={'Content-Encoding': CODING})",
    "a clone": "return Response('hello', headers={'Content-Encoding': CODING}).clone()",
    "js": "return js.Response.new('hello', {'headers': {'content-encoding': CODING}})",
    "a header that is set later": "r = js.Response.new('hello')\nr.headers.set('content-encoding', CODING)\nreturn r",
    "a stream": "s = js.TransformStream.new()\nw = s.writable.getWriter()\n"
    "async def write():\n    await w.write(b'hel')\n    await w.write(b'lo')\n    await w.close()\n"
    "self.ctx.waitUntil(write())\nreturn Response(s.readable, headers={'Content-Encoding': CODING})",
    "a blob": "return Response(js.Blob.new(['hello']), headers={'Content-Encoding': CODING})",
    "an application": "async def app(scope, receive, send):\n"
    "    fields = [(b'content-encoding', CODING.encode())]\n"
    "    await send({'type': 'http.response.start', 'status': 200, 'headers': fields})\n"
    "    await send({'type': 'http.response.body', 'body': b'hel', 'more_body': True})\n"
    "    await send({'type': 'http.response.body', 'body': b'lo'})\n"
    "return await asgi.fetch(app, request, self.env)",
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
async def test_a_scripts_own_body_is_written_in_brotli_and_under_unknown_codings_as_it_is(
    stage: Stage, body: str
) -> None:
    for coding in ["br", *UNKNOWN_CODINGS]:
        stage.add_fetch(body.replace("CODING", repr(coding)), above="import asgi, js\n")
        answer = await stage.get()

        assert answer.headers.get("content-encoding") == coding
        assert (brotli.decompress(answer.content) if coding == "br" else answer.content) == b"hello", coding
    assert await stage.background.drain() == 0


async def test_json_is_encoded_as_its_headers_say(stage: Stage) -> None:
    stage.add_fetch("return Response.json({'a': 1}, headers={'Content-Encoding': 'br'})")
    assert brotli.decompress((await stage.get()).content) == b'{"a": 1}'

    stage.add_fetch("return Response.json({'a': 1}, headers={'Content-Encoding': 'foo'})")
    assert (await stage.get()).content == b'{"a": 1}'


FETCHED = "r = await fetch(request)\n"


@pytest.mark.parametrize(
    ("body", "plain", "declared"),
    [
        ("return Response(await r.text())", True, None),
        ("return Response(r.body)", True, None),
        ("return js.Response.new(r.body, r.js_object)", False, "same"),
        ("n = js.Response.new(r.body, r.js_object)\nn.headers.delete('content-encoding')\nreturn n", True, None),
        ("n = js.Response.new(r.body, r.js_object)\nn.headers.set('content-encoding', 'foo')\nreturn n", True, "foo"),
        (
            "n = js.Response.new(r.body, headers={'content-encoding': 'foo'})\nreturn Response(await n.text())",
            True,
            None,
        ),
        ("return js.Response.new(r.body, encodeBody='manual', headers=r.js_object.headers)", True, "same"),
        ("return js.Response.new(r.js_object.clone().body, r.js_object)", False, "same"),
        ("return r.clone()", False, "same"),
        ("return await fetch('https://sink.example/', method='POST', body=r.body)", True, None),
    ],
)
@pytest.mark.parametrize("coding", ["gzip", "br"])
async def test_a_fetched_body_is_decoded_where_its_new_headers_do_not_name_its_coding(
    stage: Stage, coding: str, body: str, plain: bool, declared: str | None
) -> None:
    packed = gzip.compress(b"hello") if coding == "gzip" else brotli.compress(b"hello")

    def answer(request: Request) -> Response:
        if request.url.hostname == "sink.example":
            return Response(200, body=request.body)
        return Response(200, Headers({"content-encoding": coding}), packed)

    stage.origin.answer = answer
    stage.add_fetch(FETCHED + body, above="import js\n")
    got = await stage.get()

    assert got.content == (b"hello" if plain else packed)
    assert got.headers.get("content-encoding") == (coding if declared == "same" else declared)


@pytest.mark.parametrize("coding", UNKNOWN_CODINGS)
async def test_a_fetched_body_in_a_coding_that_the_runtime_does_not_know_is_raw(stage: Stage, coding: str) -> None:
    stage.origin.answer = lambda _: Response(200, Headers({"content-encoding": coding}), b"packed")

    assert await stage.run("return await fetch(request)") == "packed"
    assert await stage.run("return Response(await (await fetch(request)).text())") == "packed"


async def test_a_streamed_body_is_made_while_it_is_read_and_within_its_invocation(stage: Stage) -> None:
    worker = stage.add_fetch(
        """
        async def pull(controller):
            if len(made) == 3:
                return controller.close()
            made.append(await (await fetch("https://o.example/")).text())
            controller.enqueue(made[-1].encode())
        return Response(js.ReadableStream.new(pull=pull))
        """,
        above="import js\nmade = []\n",
    )
    stage.origin.answer = lambda _: Response(200, body=b"x%d" % len(stage.origin.requests))
    response = await worker.run(Request("GET", URL.parse("https://a.b/")), stage.origin)

    assert stage.origin.requests == []
    assert isinstance(response.body, Body)
    assert [piece async for piece in response.body.stream()] == [b"x1", b"x2", b"x3"]


async def test_the_headers_of_one_response_are_those_of_another_as_the_documentation_shows(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.origin.answer = lambda _: Response(200, Headers({"x-a": "1", "x-b": "2", "content-type": "a/b"}), b"x")
    stage.add_fetch(
        """
        response = await fetch("https://example.com")
        new_headers = response.headers
        new_headers["x-c"] = "3"
        if "x-b" in new_headers:
            del new_headers["x-b"]
        return Response(response.body, headers=new_headers)
        """
    )

    headers = (await stage.get()).headers

    assert [headers.get(name) for name in ("x-a", "x-b", "x-c", "content-type")] == ["1", None, "3", "a/b"]
