"""What works here and fails deployed: refused as in production, told with file and line, let through if asked."""

import ast
import logging

import pytest

from edgeworker.runtime.contract import portability_warnings
from tests.runtime.stage import Stage

HEAD = "import js\nfrom pyodide.ffi import JsException, jsnull, to_js\nfrom workers import Response, WorkerEntrypoint\n"
# What a handler does, what it answers in production, in a lenient edge, and what the warning says.
ROWS = [
    (
        "data = await request.js_object.json()\nreturn Response(data['name'])",
        "TypeError: 'pyodide.ffi.JsProxy' object is not subscriptable",
        "Ann",
        "an object of JavaScript is not a dict",
    ),
    (
        "data = await request.js_object.json()\nreturn Response(data.get('name'))",
        "AttributeError: get",
        "Ann",
        "an object of JavaScript",
    ),
    (
        "data = await request.js_object.json()\nreturn Response(str(sorted({**data})))",
        "TypeError: 'JsProxy' object is not a mapping",
        "['name', 'nothing', 'tags']",
        "an object of JavaScript",
    ),
    (
        "data = await request.js_object.json()\nreturn Response(str('name' in data))",
        "TypeError: argument of type 'pyodide.ffi.JsProxy' is not iterable",
        "True",
        None,
    ),
    (
        "data = await request.js_object.json()\nreturn Response(str(data.tags == ['a']))",
        "False",
        "True",
        "an array of JavaScript equals only itself",
    ),
    (
        "return Response(str(list(js.JSON.parse('[1]').map(lambda item: item))))",
        "TypeError: Default.fetch.<locals>.<lambda>() takes 1 positional argument but 3 were given",
        "[1]",
        "the function gets 3 arguments of JavaScript, and takes 1",
    ),
    (
        "return Response(str(list(js.JSON.parse('[2, 1]').sort(key=str))))",
        "JsException: TypeError: The comparison function must be either a function or undefined: #<Object>",
        "[1, 2]",
        "sort() of an array of JavaScript takes no keywords",
    ),
    (
        "made = js.Array.new()\nmade.push([1])\nreturn Response(js.JSON.stringify(made))",
        "JsException: Error: Object has already been destroyed",
        "[[1]]",
        "JavaScript cannot use a list of Python any more after the call that it was given to",
    ),
    (
        "made = js.JSON.parse('[1]')\nreturn Response(str(made.copy()))",
        "AttributeError: copy",
        "[1]",
        None,
    ),
    (
        "for name, value in js.URLSearchParams.new('ab=1&cd=2'):\n    return Response(name + value)",
        "ab",
        "ab1",
        "iterating URLSearchParams gives names, not pairs",
    ),
    (
        "found = [(k, v) for k, v in js.URLSearchParams.new('abc=1')]\nreturn Response(str(found))",
        "ValueError: too many values to unpack (expected 2",
        "[('abc', '1')]",
        "iterating URLSearchParams gives names, not pairs",
    ),
    (
        "await js.fetch('https://a.example/', signal=js.AbortSignal.abort('late'))",
        "JsException: Error: late",
        "JsException: Error: late",
        "on Cloudflare the await never ends where the reason of a signal is not an error",
    ),
    (
        "return Response(str(js.Map.new({'a': 1}).size))",
        "JsException: TypeError: Iterator value a is not an entry object",
        "1",
        "a dict of Python holds no entries of a Map on Cloudflare",
    ),
    (
        "return Response(js.Blob.new([], {'type': 'a/b'}).type)",
        "dict",
        "a/b",
        'the field "type" of a dict of Python reads "dict" on Cloudflare',
    ),
    ("return Response(js.Blob.new([], type='a/b').type)", "a/b", "a/b", None),
    (
        "return Response(str(js.structuredClone([1])))",
        "JsException: DataCloneError: [object Object] could not be cloned.",
        "[1]",
        "a list of Python cannot be cloned on Cloudflare",
    ),
    (
        "return Response(str(len(list(js.FormData.new([['a', 'b']])))))",
        "0",
        "1",
        "FormData.new() takes no fields on Cloudflare",
    ),
    (
        "return js.Response.new('x', headers={'x-a': 'b'})",
        "JsException: TypeError: Incorrect type: the provided value is not of type 'Sequence'.",
        "x",
        "a dict of Python is no headers on Cloudflare",
    ),
    (
        "return Response(js.Headers.new({'x-a': 'b'}).get('x-a'))",
        "JsException: TypeError: Incorrect type: the provided value is not of type 'Sequence'.",
        "b",
        "a dict of Python is no headers on Cloudflare",
    ),
    (
        "return Response(str(js.URLSearchParams.new({'a': 'b'})))",
        "JsException: TypeError: Incorrect type: the provided value is not of type 'Sequence'.",
        "a=b",
        "a dict of Python is no parameters on Cloudflare",
    ),
    (
        "return Response(str(request.js_object.headers.get('x-none') is None))",
        "False",
        "True",
        "null of JavaScript is pyodide.ffi.jsnull",
    ),
    (
        "found = request.js_object.headers.get('x-none')\nif found is not None:\n    return Response(repr(found))\n"
        "return Response('none')",
        "jsnull",
        "none",
        "null of JavaScript is pyodide.ffi.jsnull",
    ),
    (
        "data = await request.js_object.json()\nreturn Response('none' if data.nothing == None else 'some')",
        "some",
        "none",
        "null of JavaScript is pyodide.ffi.jsnull",
    ),
    (
        "return js.Response.new(b'x')",
        "JsException: TypeError: A body's stream is made of bytes, and one chunk is int.",
        "x",
        "bytes of Python are an object on Cloudflare, and no body",
    ),
    (
        "return Response(js.Request.new('https://x/', method='POST', body=bytearray(b'x')).method)",
        "JsException: TypeError: A body's stream is made of bytes, and one chunk is int.",
        "POST",
        "bytes of Python are an object on Cloudflare, and no body",
    ),
    (
        "return Response((await js.fetch('data:,', method='POST', body=memoryview(b'x'))).statusText)",
        "JsException: TypeError: A body's stream is made of bytes, and one chunk is int.",
        "OK",
        "bytes of Python are an object on Cloudflare, and no body",
    ),
    (
        "return Response(js.JSON.stringify(to_js({'id': 2**60})))",
        "JsException: TypeError: Do not know how to serialize a BigInt",
        '{"id":1152921504606846976}',
        "an int beyond 2**53 is a BigInt on Cloudflare",
    ),
    ("data = await request.json()\nreturn Response(data.name)", "AttributeError: 'dict' object has no", "Ann", None),
]


def script(body: str) -> str:
    lines = "".join(f"            {line}\n" for line in body.splitlines())
    return (
        f"{HEAD}\nclass Default(WorkerEntrypoint):\n    async def fetch(self, request):\n        try:\n{lines}"
        "        except Exception as error:\n            return Response(f'{type(error).__name__}: {error}')\n"
    )


async def answer(stage: Stage, body: str, *, lenient: bool, date: str = "2026-08-01") -> str:
    stage.add(script(body), date=date, flags=("python_workers",), lenient=lenient)
    return (await stage.get(method="POST", body=b'{"name": "Ann", "nothing": null, "tags": ["a"]}')).text


@pytest.mark.parametrize(("body", "strict", "_lenient", "told"), ROWS, ids=[row[0] for row in ROWS])
async def test_production_decides(
    stage: Stage, caplog: pytest.LogCaptureFixture, body: str, strict: str, _lenient: str, told: str | None
) -> None:
    with caplog.at_level(logging.WARNING):
        assert (await answer(stage, body, lenient=False)).startswith(strict)

    if told is not None:
        warned = [record.getMessage() for record in caplog.records if told in record.getMessage()]
        assert len(warned) == 1, caplog.text
        assert warned[0].startswith('worker "w": ')
        assert "worker.py, line " in warned[0]


@pytest.mark.parametrize(("body", "_strict", "lenient", "told"), ROWS, ids=[row[0] for row in ROWS])
async def test_a_lenient_edge_lets_it_through_and_tells_of_objects(
    stage: Stage, caplog: pytest.LogCaptureFixture, body: str, _strict: str, lenient: str, told: str | None
) -> None:
    with caplog.at_level(logging.WARNING):
        assert await answer(stage, body, lenient=True) == lenient

    if told is not None and "null" not in told and "equals" not in told:
        assert "worker.py, line " in caplog.text
        assert told in caplog.text
        assert "it works here, because [python] of edge.toml is lenient" in caplog.text


async def test_before_the_date_null_is_none_and_no_one_is_warned(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    body = "return Response(str(request.js_object.headers.get('x-none') is None))"

    assert await answer(stage, body, lenient=False, date="2025-09-01") == "True"
    assert "jsnull" not in caplog.text


async def test_a_null_that_is_not_compared_with_none_is_not_told(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    body = "a = request.js_object.headers.get('x-none')\nb = None\nif b is None and not a:\n    return Response('fine')"

    assert await answer(stage, body, lenient=False) == "fine"
    assert "jsnull" not in caplog.text


async def test_a_line_is_told_of_once(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    stage.add(script("return Response((await request.js_object.json())['name'])"), date="2026-08-01")
    for _ in range(3):
        await stage.get(method="POST", body=b'{"name": "Ann"}')

    assert caplog.text.count("an object of JavaScript is not a dict") == 1


def test_outside_of_scripts_nothing_is_refused() -> None:
    assert portability_warnings.is_refused("this", "that") is False


async def test_a_source_is_parsed_once_for_each_place_that_reads_null(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed: list[str] = []
    usual = ast.parse

    def parse(source: str) -> ast.Module:
        parsed.append(source)
        return usual(source)

    stage.add(script("return Response(str(bool(request.js_object.headers.get('x-none'))))"), date="2026-08-01")
    monkeypatch.setattr(ast, "parse", parse)
    for _ in range(5):
        assert (await stage.get()).text == "False"

    assert len(parsed) == 1


@pytest.mark.parametrize(
    ("body", "said", "times"),
    [
        ("return Response(str({k: v for k, v in js.Map.new([['abc', 1]])}))", "ValueError: too many values", 1),
        ("for [k, v] in js.Map.new([['ab', 1]]):\n    return Response(k)", "a", 1),
        ("return Response(','.join(n for n in js.URLSearchParams.new('ab=1')))", "ab", 0),
        ("return Response(','.join(k + v for k, v in js.URLSearchParams.new('ab=1').entries()))", "ab1", 0),
    ],
)
async def test_pairs_of_what_gives_names_are_told(
    stage: Stage, caplog: pytest.LogCaptureFixture, body: str, said: str, times: int
) -> None:
    assert (await answer(stage, body, lenient=False)).startswith(said)
    assert caplog.text.count(", not pairs; iterate its ") == times
