"""Surplus arguments, which JavaScript ignores."""

import inspect

import pytest

from edgeworker.runtime.webapi.surplus import ignore_surplus
from tests.runtime.stage import Stage, evaluated


@pytest.mark.parametrize(
    ("expression", "gives"),
    [
        ("js.Headers.new({'a': '1'}).get('a', 'X')", "1"),
        ("js.Headers.new({}, 1).has('x', 'y')", "False"),
        ("js.URLSearchParams.new('a=1').get('b', 'X', 'Y')", "None"),
        ("js.URL.new('https://x/', 'https://y', 3).href", "https://x/"),
        ("js.Response.redirect('https://x/', 301, 5).status", "301"),
        ("js.Response.new('x', {}, 5).status", "200"),
        ("js.Response.json(js.Object.new(), {}, 5).status", "200"),
        ("(await js.Response.new('x').text(1, 2))", "x"),
        ("js.parseInt('12', 10, 5)", "12"),
        ("js.parseFloat('1.5', 10)", "1.5"),
        ("js.isNaN(1, 2)", "False"),
        ("js.btoa('a', 'b')", "YQ=="),
        ("js.atob('YQ==', 'b')", "a"),
        ("js.encodeURIComponent('a', 'b')", "a"),
        ("js.structuredClone('a', {}, 5)", "a"),
        ("js.Math.abs(-1, 5)", "1"),
        ("js.Math.atan2(0, 1, 5)", "0"),
        ("js.Math.max(1, 2, 3)", "3"),
        ("js.JSON.stringify(1, None, 0, 9)", "1"),
        ("js.JSON.parse('1', None, 9)", "1"),
        ("js.Object.keys(js.Object.new(a=1), 2)", "['a']"),
        ("js.Array.isArray([], 1)", "True"),
        ("js.Array.of(1, 2).includes(1, 2, 3)", "True"),
        ("js.Date.now(1) > 0", "True"),
        ("js.TextEncoder.new(1).encode('a', 2).length", "1"),
        ("js.FormData.new().get('a', 'b')", "None"),
        ("js.crypto.randomUUID(1) != ''", "True"),
        ("js.AbortController.new(1).abort('x', 2)", "None"),
        ("js.URL.canParse('a', 'https://x', 3)", "True"),
        ("js.globalThis.btoa('a', 'b')", "YQ=="),
    ],
)
async def test_surplus_arguments_are_ignored(stage: Stage, expression: str, gives: str) -> None:
    assert await evaluated(stage, "pass", expression) == gives


async def test_a_function_keeps_its_name_and_what_it_refuses(stage: Stage) -> None:
    def take(one: int, /, *, two: int = 0) -> int:
        return one + two

    assert ignore_surplus(take)(1, 5, 6, two=2) == 3
    assert ignore_surplus(take).__name__ == "take"
    assert inspect.signature(ignore_surplus(take)) == inspect.signature(take)
    with pytest.raises(TypeError):
        ignore_surplus(take)(1, three=3)
    assert ignore_surplus(print) is print
