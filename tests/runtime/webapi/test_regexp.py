"""`RegExp`, as https://tc39.es/ecma262/#sec-regexp-regular-expression-objects has it."""

import pytest

from tests.runtime.stage import Stage, evaluated


@pytest.mark.parametrize(
    ("statement", "expression", "gives"),
    [
        (
            "r = js.RegExp.new('a(b)?', 'i')",
            "r.test('xAB'), r.source, r.flags, str(r)",
            "(True, 'a(b)?', 'i', '/a(b)?/i')",
        ),
        (
            "m = js.RegExp.new('(?<y>\\\\d{4})-(\\\\d)?').exec('in 2026-')",
            "list(m), m.index, m.groups.y",
            "(['2026-', '2026', None], 3, '2026')",
        ),
        (
            "r = js.RegExp.new('a', 'g')",
            "r.test('aa'), r.lastIndex, r.test('aa'), r.test('aa'), r.lastIndex",
            "(True, 1, True, False, 0)",
        ),
        ("r = js.RegExp.new('b', 'y')", "r.test('ab'), js.RegExp.new(r).flags", "(False, 'y')"),
        ("r = js.RegExp.new('(?<q>[\\'\"])x\\\\k<q>')", "r.test('\"x\"'), r.test('\"x')", "(True, False)"),
        ("", "js.RegExp.new('\\\\d').test('٣'), js.RegExp.new('^b', 'm').test('a\\nb')", "(False, True)"),
        ("", "str(js.RegExp.new('a/b', 'i')), js.RegExp.new('a\\\\/b').toString()", "('/a\\\\/b/i', '/a\\\\/b/')"),
        ("", "js.RegExp.new('(')", "JsException: SyntaxError: Invalid regular expression: /(/: "),
        ("", "js.RegExp.new('a', 'gg')", "JsException: SyntaxError: Invalid flags supplied to RegExp constructor 'gg'"),
        ("", "js.RegExp.new('a', 'q')", "JsException: SyntaxError: Invalid flags supplied to RegExp constructor 'q'"),
    ],
)
async def test_a_pattern_finds_what_javascripts_does(
    stage: Stage, statement: str, expression: str, gives: str
) -> None:  # fmt: skip
    assert (await evaluated(stage, statement or "pass", expression)).startswith(gives)
