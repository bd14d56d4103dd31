"""What scripts find of the runtime's globals: the same over both engines, as workerd 2026-07-30 answered."""

import json
from pathlib import Path
from typing import Final

import pytest

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
]  # fmt: skip


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
