"""Every idiom of public scripts, run in a real script: (statement, expression, what it answers)."""

import pytest

from edgeworker.bindings import JSONBinding, TextBinding
from edgeworker.errors import ScriptError
from edgeworker.messages import Response
from tests.runtime.stage import Stage

ALL = """
from js import (
    Response, Headers, Request, fetch, URL, URLSearchParams, console, Object, JSON, Date, Math, crypto, TextEncoder,
    TextDecoder, Uint8Array, ArrayBuffer, FormData, Blob, File, AbortController, setTimeout, Promise, caches, atob,
    btoa, Map, Array, HTMLRewriter, WebSocketPair, ReadableStream, TransformStream, performance, navigator,
)
import js, pyodide, pyodide.http, pyodide.webloop, asyncio
from pyodide.ffi import (
    to_js, create_proxy, create_once_callable, JsException, JsProxy, JsNull, jsnull, run_sync, destroy_proxies,
)
"""

IDIOMS = [
    # modules
    ("import js.fetch\nfrom js.Object import fromEntries", "js.fetch is fetch, fromEntries([['a', 1]]).a", "(True, 1)"),
    ("import js.JSON as j\nfrom js.crypto import randomUUID", "j.stringify([1]), len(randomUUID())", "('[1]', 36)"),
    (
        "try:\n    from js.nothing import a\nexcept ImportError as x:\n    e = x",
        "str(e)",
        "No module named 'js.nothing'",
    ),
    ("from workers.rpc import python_from_rpc, python_to_rpc", "python_from_rpc(python_to_rpc({'a': 1}))['a']", "1"),
    ("import asgi\ns = asgi.request_to_scope(request, env)", "s['path'], s['env'] is env", "('/path', True)"),
    ("import asgi\ns = asgi.request_to_scope(request, None, True)", "s['type']", "websocket"),
    # data
    ("", "to_js(1) + to_js(2)", "3"),
    ("m = to_js({'a': 1})", "m.get('a'), m.has('b'), m.size, isinstance(m, JsProxy)", "(1, False, 1, True)"),
    ("o = to_js({'a': {'b': [1]}}, dict_converter=Object.fromEntries)", "o.a.b[0], o['a']['b'].length", "(1, 1)"),
    ("o = Object.fromEntries([['a', 1]])", "o.a, o.to_py(), o.object_keys()", "(1, {'a': 1}, ['a'])"),
    ("o = Object.new(); o.x = 1", "JSON.stringify(o), Object.keys(o)", "('{\"x\":1}', ['x'])"),
    ("o = Object.assign(Object.new(), {'a': 1}, {'b': 2})", "o.b, Object.entries(o)", "(2, [['a', 1], ['b', 2]])"),
    ("", "JSON.stringify({'a': [1, 'é', None, 1.5, 2.0, True]})", '{"a":[1,"é",null,1.5,2,true]}'),
    ("", "JSON.stringify(to_js({'a': 1}))", '{"a":1}'),  # properties of their own, unlike those of a Map
    ("", "JSON.stringify([float('nan'), Date.new(0)])", '[null,"1970-01-01T00:00:00.000Z"]'),
    ('d = JSON.parse(\'{"a": [{"b": 2}]}\')', "d.a[0].b, d.a.length, d.to_py()", "(2, 1, {'a': [{'b': 2}]})"),
    (
        "a = Array.new(); a.push(1); a.push(2)",
        "a.length, a.join('-'), a.includes(2), a.to_py()",
        "(2, '1-2', True, [1, 2])",
    ),
    ("m = Map.new(); m.set('k', 1)", "m.get('k'), m.get('x'), m.entries()", "(1, None, [('k', 1)])"),
    ("m = Map.new([['a', 1]])", "m.to_py()", "{'a': 1}"),
    ("", "Math.floor(1.7), Math.round(2.5), 0 <= Math.random() < 1, Math.max(1, 2)", "(1, 3, True, 2)"),
    ("", "jsnull, bool(jsnull), isinstance(jsnull, JsNull)", "(jsnull, False, True)"),
    ("p = create_proxy(lambda x: x + 1)", "p(1), p.destroy()", "(2, None)"),
    ("p = create_proxy({'a': 1}); destroy_proxies([p])", "p.get('a')", "1"),
    ("p = create_once_callable(lambda: 1)", "p()", "1"),
    ("", "pyodide.__version__.count('.')", "2"),
    # bytes
    ("", "to_js(b'ab').buffer.to_bytes()", "b'ab'"),
    ("a = Uint8Array.new([1, 256, 3])", "a.to_py().tolist(), a.length, a.byteLength, a[2]", "([1, 0, 3], 3, 3, 3)"),
    ("a = Uint8Array.new(4); a.set(b'xy', 1)", "bytes(a), a.slice(1, 3).to_bytes()", "(b'\\x00xy\\x00', b'xy')"),
    ("", "ArrayBuffer.new(2).to_bytes(), Uint8Array.new(b'ab').to_memoryview().tobytes()", "(b'\\x00\\x00', b'ab')"),
    ("", "TextEncoder.new().encode('é').to_bytes(), TextDecoder.new().decode(b'\\xc3\\xa9')", "(b'\\xc3\\xa9', 'é')"),
    ("", "TextDecoder.new('utf-8').decode(b'\\xef\\xbb\\xbfa\\xff')", "a�"),
    ("", "btoa('hé'), atob('aOk='), atob('aOk')", "('aOk=', 'hé', 'hé')"),
    ("", "js.encodeURIComponent('a b/é'), js.decodeURIComponent('a%20b')", "('a%20b%2F%C3%A9', 'a b')"),
    # URLs: https://url.spec.whatwg.org/
    (
        "u = URL.new('https://U:p@A.b:8443/x/../y?q=1&q=2#h')",
        "u.pathname, u.hostname, u.host, u.port",
        "('/y', 'a.b', 'a.b:8443', '8443')",
    ),
    (
        "u = URL.new('https://a.b/y?q=1&q=2#h')",
        "u.search, u.hash, u.protocol, u.origin, u.href == str(u)",
        "('?q=1&q=2', '#h', 'https:', 'https://a.b', True)",
    ),
    (
        "u = URL.new('https://a.b/?q=1')",
        "u.searchParams.get('q'), u.searchParams.get('z'), u.searchParams.has('q')",
        "('1', None, True)",
    ),
    (
        "u = URL.new('https://a.b/'); u.searchParams.set('x', 'a b'); u.pathname = '/new'",
        "u.href",
        "https://a.b/new?x=a+b",
    ),
    ("u = URL.new('/p', 'https://a.b/x')", "u.href, u.toString()", "('https://a.b/p', 'https://a.b/p')"),
    ("u = URL.new(request.url); u.hostname = 'other.example'", "u.toString()", "https://other.example/path?q=1"),
    (
        "p = URLSearchParams.new('a=1&b=2&a=3')",
        "p.getAll('a'), p.toString(), p.size, list(p)[0]",
        "(['1', '3'], 'a=1&b=2&a=3', 3, ('a', '1'))",
    ),
    ("p = URLSearchParams.new({'a': 1}); p.append('a', 2); p.delete('x')", "str(p)", "a=1&a=2"),
    ("", "URL.canParse('nope'), URL.parse('nope')", "(False, None)"),
    # headers
    (
        "h = Headers.new(); h.set('X-A', '1'); h.append('x-a', '2')",
        "h.get('X-a'), h.has('x-a'), h.get('none')",
        "('1, 2', True, None)",
    ),
    (
        "h = Headers.new({'b': '2', 'A': '1'})",
        "list(h), dict(h.entries())",
        "([('a', '1'), ('b', '2')], {'a': '1', 'b': '2'})",
    ),
    ("h = Headers.new({'a': '1'}.items())", "list(h.keys())", "['a']"),
    ("h = Headers.new([['a', 'b']]); h.delete('a')", "h.has('a')", "False"),
    ("h = Headers.new(to_js({'a': 'b'})); g = Headers.new(h); g.set('a', 'c')", "h.get('a'), g.get('a')", "('b', 'c')"),
    ("h = Headers.new(); h.append('set-cookie', 'a'); h.append('set-cookie', 'b')", "h.getSetCookie()", "['a', 'b']"),
    ("", "request.headers.get('Authorization'), request.headers.has('x')", "('Bearer t', False)"),
    # requests
    ("", "str(request.url), str(request.method)", "('https://example.com/path?q=1', 'POST')"),
    ("", "request.url.split('/')[3], request.method == 'POST'", "('path?q=1', True)"),
    ("d = await request.json()", "d.name, d['name'], d.to_py()", "('x', 'x', {'name': 'x'})"),
    ("d = (await request.json()).to_py()", "d['name']", "x"),
    ("", "await request.text()", '{"name": "x"}'),
    ("", "(await request.arrayBuffer()).to_bytes()[:2]", "b'{\"'"),
    (
        "c = request.clone(); await request.text()",
        "request.bodyUsed, c.bodyUsed, await c.text()",
        '(True, False, \'{"name": "x"}\')',
    ),
    ("", "request.cf.country, request.constructor.name", "('DE', 'Request')"),
    (
        "r = Request.new('https://a.b', {'method': 'PUT', 'body': 'x'})",
        "r.url, r.method, await r.text()",
        "('https://a.b/', 'PUT', 'x')",
    ),
    (
        "r = Request.new(request, method='PATCH', headers={'n': '1'})",
        "r.method, r.headers.get('n'), r.headers.get('authorization')",
        "('PATCH', '1', None)",
    ),
    (
        "r = Request.new('https://new.example/', request)",
        "r.url, r.method, r.headers.get('authorization'), await r.text()",
        "('https://new.example/', 'POST', 'Bearer t', '{\"name\": \"x\"}')",
    ),
    # responses
    (
        "r = Response.new('t', status=201, headers=Headers.new({'a': 'b'}))",
        "r.status, r.headers.get('a'), r.ok",
        "(201, 'b', True)",
    ),
    ("r = Response.new('t', {'status': 404})", "r.status, r.statusText, r.ok", "(404, '', False)"),
    (
        "r = Response.new('t', to_js({'status': 402, 'headers': {'a': 'b'}}, dict_converter=Object.fromEntries))",
        "r.status, r.headers.get('a')",
        "(402, 'b')",
    ),
    (
        "r = Response.json(to_js({'a': [1, 2]}, dict_converter=Object.fromEntries))",
        "await r.text(), r.headers.get('content-type')",
        "('{\"a\":[1,2]}', 'application/json')",
    ),
    (
        "r = Response.json({'a': 1}, status=201, headers={'content-type': 'x/y'})",
        "r.status, r.headers.get('content-type')",
        "(201, 'x/y')",
    ),
    ("r = Response.redirect('https://a.b/c', 301)", "r.status, r.headers.get('location')", "(301, 'https://a.b/c')"),
    ("r = Response.new(None, status=204)", "r.body, r.status", "(None, 204)"),
    (
        "r = Response.new('new', Response.new('old', {'status': 418, 'headers': {'a': 'b'}}))",
        "r.status, r.headers.get('a'), await r.text()",
        "(418, 'b', 'new')",
    ),
    ("r = Response.new('{\"a\": 1}')", "(await r.json()).a", "1"),
    (
        "r = Response.new(URLSearchParams.new('a=1'))",
        "await r.text(), r.headers.get('content-type')",
        "('a=1', 'application/x-www-form-urlencoded;charset=UTF-8')",
    ),
    (
        "r = Response.new(Blob.new(['a', b'b'], {'type': 'text/x'}))",
        "await r.text(), r.headers.get('content-type')",
        "('ab', 'text/x')",
    ),
    (
        "f = FormData.new(); f.append('a', '1'); f.append('a', '2')",
        "f.get('a'), f.getAll('a'), f.has('b')",
        "('1', ['1', '2'], False)",
    ),
    (
        "f = FormData.new(); f.append('f', Blob.new(['x']), 'n.txt'); g = await Response.new(f).formData()",
        "g.get('f').name, await g.get('f').text()",
        "('n.txt', 'x')",
    ),
    (
        "f = File.new(['ab'], 'n', {'type': 'A/B'})",
        "f.name, f.type, f.size, await f.slice(1, 2).text()",
        "('n', 'a/b', 2, 'b')",
    ),
    # fetch
    (
        "r = await fetch('https://o.example/x')",
        "r.status, r.ok, r.url, await r.text()",
        "(200, True, 'https://o.example/x', 'origin')",
    ),
    (
        "r = await fetch('https://o.example/x', to_js({'method': 'POST'}, dict_converter=Object.fromEntries))",
        "r.status",
        "200",
    ),
    (
        "r = await fetch('https://o.example/', method='POST', headers={'a': 'b'}, body='x')",
        "r.headers.get('x-from')",
        "origin",
    ),
    ("r = await js.fetch(Request.new('https://o.example/'))", "(await r.arrayBuffer()).byteLength", "6"),
    ("t = await fetch('https://o.example/').then(lambda r: r.text())", "t", "origin"),
    (
        "a, b = await asyncio.gather(fetch('https://o.example/1'), fetch('https://o.example/2'))",
        "a.status + b.status",
        "400",
    ),
    # tasks
    ("seen = []; setTimeout(create_proxy(lambda: seen.append(1)), 0); await asyncio.sleep(0.01)", "seen", "[1]"),
    ("v = await Promise.all([Promise.resolve(1), asyncio.sleep(0, 2)])", "v", "[1, 2]"),
    ("v = await Promise.new(lambda resolve, reject: resolve(3))", "v", "3"),
    ("v = run_sync(asyncio.sleep(0, 'waited'))", "v", "waited"),
    ("c = AbortController.new(); c.abort()", "c.signal.aborted, c.signal.reason.name", "(True, 'AbortError')"),
    # crypto and time
    ("", "len(crypto.randomUUID()), len(crypto.getRandomValues(Uint8Array.new(8)))", "(36, 8)"),
    ("d = await crypto.subtle.digest('SHA-256', TextEncoder.new().encode('abc'))", "bytes(d).hex()[:8]", "ba7816bf"),
    ("d = await crypto.subtle.digest({'name': 'SHA-1'}, b'abc')", "d.to_bytes().hex()[:8]", "a9993e36"),
    (
        "u = ['sign', 'verify']\n"
        "k = await crypto.subtle.importKey('raw', b'k', {'name': 'HMAC', 'hash': 'SHA-256'}, False, u)\n"
        "s = await crypto.subtle.sign('HMAC', k, b'm')",
        "len(s), await crypto.subtle.verify('HMAC', k, s, b'm'), await crypto.subtle.verify('HMAC', k, b'x', b'm')",
        "(32, True, False)",
    ),
    ("", "Date.now() > 1_600_000_000_000, Date.new(0).toISOString()", "(True, '1970-01-01T00:00:00.000Z')"),
    (
        "d = Date.new('2024-02-29T12:30:00Z')",
        "d.getTime(), d.getMonth(), d.getDay(), d.toUTCString()",
        "(1709209800000, 1, 4, 'Thu, 29 Feb 2024 12:30:00 GMT')",
    ),
    ("", "performance.now() >= 0, navigator.userAgent", "(True, 'Cloudflare-Workers')"),
    ("", "await caches.default.match(request)", "None"),
    # streams
    (
        "s = request.body; r = s.getReader(); x = await r.read(); y = await r.read()",
        "x.done, x.value.to_bytes()[:2], y.done",
        "(False, b'{\"', True)",
    ),
    ("parts = [p.to_bytes() async for p in request.body]", "b''.join(parts)", 'b\'{"name": "x"}\''),
    (
        "t = TransformStream.new(); w = t.writable.getWriter()\n"
        "async def write():\n    await w.write(b'a'); await w.write(b'b'); await w.close()\n"
        "task = asyncio.ensure_future(write())",
        "await Response.new(t.readable).text()",
        "ab",
    ),
    (
        "def pull(c):\n    c.enqueue(Uint8Array.new([65])); c.close()",
        "await Response.new(ReadableStream.new({'pull': pull})).text()",
        "A",
    ),
]


@pytest.mark.parametrize(("statement", "expression", "answers"), IDIOMS)
async def test_an_idiom_of_public_scripts_runs(stage: Stage, statement: str, expression: str, answers: str) -> None:
    body = "\n".join(f"    {line}" for line in statement.splitlines())
    script = f"{ALL}\nasync def on_fetch(request, env, ctx):\n{body}\n    value = {expression}\n"
    stage.add(script + "    return js.Response.new(value if isinstance(value, str) else repr(value))\n")
    stage.origin.answer = _from_origin

    answer = await stage.get(
        "https://example.com/path?q=1",
        method="POST",
        headers={"Authorization": "Bearer t"},
        body=b'{"name": "x"}',
        cf={"country": "DE"},
    )

    assert answer.text == answers


def _from_origin(_request: object) -> Response:
    response = Response(200, body=b"origin")
    response.headers.set("X-From", "origin")
    return response


ERRORS = [
    # (expression, the error: its name and text)
    (
        "Response.new('x', status=204)",
        "JsException TypeError: Response with null body status (101, 204, 205, or 304) cannot have a body.",
    ),
    (
        "Response.new('x', status=99)",
        "JsException RangeError: Responses may only be constructed with status codes in the range",
    ),
    ("Response.new('x', statusText='a\\nb')", "JsException TypeError: Invalid statusText"),
    ("Response.redirect('https://a.b', 200)", "JsException RangeError: 200 is not a redirect status code."),
    ("Request.new('nope')", 'JsException TypeError: Invalid URL: "nope"'),
    (
        "Request.new('https://a.b', {'body': 'x'})",
        "JsException TypeError: Request with a GET or HEAD method cannot have a body.",
    ),
    ("Request.new('https://a.b', {'redirect': 'x'})", "JsException TypeError: Invalid redirect value, must be one of"),
    ("Request.new('https://a.b', {'method': 'A B'})", "JsException TypeError: Invalid HTTP method string: A B"),
    ("URL.new('nope')", "JsException TypeError: Invalid URL string"),
    ("Headers.new({'a b': 'c'})", "JsException TypeError: Invalid header name: 'a b'."),
    ("Headers.new(['a'])", "JsException TypeError: a list of [name, value] pairs was expected"),
    ("request.headers.set('a', 'b')", "JsException TypeError: Can't modify immutable headers."),
    (
        "(await fetch('https://o.example/')).headers.set('a', 'b')",
        "JsException TypeError: Can't modify immutable headers.",
    ),
    ("[await request.text(), await request.text()]", "JsException TypeError: Body has already been used."),
    ("JSON.parse('{')", "JsException SyntaxError: Expected property name"),
    ("JSON.stringify(object())", "JsException TypeError: JSON.stringify: object is not a value of JSON"),
    ("await crypto.subtle.digest('SHA-3', b'')", "JsException NotSupportedError: Unrecognized or unimplemented digest"),
    ("await crypto.subtle.sign('HMAC', 1, b'')", "JsException TypeError: Failed to execute 'sign' on 'SubtleCrypto'"),
    ("atob('*')", "JsException InvalidCharacterError: atob() called with invalid base64-encoded data."),
    ("TextDecoder.new('utf-8', {'fatal': True}).decode(b'\\xff')", "JsException TypeError: Failed to decode input."),
    ("HTMLRewriter.new().on('a + b', {})", "JsException TypeError: Parser error: Unsupported combinator `+`"),
    (
        "await fetch('https://o.example/', signal=js.AbortSignal.abort())",
        "JsException AbortError: The operation was aborted",
    ),
    ("[p() for p in [create_once_callable(int)] * 2]", "RuntimeError OnceProxy can only be called once"),
    (
        "await (await fetch('https://o.example/')).formData()",
        "JsException TypeError: Parsing a Body as FormData requires a Content-Type header.",
    ),
]


@pytest.mark.parametrize(("expression", "says"), ERRORS)
async def test_a_mistake_is_javascripts_error(stage: Stage, expression: str, says: str) -> None:
    script = f"""{ALL}
async def on_fetch(request):
    try:
        {expression}
    except Exception as error:
        return Response.new(f"{{type(error).__name__}} {{error}}")
    return Response.new("no error")
"""
    stage.add(script)

    assert (await stage.get(method="POST", body=b"{}")).text.startswith(says)


async def test_each_worker_has_modules_of_its_own_to_patch(stage: Stage) -> None:
    for name in ("a", "b"):
        stage.add(
            f"import js, workers\nfrom workers import WorkerEntrypoint\njs.mark = {name!r}\n"
            "class Default(WorkerEntrypoint):\n    def fetch(self):\n"
            "        return workers.Response(js.mark + workers.env.V)\n",
            TextBinding("V", name.upper()),
            name=name,
        )

    assert (await stage.get(worker="a")).text == "aA"
    assert (await stage.get(worker="b")).text == "bB"


async def test_env_can_be_read_at_the_top_and_patched_inside(stage: Stage) -> None:
    script = """
    from workers import env, patch_env, Response, import_from_javascript
    TOP = env.V
    async def on_fetch(request):
        with patch_env({"V": "patched"}, W=1):
            inside = f"{env.V} {env.W}"
        also = import_from_javascript("cloudflare:workers").env
        return Response(f"{TOP} {inside} {env.V} {getattr(env, 'W', None)} {also.V} {also.J.a}")
    """
    stage.add(script, TextBinding("V", "v"), JSONBinding("J", {"a": 1}))

    assert (await stage.get()).text == "v patched 1 v None v 1"


async def test_a_clock_that_a_test_moves_is_the_scripts_clock(stage: Stage) -> None:
    above = "import time\nfrom js import Date\n"
    stage.add_fetch("return Response(f'{time.time()} {Date.now()} {time.time_ns()}')", above=above, fake_time=True)

    assert (await stage.get()).text == "1000000.0 1000000000 1000000000000000"


ABSENT = [
    ("from js import NothingLikeThis", "cannot import name 'NothingLikeThis' from 'js'"),
    ("from workers import import_from_javascript as i; i('node:fs')", "Failed to import 'node:fs'"),
    ("import pyodide_js", "it is Pyodide's own interface"),
]


@pytest.mark.parametrize(("statement", "says"), ABSENT)
def test_what_is_not_there_says_so_while_loading(stage: Stage, statement: str, says: str) -> None:
    with pytest.raises(ScriptError, match=says):
        stage.add(statement + "\n")
