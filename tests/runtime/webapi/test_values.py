"""The small globals: conversions, errors, copies, events, typed arrays, and the platform's TransformStreams."""

import pytest

from tests.runtime.stage import Stage, evaluated

RULES = [
    # (statement, expression, what it gives); https://tc39.es/ecma262/#sec-parseint-string-radix
    ("", "[js.parseInt(x) for x in ('42px', ' -7', '0x1F', 'x', 12.9)]", "[42, -7, 31, nan, 12]"),
    ("", "js.parseInt('ff', 16), js.parseInt('102', 2)", "(255, 2)"),
    ("", "[js.parseFloat(x) for x in ('1.5rem', '.5', '-3e2x', 'x', '2.0')]", "[1.5, 0.5, -300, nan, 2]"),
    ("", "[js.Number(x) for x in ('12', ' 1.5 ', '', '0x10', '1_0', 'x', True)]", "[12, 1.5, 0, 16, nan, nan, 1]"),
    ("", "[js.String(x) for x in (1, 1.0, True, None, [1, None], {'a': 1}, 'x')]",
     "['1', '1', 'true', 'undefined', '1,', '[object Object]', 'x']"),
    ("", "js.Boolean(''), js.Boolean('0'), js.Boolean(js.NaN), js.isNaN('x'), js.isFinite('1')",
     "(False, True, False, True, True)"),
    ("", "js.Number.isInteger(2.0), js.Number.isInteger('2'), js.Number.isSafeInteger(2**53), "
     "js.Number.MAX_SAFE_INTEGER",
     "(True, False, False, 9007199254740991)"),
    ("", "js.String.fromCharCode(0xd83d, 0xde00), js.String.fromCodePoint(128512)", "('😀', '😀')"),
    # https://developer.mozilla.org/docs/Web/API/Window/structuredClone
    ("a = {'x': [1, {'y': 2}]}; b = js.structuredClone(a); a['x'][1]['y'] = 3", "b.x[1].y", "2"),
    ("js.structuredClone(lambda: 1)", "1", "JsException: DataCloneError: <function"),
    ("raise js.TypeError.new('no', {'cause': 1})", "1", "TypeError: TypeError: no"),
    ("e = js.Error.new('broken')", "e.name, e.message, isinstance(e, Exception)", "('Error', 'broken', True)"),
    ("e = js.DOMException.new('m', 'AbortError')", "e.name, e.message", "('AbortError', 'm')"),
    ("seen = []; t = js.EventTarget.new(); t.addEventListener('x', seen.append)\n"
     "e = js.CustomEvent.new('x', {'detail': 5, 'cancelable': True}); t.dispatchEvent(e)\n"
     "t.dispatchEvent(js.Event.new('y'))\n"
     "e.preventDefault(); stopped = t.dispatchEvent(e); t.removeEventListener('x', seen.append)",
     "[s.detail for s in seen], e.target is t, stopped", "([5, 5], True, False)"),
    ("", "js.globalThis.JSON.stringify([1]), js.self.Math is js.Math", "('[1]', True)"),
    ("", "js.decodeURI('%41%2F%20'), js.encodeURI('a b/?')", "('A%2F ', 'a%20b/?')"),
    ("js.decodeURIComponent('%')", "1", "JsException: URIError: URI malformed"),
    ("js.decodeURIComponent('%ff')", "1", "JsException: URIError: URI malformed"),
    # typed arrays: https://tc39.es/ecma262/#sec-typedarray-objects
    ("a = js.Uint16Array.new([1, 65536, -1])", "list(a), len(a), a.byteLength, a[2], a.constructor.name",
     "([1, 0, 65535], 3, 6, 65535, 'Uint16Array')"),
    ("b = js.ArrayBuffer.new(8); a = js.Uint32Array.new(b, 4); a[0] = 258", "b.to_bytes(), a.byteOffset, a.buffer is b",
     "(b'\\x00\\x00\\x00\\x00\\x02\\x01\\x00\\x00', 4, True)"),
    ("a = js.Float64Array.of(1.5, 2); a.set([3], 1)", "a.to_py().tolist(), bool(a), js.Float32Array.new(2).length",
     "([1.5, 3.0], True, 2)"),
    ("a = js.Int16Array.new(1)", "a[5]", "IndexError"),
    ("js.Int16Array.new(1)[5] = 1", "1", "IndexError: Int16Array: no item 5"),
    ("js.Uint32Array.new(js.ArrayBuffer.new(2), 4)", "1", "JsException: RangeError: Invalid typed array length"),
    ("js.Uint8Array.new(-1)", "1", "JsException: RangeError: Invalid typed array length: -1"),
    ("b = js.ArrayBuffer.new(4); v = js.DataView.new(b); v.setUint16(0, 258); v.setInt16(2, -2, True)",
     "b.to_bytes(), v.getUint16(0), v.getInt16(2, True), js.ArrayBuffer.isView(v), js.ArrayBuffer.isView(b)",
     "(b'\\x01\\x02\\xfe\\xff', 258, -2, True, False)"),
    ("js.DataView.new(js.ArrayBuffer.new(1)).getUint16(0)", "1", "JsException: RangeError: Offset is outside"),
    ("b = js.ArrayBuffer.new(4); a = js.Uint8Array.new(b, 1, 2); a[0] = 7; a.fill(9, 1)\n"
     "s = a.subarray(0, 1); s[0] = 8",
     "b.to_bytes(), len(a), s.byteOffset", "(b'\\x00\\x08\\t\\x00', 2, 1)"),
    ("a = js.Uint8Array.new(3); a.assign(b'abc'); m = bytearray(3); a.assign_to(m)", "a.to_string(), bytes(m)",
     "('abc', b'abc')"),
    ("js.Uint8Array.new(3).assign(b'a')", "1", "ValueError: cannot assign 1 bytes to a buffer of 3"),
    ("a = js.Uint32Array.new(4); js.crypto.getRandomValues(a)", "len(set(a)) > 1, a.byteLength", "(True, 16)"),
    # https://encoding.spec.whatwg.org/#dom-textdecoder-decode
    ("d = js.TextDecoder.new(); e = 'é€'.encode()",
     "d.decode(e[:1], stream=True), d.decode(e[1:3], {'stream': True}), d.decode(e[3:]), d.decode(b'\\xef\\xbb\\xbfx')",
     "('', 'é', '€', 'x')"),
    # https://compression.spec.whatwg.org/
    ("s = js.Response.new('ab' * 500).body.pipeThrough(js.CompressionStream.new('gzip'))\n"
     "c = await js.Response.new(s).bytes()\n"
     "t = js.Response.new(c).body.pipeThrough(js.DecompressionStream.new('gzip'))",
     "len(c) < 100, await js.Response.new(t).text() == 'ab' * 500", "(True, True)"),
    ("js.CompressionStream.new('br')", "1", "JsException: TypeError: The compression format must be either 'deflate'"),
    ("s = js.Response.new(b'plain').body.pipeThrough(js.TextDecoderStream.new())", "[x async for x in s]", "['plain']"),
    ("s = js.ReadableStream.new(start=lambda c: (c.enqueue('é'), c.close())).pipeThrough(js.TextEncoderStream.new())",
     "[bytes(x) async for x in s]", "[b'\\xc3\\xa9']"),
    # dates
    ("d = js.Date.new('2024-02-09T15:04:05.678Z')",
     "d.toLocaleString(), d.toDateString(), d.getUTCMilliseconds(), d.getYear(), d.toTimeString()[:12]",
     "('2/9/2024, 3:04:05 PM', 'Fri Feb 09 2024', 678, 124, '15:04:05 GMT')"),
    ("", "[js.Date.UTC(*x) for x in ((1970,), (1970, 1), (1970, 0, 2, 3, 4, 5, 6))]", "[0, 2678400000, 97445006]"),
    ("d = js.Date.new(0)", "d.setTime(5), d.getTime(), d.toString()", "(5, 5, 'Thu Jan 01 1970 00:00:00 GMT+0000"),
    # arrays and objects: https://tc39.es/ecma262/#sec-array-objects
    ("a = js.Array.of(1, 2, 3)", "a.find(lambda x: x > 1), a.findIndex(lambda x: x > 5), a.some(lambda x: x > 2), "
     "a.every(lambda x: x > 2), a.reduce(lambda x, y: x + y), a.reduce(lambda x, y: x + y, 10), a.at(-1), a.at(3)",
     "(2, -1, True, False, 6, 16, 3, None)"),
    ("", "js.Array.from_('ab', str.upper), js.Uint8Array.from_([1, 2]), js.Array.of([1], 2).flat()",
     "(['A', 'B'], 1,2, [1, 2])"),
    ("", "js.Object.hasOwn({'a': 1}, 'a'), js.Object.hasOwn({'a': 1}, 'b'), js.Object.getOwnPropertyNames({'a': 1})",
     "(True, False, ['a'])"),
    ("", "js.Object.keys(self.env), js.Math.sign(-2.5), js.Math.hypot(3, 4), js.Math.log10(100)", "([], -1, 5, 2)"),
    ("o = js.JSON.parse('{\"a\": 1}')", "o.as_object_map()['a'], o.constructor.name", "(1, 'Object')"),
    # the rest of pyodide.ffi
    ("from pyodide.ffi import JsDoubleProxy, JsMutableMap, can_run_sync, ConversionError",
     "can_run_sync(), isinstance(js.Map.new(), JsMutableMap), isinstance(js.Map.new(), JsDoubleProxy)",
     "(True, True, True)"),
    ("from pyodide.ffi.wrappers import set_timeout, clear_timeout; seen = []\n"
     "set_timeout(lambda: seen.append(1), 0); clear_timeout(set_timeout(lambda: seen.append(2), 0))\n"
     "await asyncio.sleep(0.01)",
     "seen", "[1]"),
    ("from cloudflare.workers import handler, Response as R", "R is Response, callable(handler)", "(True, True)"),
    ("from workers.types import FetchKwargs, Body; import workers", "FetchKwargs is workers.FetchKwargs", "True"),
    ("import cloudflare", "cloudflare.Cloudflare.__name__", "Cloudflare"),
    ("o = js.Object.new({'a': 1})", "o.typeof, 'typeof' in o", "('object', False)"),
]  # fmt: skip


@pytest.mark.parametrize(("statement", "expression", "gives"), RULES)
async def test_a_global_does_what_the_standard_says(stage: Stage, statement: str, expression: str, gives: str) -> None:
    assert (await evaluated(stage, statement, expression)).startswith(gives)


async def test_a_stream_that_is_not_what_it_says_fails_the_one_who_reads_it(stage: Stage) -> None:
    found = await evaluated(
        stage,
        "s = js.TransformStream.new(); d = js.DecompressionStream.new('gzip'); w = d.writable.getWriter()",
        "await w.write(b'no gzip at all')",
    )

    assert found.startswith("JsException: TypeError: Decompression failed")


HEADERS = "from pyodide.ffi import to_js\nimport js\nd = {'a': '1', 'b': '2'}"


@pytest.mark.parametrize(
    ("expression", "gives"),
    [
        ("js.JSON.stringify(to_js({'a': 1, 'b': [{'c': 2}]}))", '{"a":1,"b":[{"c":2}]}'),
        ("await js.Response.json(to_js({'a': 1})).text()", '{"a":1}'),
        ("js.JSON.stringify(js.Map.new([['a', 1]]))", "{}"),
        ("js.JSON.stringify(js.Boolean.new(False))", "false"),
        (
            "js.JSON.stringify(2**53 - 1), js.JSON.stringify(to_js(b'ab'))",
            "('9007199254740991', '{\"0\":97,\"1\":98}')",
        ),
        (
            "js.JSON.stringify(len), js.JSON.stringify(to_js([len])), js.JSON.stringify({'f': len})",
            "(None, '[null]', '{}')",
        ),
        ("to_js({'a': 1}).a, to_js({'a': 1}).get('a'), hasattr(to_js({}), 'a')", "(1, 1, False)"),
        ("js.JSON.stringify(js.Request.new('https://x/'))", "{}"),
        ("js.JSON.stringify({'u': js.URL.new('https://x/'), 'h': js.Headers.new(d)})", '{"u":"https://x/","h":{}}'),
        ("js.Headers.new(to_js(d)).values()", "['1', '2']"),
        ("js.Headers.new(d.items()).values()", "['1', '2']"),
        ("js.Headers.new((('a', '1'), ['b', '2'])).values()", "['1', '2']"),
        ("js.Headers.new({'a': True, 'b': None}).values()", "['true', 'undefined']"),
        ("Request('https://x/', headers=to_js(d)).headers['b']", "2"),
        ("Request('https://x/', headers=d.items()).headers['b']", "2"),
        ("Response('x', headers=(('a', '1'),)).headers['a']", "1"),
        ("js.Number.new('5'), js.Number.new(), js.String.new(5)", "(5, 0, '5')"),
    ],
)
async def test_python_data_is_converted_as_pyodide_does(stage: Stage, expression: str, gives: str) -> None:
    assert await evaluated(stage, HEADERS, expression) == gives
