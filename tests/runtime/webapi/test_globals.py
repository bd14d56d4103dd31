"""The smaller globals of `js`: data, dates, promises, timers, texts, the console."""

import asyncio
import logging

import pytest

from edgeworker.messages import Request, Response
from tests.runtime.stage import Origin, Stage, evaluated

RULES = [
    # (statement, expression, what it gives)
    # https://tc39.es/ecma262/#sec-array-objects
    (
        "a = js.Array.new(3)",
        "a.length, a.constructor.name, a.typeof, js.Array.isArray(a)",
        "(3, 'Array', 'object', True)",
    ),
    ("a = getattr(js.Array, 'from')([1, 2])", "a, js.Array.of(1), a.indexOf(2), a.indexOf(9)", "([1, 2], [1], 1, -1)"),
    (
        "a = js.Array.of(1, 2, 3)",
        "a.shift(), a.unshift(7, 8), a.slice(1), a.concat([9])",
        "(1, 4, [8, 2, 3], [7, 8, 2, 3, 9])",
    ),
    ("a = js.Array.of(1, 2)", "a.map(lambda x: x * 2), a.filter(lambda x: x > 1), a.join()", "([2, 4], [2], '1,2')"),
    ("seen = []; js.Array.of(1, 2).forEach(seen.append)", "seen, js.Array.new().shift()", "([1, 2], None)"),
    ("a = js.Array.of(1)", "a.object_values(), a.object_entries()", "([1], [['0', 1]])"),
    (
        "m = js.Map.new({'a': 1}); m['b'] = 2; del m['a']",
        "m.size, m.delete('b'), m.delete('b'), list(m)",
        "(1, True, False, [])",
    ),
    (
        "s = js.Set.new([1, 1, 2])",
        "s.size, s.has(1), s.delete(1), s.delete(1), s.to_py()",
        "(2, True, True, False, {2})",
    ),
    ("", "js.Object.values([1, 2]), js.Object.keys({'a': 1}), js.Object.freeze(1)", "([1, 2], ['a'], 1)"),
    ("o = js.Object.new({'a': 1})", "o.object_values(), o.object_entries()", "([1], [('a', 1)])"),
    # https://pyodide.org/en/stable/usage/api/python-api/ffi.html#pyodide.ffi.to_js
    (
        "from pyodide.ffi import to_js",
        "to_js([(1, {2})]).to_py(), to_js({'a': {'b': 1}}, depth=1).get('a')",
        "([[1, {2}]], {'b': 1})",
    ),
    (
        "from pyodide.ffi import to_js",
        "to_js(object(), default_converter=lambda value, convert, cache: 'made')",
        "made",
    ),
    ("from pyodide.ffi import create_proxy", "create_proxy([1]).unwrap(), create_proxy('a').upper()", "([1], 'A')"),
    ("from pyodide.ffi import create_proxy", "create_proxy(1)()", "TypeError: int is not a function"),
    (
        "import pyodide.code",
        "pyodide.code.run_js('1')",
        "NotEmulated: pyodide.code.run_js is not emulated by edgeworker",
    ),
    (
        "import pyodide.http; r = await pyodide.http.pyfetch('https://o.example/')",
        "await r.string()",
        "from the origin",
    ),
    # https://tc39.es/ecma262/#sec-date-objects
    (
        "d = js.Date.new(2024, 1, 29, 12, 30)",
        "d.toISOString(), d.getDate(), d.getHours(), d.getMinutes()",
        "('2024-02-29T12:30:00.000Z', 29, 12, 30)",
    ),
    (
        "d = js.Date.new(js.Date.new(1234))",
        "d.valueOf(), d.getMilliseconds(), d.getSeconds(), str(d)",
        "(1234, 234, 1, 'Thu Jan 01 1970 00:00:01 GMT+0000 (Coordinated Universal Time)')",
    ),
    ("", "js.Date.new('2024-01-01').getFullYear(), js.Date.parse('1970-01-01T00:00:01Z')", "(2024, 1000)"),
    (
        "",
        "js.Date.new(2024, 0).getTime(), js.Date.new(0).getTimezoneOffset(), js.Date.new(0).to_py().year",
        "(1704067200000, 0, 1970)",
    ),
    ("", "js.Date.new('nope').toISOString()", "JsException: RangeError: Invalid time value"),
    ("", "js.performance.timeOrigin > 0, js.performance.now() >= 0", "(True, True)"),
    # https://tc39.es/ecma262/#sec-promise-objects
    ("v = await js.Promise.reject('no').catch_(lambda reason: reason)", "v", "no"),
    ("v = await js.Promise.reject('no').catch(lambda reason: reason)", "v", "no"),
    ("await js.Promise.reject('no')", "1", "JsException: Error: no"),
    ("v = await js.Promise.new(lambda resolve, reject: reject('no'))", "v", "JsException: Error: no"),
    ("seen = []; v = await js.Promise.resolve(1).finally_(lambda: seen.append(2))", "v, seen", "(1, [2])"),
    ("v = await js.Promise.resolve(1).then(lambda x: x + 1).then()", "v", "2"),
    ("v = await js.Promise.race([asyncio.sleep(0, 'fast'), asyncio.Event().wait()])", "v", "fast"),
    (
        "v = await js.Promise.allSettled([1, js.Promise.reject('no')])",
        "v[0].value, v[1].status, v[1].reason",
        "(1, 'rejected', 'no')",
    ),
    (
        "p = js.Promise.resolve(1)",
        "await p, js.Promise.resolve(p) is p, await p",
        "RuntimeError: this promise was awaited already",
    ),
    ("p = js.Promise.resolve(1); p.then(print)", "await p, await p", "(1, 1)"),
    # https://html.spec.whatwg.org/multipage/timers-and-user-prompts.html
    (
        "e = asyncio.Event(); n = js.setTimeout(lambda: e.set(), 1); await e.wait(); js.clearTimeout(n)",
        "n",
        "1",
    ),
    (
        "seen = asyncio.Queue()\nn = js.setInterval(seen.put_nowait, 1, 'x')\n"
        "v = [await seen.get(), await seen.get()]; js.clearInterval(n)",
        "v",
        "['x', 'x']",
    ),
    ("e = asyncio.Event()\nasync def f():\n    e.set()\njs.setTimeout(f); await e.wait()", "e.is_set()", "True"),
    ("e = asyncio.Event(); js.queueMicrotask(e.set); await e.wait()", "e.is_set()", "True"),
    # https://dom.spec.whatwg.org/#abortcontroller
    (
        "c = js.AbortController.new(); seen = []\nc.signal.onabort = seen.append\n"
        "c.signal.addEventListener('abort', lambda e: seen.append(e.type)); c.abort('why'); c.abort()",
        "len(seen), c.signal.reason",
        "(2, 'why')",
    ),
    ("js.AbortSignal.abort().throwIfAborted()", "1", "JsException: AbortError: The operation was aborted"),
    # https://encoding.spec.whatwg.org/
    (
        "",
        "js.TextDecoder.new('utf-16le').decode('é'.encode('utf-16-le')), js.TextEncoder.new().encoding",
        "('é', 'utf-8')",
    ),
    ("", "js.TextDecoder.new('klingon')", "JsException: RangeError: 'klingon' is not an encoding"),
    (
        "",
        "js.TextDecoder.new().decode('text')",
        "JsException: TypeError: an ArrayBuffer or a typed array was expected, not str",
    ),
    ("", "js.btoa('€')", "JsException: InvalidCharacterError: btoa() can only operate on characters in the Latin1"),
    ("", "js.encodeURI('https://a.b/ é?q=1#x')", "https://a.b/%20%C3%A9?q=1#x"),
    # buffers
    (
        "a = js.Uint8Array.new([1, 2, 3])",
        "a.subarray(1).to_bytes(), a.constructor.name, a.typeof, a.to_string()",
        "(b'\\x02\\x03', 'Uint8Array', 'object', '\\x01\\x02\\x03')",
    ),
    ("js.Uint8Array.new(2).set(b'abc')", "1", "JsException: RangeError: offset is out of bounds"),
    (
        "js.Uint8Array.new('text')",
        "1",
        "JsException: TypeError: Uint8Array.new() takes a length, a buffer or numbers, not a string",
    ),
    ("js.Uint8Array.new(1.5)", "1", "JsException: TypeError: Uint8Array.new() takes a length, a buffer or numbers"),
    ("", "js.Uint8Array.new(), js.DataView.new(js.ArrayBuffer.new(b'a')).object_values()", "(, [97])"),
    # https://www.w3.org/TR/webcrypto/
    ("", "js.crypto.subtle.timingSafeEqual(b'a', b'a'), js.crypto.subtle.timingSafeEqual(b'a', b'b')", "(True, False)"),
    (
        "",
        "js.crypto.subtle.timingSafeEqual(b'a', b'ab')",
        "JsException: TypeError: Input buffers must have the same byte length",
    ),
    ("", "js.crypto.getRandomValues([1])", "JsException: TypeError: crypto.getRandomValues() takes a typed array"),
    ("", "js.crypto.getRandomValues(js.Uint8Array.new(70000))", "JsException: QuotaExceededError"),
    (
        "",
        "await js.crypto.subtle.importKey('raw', b'', 'ROT13')",
        'JsException: NotSupportedError: Unrecognized key import algorithm "ROT13" requested.',
    ),
    # headers, URLs, forms, blobs
    (
        "h = js.Headers.new(a='1'); seen = []; h.forEach(lambda v, k, o: seen.append((k, v)))",
        "seen, h['a'], 'a' in h, h.to_py(), h.values()",
        "([('a', '1')], '1', True, {'a': '1'}, ['1'])",
    ),
    ("h = js.Headers.new(); h['b'] = 2; del h['b']", "h['a'], 'b' in h", "(None, False)"),
    ("h = js.Headers.new(); del h['a']", "1", "KeyError: 'a'"),
    (
        "p = js.URLSearchParams.new('a=1&b=2'); p['c'] = 3; del p['a']",
        "p['b'], p['z'], str(p)",
        "('2', None, 'b=2&c=3')",
    ),
    ("p = js.URLSearchParams.new(); del p['a']", "1", "KeyError: 'a'"),
    ("f = js.FormData.new([['a', '1']]); f['b'] = '2'; del f['a']", "f['b'], f['z'], 'a' in f", "('2', None, False)"),
    ("f = js.FormData.new(); del f['a']", "1", "KeyError: 'a'"),
    (
        "from pyodide.ffi import create_proxy as p, create_once_callable as once",
        "await p(asyncio.sleep(0, 1)), await once(asyncio.sleep(0, 2)), str(p(3))",
        "(1, 2, '3')",
    ),
    ("from pyodide.ffi import create_proxy as p", "await p(1)", "TypeError: object int can't be used in 'await'"),
    ("", "await js.Response.new(ValueError('caught')).text()", "caught"),
    ("h = js.Headers.new([['Set-Cookie', 'a']])", "h.getAll('set-cookie'), h", "(['a'], Headers(['Set-Cookie']))"),
    ("", "js.Headers.new().getAll('a')", "JsException: TypeError: getAll() can only be used with"),
    (
        "p = js.URLSearchParams.new('b=1&a=2&a=3'); p.sort()",
        "str(p), p.keys(), p.values(), p.has('a', '3'), 'a' in p, p.to_py()",
        "('a=2&a=3&b=1', ['a', 'a', 'b'], ['2', '3', '1'], True, True, {'a': '3', 'b': '1'})",
    ),
    (
        "u = js.URL.new('https://a.b/?x=1'); p = u.searchParams; u.search = '?y=2'",
        "p.get('y'), u == js.URL.new('https://a.b/?y=2'), u.toJSON()",
        "('2', True, 'https://a.b/?y=2')",
    ),
    (
        "u = js.URL.new('https://a.b/'); u.port = 'x'; u.href = 'nope'",
        "1",
        "JsException: TypeError: Invalid URL string: 'nope'",
    ),
    ("u = js.URL.new('https://a.b/')", "u.nothing", "AttributeError: URL has no attribute 'nothing'"),
    (
        "f = js.FormData.new([['a', '1'], ['b', '2'], ['a', '3']]); f.set('a', '4'); f.delete('b')",
        "list(f), f.keys(), f.values()",
        "([('a', '4')], ['a'], ['4'])",
    ),
    (
        "b = js.Blob.new(['é'])",
        "(await b.arrayBuffer()).byteLength, await Response(b.stream()).text(), (await b.bytes()).to_bytes()",
        "(2, 'é', b'\\xc3\\xa9')",
    ),
    ("js.Blob.new('text')", "1", "JsException: TypeError: Blob.new() takes a list of parts"),
    ("js.Blob.new([5])", "1", "JsException: TypeError: a part of a Blob is text, bytes or a Blob, not int"),
    # what is not there
    ("", "js.EventSource, js.Symbol('x')", "NotEmulated: js.Symbol is not emulated by edgeworker"),
    ("", "repr(js.EventSource), hasattr(js.EventSource, '__len__')", "('<js.EventSource, not emulated>', False)"),
    (
        "c = await js.caches.open('x'); u = 'https://x.example/'; await c.put(u, js.Response.new('b'))",
        "await c.match(u), await c.delete(u)",
        "(None, False)",
    ),
    (
        "r = js.Response.new('x')",
        "r.clone(), r.constructor.name, r.typeof, r.to_py() is r",
        "(Response(status=200), 'Response', 'object', True)",
    ),
    ("r = js.Response.error()", "r.status, r.type, r.ok, r.statusText, r.body", "(0, 'error', False, '', None)"),
    ("", "js.Response.new('x', status='y')", "JsException: RangeError: Responses may only be constructed"),
    (
        "r = js.Response.new(5, status='201')",
        "r.status, await r.text(), (await js.Response.new(True).blob()).size",
        "(201, '5', 4)",
    ),
]


@pytest.mark.parametrize(("statement", "expression", "gives"), RULES)
async def test_a_global_does_what_the_standard_says(stage: Stage, statement: str, expression: str, gives: str) -> None:
    assert (await evaluated(stage, statement, expression)).startswith(gives)


class _Silent(Origin):
    """Never answers."""

    async def fetch(self, request: Request, /) -> Response:
        never: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        return await never


async def test_a_fetch_is_given_up_when_its_signal_is_aborted(stage: Stage) -> None:
    stage.origin = _Silent()

    text = await evaluated(stage, "s = js.AbortSignal.timeout(1)", "await js.fetch('https://o.example/', signal=s)")

    assert text == "JsException: TimeoutError: The operation was aborted due to timeout"


CONSOLE = [
    ("js.console.log('a', 1, {'b': [2]}, None)", "INFO", 'a 1 {"b": [2]} None'),
    ("js.console.info('a')", "INFO", "a"),
    ("js.console.debug('a')", "DEBUG", "a"),
    ("js.console.warn('a')", "WARNING", "a"),
    ("js.console.error(ValueError('a'))", "ERROR", "a"),
    ("js.console.assert_(False, 'a')", "ERROR", "Assertion failed a"),
    ("js.console.count()", "INFO", "default: 1"),
    ("c = js.console; c.countReset(); c.clear(); c.groupEnd(); c.group('a', 1)", "INFO", "a 1"),
    ("c = js.console; c.time('t'); c.timeEnd('u')", "WARNING", "Timer 'u' does not exist"),
    ("js.console.dir([object])", "INFO", "[<class 'object'>]"),
]


@pytest.mark.parametrize(("call", "level", "text"), CONSOLE)
async def test_the_console_writes_log_lines_with_a_level(
    stage: Stage, caplog: pytest.LogCaptureFixture, call: str, level: str, text: str
) -> None:
    with caplog.at_level(logging.DEBUG, logger="edgeworker.console"):
        await evaluated(stage, call, "1")

    record = next(record for record in caplog.records if record.name == "edgeworker.console")
    assert record.levelname == level
    assert record.getMessage() == f"w (POST /Path): {text}"


async def test_the_console_measures_time(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, logger="edgeworker.console"):
        await evaluated(stage, "c = js.console; c.time(); c.timeLog('default', 'x'); c.timeEnd(); c.timeEnd()", "1")

    texts = [record.getMessage() for record in caplog.records if record.name == "edgeworker.console"]
    assert [text.partition("default: ")[2].split()[1:] for text in texts[:2]] == [["ms", "x"], ["ms"]]
    assert texts[2].endswith("Timer 'default' does not exist")
