"""`Headers`: text in UTF-8, JavaScript's conversions. What workerd answered: tests/conformance/cases/web_api.json."""

import pytest

from edgeworker.messages import URL, Headers, Request, Response
from tests.runtime.stage import Stage, evaluated

UTF8 = "café €".encode()
ECHO = {
    "class": "return Response('x', headers={'x-v': request.headers.get('x-v')})",
    "js": "return js.Response.new('x', {'headers': {'x-v': request.js_object.headers.get('x-v')}})",
    "set": "r = js.Response.new('x')\nr.headers.set('x-v', request.js_object.headers.get('x-v'))\nreturn r",
    "append": "h = js.Headers.new()\nh.append('x-v', request.headers['x-v'])\nreturn Response('x', headers=h)",
    "request": "return await fetch(Request('https://o.example/', headers={'x-v': request.headers['x-v']}))",
    "fetch": "return await fetch('https://o.example/', headers=[('x-v', request.headers['x-v'])])",
    "asgi": "async def app(scope, receive, send):\n"
    "    value = dict(scope['headers'])[b'x-v']\n"
    "    await send({'type': 'http.response.start', 'status': 200, 'headers': [(b'x-v', value)]})\n"
    "    await send({'type': 'http.response.body', 'body': b'x'})\n"
    "return await asgi.fetch(app, request, self.env)",
    "wsgi": "def app(environ, start_response):\n"
    "    start_response('200 OK', [('x-v', environ['HTTP_X_V'])])\n"
    "    return [b'x']\n"
    "return await wsgi.fetch(app, request, self.env)",
}
ABOVE = "import asgi, js\nfrom workers import wsgi\n"


async def value_of(stage: Stage, body: str, sent: bytes = UTF8) -> tuple[list[bytes], list[bytes]]:
    """The values of x-v in the answer, and in what the origin got."""
    stage.origin.answer = lambda asked: Response(200, asked.headers.copy())
    worker = stage.add_fetch(body, above=ABOVE)
    fields = Headers.from_raw([(b"x-v", sent)])
    answer = await worker.run(Request("GET", URL.parse("https://example.com/"), fields), stage.origin)
    await answer.close()
    got = [value for request in stage.origin.requests for name, value in request.headers.raw if name == b"x-v"]
    return [value for name, value in answer.headers.raw if name.lower() == b"x-v"], got


@pytest.mark.parametrize("body", ECHO.values(), ids=ECHO)
async def test_a_value_is_read_and_written_as_utf_8(stage: Stage, body: str) -> None:
    answered, _ = await value_of(stage, body)

    assert answered == [UTF8]


async def test_a_script_reads_characters_and_not_bytes(stage: Stage) -> None:
    stage.add_fetch(
        "v = request.headers['x-v']\nreturn Response(f'{v} {len(v)} {request.js_object.headers.get(\"x-v\")}')"
    )

    assert (await stage.get(headers={"x-v": "café €"})).text == "café € 6 café €"


@pytest.mark.parametrize(
    "body", ["return await fetch(request)", "return await fetch('https://o/', headers=request.js_object.headers)"]
)
async def test_bytes_that_are_not_utf_8_pass_through_as_they_came(stage: Stage, body: str) -> None:
    assert await value_of(stage, body, b"caf\xe9!") == ([b"caf\xe9!"], [b"caf\xe9!"])
    assert await value_of(stage, ECHO["class"], b"caf\xe9!") == ([b"caf\xef\xbf\xbd!"], [b"caf\xe9!"])


@pytest.mark.parametrize(
    ("body", "name", "raw"),
    [
        ("return Response('x', headers=[('set-cookie', 'n=é'), ('set-cookie', 'm=€')])", b"set-cookie", "n=é|m=€"),
        ("return Response(None, status=302, headers={'Location': '/é?q=ü'})", b"location", "/é?q=ü"),
        (
            "return Response.redirect('https://x.example/é?q=ü#€')",
            b"location",
            "https://x.example/%C3%A9?q=%C3%BC#%E2%82%AC",
        ),
        (
            "return Response('x', headers={'Content-Disposition': 'attachment; filename=\"résumé.pdf\"'})",
            b"content-disposition",
            'attachment; filename="résumé.pdf"',
        ),
        ("return Response('x', headers={'Content-Type': 'text/é'})", b"content-type", "text/é"),
    ],
)
async def test_cookies_locations_and_file_names_are_utf_8_too(
    stage: Stage, body: str, name: bytes, raw: str
) -> None:  # fmt: skip
    stage.add_fetch(body)
    answer = await stage.get()

    assert [value.decode() for field, value in answer.headers.raw if field.lower() == name] == raw.split("|")


@pytest.mark.parametrize(
    ("location", "url"),
    [("/é?q=ü".encode(), "https://a.example/%C3%A9?q=%C3%BC"), (b"/\xe9?q=\xfc", "https://a.example/%E9?q=%FC")],
)
async def test_a_redirect_is_followed_to_the_bytes_that_its_location_names(
    stage: Stage, location: bytes, url: str
) -> None:
    def answer(asked: Request) -> Response:
        return Response(302, Headers.from_raw([(b"location", location)])) if asked.url.path == "/" else Response(200)

    stage.origin.answer = answer

    assert await stage.run("return Response((await fetch('https://a.example/')).url)") == url


async def test_a_field_of_a_framework_in_latin_1_becomes_utf_8(stage: Stage) -> None:
    answered, _ = await value_of(stage, ECHO["asgi"], b"caf\xe9")
    assert answered == ["café".encode()]

    stage.add_fetch(ECHO["wsgi"].replace("environ['HTTP_X_V']", "'caf\\xe9 €'"), above=ABOVE)
    assert (await stage.get(headers={"x-v": "1"})).headers.get("x-v") == "café €"


NULL = "from pyodide.ffi import jsnull\nh = js.Headers.new"


@pytest.mark.parametrize(
    ("statement", "expression", "gives"),
    [
        (NULL + "({'a': jsnull, 'b': None, 'c': 5, 'd': True})", "h.values()", "['null', 'undefined', '5', 'true']"),
        (NULL + "(); h.set('e', jsnull); h.append('f', None)", "h.values()", "['null', 'undefined']"),
        (NULL + "(null='x', undefined='y')", "h.get(jsnull), h.get(None)", "('x', 'y')"),
        (NULL + "(); h.set('x', '  a b \\t ')", "h.get('x')", "a b"),
        (NULL + "(); h.set('x', 'a\\nb')", "1", "JsException: TypeError: Invalid value of header 'x'"),
        (NULL + "(); h.get('x y')", "1", "JsException: TypeError: Invalid header name: 'x y'."),
        (NULL + "(); h.delete('x y')", "1", "JsException: TypeError: Invalid header name: 'x y'."),
        (NULL + "(); h.has('é')", "1", "1"),
        (
            NULL + "({'a': '1', 'b': '2'}); seen = []\nfor k, _ in h:\n    seen.append(k); h.delete('b')",
            "seen",
            "['a', 'b']",
        ),
    ],
)
async def test_values_are_converted_as_javascript_does(
    stage: Stage, statement: str, expression: str, gives: str
) -> None:
    assert (await evaluated(stage, statement, expression)).startswith(gives)
