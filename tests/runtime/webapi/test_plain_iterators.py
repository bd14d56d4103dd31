"""Iterators of JavaScript; what pyodide answers is in tests/conformance/test_objects.py."""

import logging
from contextlib import suppress
from pathlib import Path

import pytest

from edgeworker.runtime.contract.isolate import ScriptFailure
from tests.runtime.stage import IMPORTS, Stage

SCRIPT = """
from js import Headers, URLSearchParams
class Default(WorkerEntrypoint):
    async def fetch(self, request):
        headers = Headers.new([["a", "1"], ["b", "2"], ["c", "3"]])
        parameters = URLSearchParams.new("a=1&b=2")
        return Response(repr(EXPRESSION))
"""


async def _answer(folder: Path, expression: str, *, date: str | None = "2026-08-01", lenient: bool = False) -> str:
    stage = Stage(folder)
    stage.add(IMPORTS + SCRIPT.replace("EXPRESSION", expression), date=date, lenient=lenient)
    try:
        return (await stage.get()).text
    finally:
        await stage.close()


@pytest.mark.parametrize(
    ("expression", "expected"),
    [  # https://tc39.es/ecma262/#sec-%iterator.prototype%
        ("list(headers.keys().map(lambda name, index: name + str(index)))", "['a0', 'b1', 'c2']"),
        ("list(headers.keys().filter(lambda name, index: name != 'b'))", "['a', 'c']"),
        ("list(headers.keys().take(1))", "['a']"),
        ("list(headers.keys().drop(2))", "['c']"),
        ("headers.keys().toArray().length", "3"),
        ("list(headers.entries().flatMap(lambda pair, index: pair))", "['a', '1', 'b', '2', 'c', '3']"),
        ("headers.keys().some(lambda name, index: name == 'b')", "True"),
        ("headers.keys().every(lambda name, index: name == 'b')", "False"),
        ("headers.keys().find(lambda name, index: name > 'a')", "'b'"),
        ("headers.values().reduce(lambda all, value, index: all + value)", "'123'"),
        ("headers.keys().send(None)", "'a'"),
    ],
)
async def test_an_iterator_has_the_helpers_of_the_standard(tmp_path: Path, expression: str, expected: str) -> None:
    assert await _answer(tmp_path, expression) == expected


@pytest.mark.parametrize("expression", ["headers.entries()[0]", "headers.keys().append('d')", "headers.to_py()['a']"])
async def test_a_script_is_told_that_an_iterator_is_not_a_list(
    tmp_path: Path, expression: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING), suppress(ScriptFailure):
        await _answer(tmp_path, expression)

    assert f"return Response(repr({expression}))" in caplog.text


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("[name + value for name, value in parameters]", "['a1', 'b2']"),
        ("headers.entries()[0]", "('a', '1')"),
        ("len(headers.keys())", "3"),
        ("next(headers.keys())", "'a'"),
        ("headers.to_py()['a']", "'1'"),
    ],
)
async def test_a_lenient_script_finds_lists(tmp_path: Path, expression: str, expected: str) -> None:
    assert await _answer(tmp_path, expression, lenient=True) == expected
    assert await _answer(tmp_path, expression, date=None) == expected
