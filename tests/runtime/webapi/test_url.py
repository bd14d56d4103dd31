"""`URL` and `URLSearchParams` on what is not well-formed; workerd answers so: tests/conformance/cases/web_api.json."""

import pytest

from tests.runtime.stage import Stage, evaluated

PAIRS = "[list(pair) for pair in p]"


@pytest.mark.parametrize(
    ("query", "pairs"),
    [
        ("q=%FF", [["q", "\ufffd"]]),
        ("q=x&z=%C2", [["q", "x"], ["z", "\ufffd"]]),
        ("a=%E2%82&b=%F0%9F%98", [["a", "\ufffd"], ["b", "\ufffd"]]),
        ("a=%ED%A0%80&b=%C0%80", [["a", "\ufffd" * 3], ["b", "\ufffd" * 2]]),
        ("a=%&b=%4&c=%zz&d=%%41", [["a", "%"], ["b", "%4"], ["c", "%zz"], ["d", "%A"]]),
        ("?a=b", [["?a", "b"]]),
        ("a=1+2&b=1%2B2&+c+=+", [["a", "1 2"], ["b", "1+2"], [" c ", " "]]),
        ("&&a&=b&=", [["a", ""], ["", "b"], ["", ""]]),
        ("a=%00b&c=%EF%BB%BFd", [["a", "\0b"], ["c", "\ufeffd"]]),
    ],
)
async def test_any_query_of_a_visitor_can_be_read(stage: Stage, query: str, pairs: list[list[str]]) -> None:
    assert await evaluated(stage, f"p = js.URL.new('https://x/?{query}').searchParams", PAIRS) == repr(pairs)
    assert await evaluated(stage, f"p = js.URLSearchParams.new('?{query}')", PAIRS) == repr(pairs)


async def test_reading_changes_nothing_and_writing_keeps_bytes_that_are_not_utf_8(stage: Stage) -> None:
    start = "u = js.URL.new('https://x/?a=b%20c&d=%FF'); p = u.searchParams; p.get('d')"

    assert await evaluated(stage, start, "u.href") == "https://x/?a=b%20c&d=%FF"
    assert await evaluated(stage, start + "; p.append('e', 'f g')", "u.href") == "https://x/?a=b+c&d=%FF&e=f+g"


@pytest.mark.parametrize(
    ("statement", "expression", "gives"),
    [
        ("p = js.URLSearchParams.new(); p.append('a\\ud800', 'b\\udc00')", "str(p)", "a%EF%BF%BD=b%EF%BF%BD"),
        ("", "str(js.URLSearchParams.new('a=\\ud800b'))", "a=%EF%BF%BDb"),
        ("", "js.URL.new('https://x/\\ud800?q=\\udfff').href", "https://x/%EF%BF%BD?q=%EF%BF%BD"),
        ("u = js.URL.new('https://x/'); u.search = '?q=\\ud800'", "u.href", "https://x/?q=%EF%BF%BD"),
        ("u = js.URL.new('https://x/?\\ud83d\\ude00=1')", "list(u.searchParams)", "[('😀', '1')]"),
    ],
)
async def test_half_of_a_surrogate_pair_is_a_replacement_character(
    stage: Stage, statement: str, expression: str, gives: str
) -> None:
    assert await evaluated(stage, statement or "pass", expression) == gives


NULL = "from pyodide.ffi import jsnull\np = js.URLSearchParams.new"


@pytest.mark.parametrize(
    ("statement", "expression", "gives"),
    [
        (NULL + "()", "str(js.URLSearchParams.new(jsnull)), str(js.URLSearchParams.new(None))", "('null=', '')"),
        (NULL + "({'a': jsnull, 'b': None, 'c': True, 'd': 1.5})", "str(p)", "a=null&b=undefined&c=true&d=1.5"),
        (
            NULL + "(); p.append('a', jsnull); p.append(None, jsnull); p.set('c', None)",
            "str(p)",
            "a=null&undefined=null&c=undefined",
        ),
        (
            NULL + "('a=1&a=2&b=undefined')",
            "p.has('a', '2'), p.has('a', '3'), p.has('a', None), p.has('a', jsnull)",
            "(True, False, True, False)",
        ),
        (NULL + "('a=1&a=null'); p.delete('a', jsnull)", "str(p)", "a=1"),
        (NULL + "('a=1&b=2&a=3'); p.set('a', 9)", "str(p)", "a=9&b=2"),
        (NULL + "(5)", "str(p)", "5="),
    ],
)
async def test_null_and_undefined_are_javascripts_texts(
    stage: Stage, statement: str, expression: str, gives: str
) -> None:  # fmt: skip
    assert await evaluated(stage, statement, expression) == gives


@pytest.mark.parametrize(
    ("loop", "gives"),
    [
        ("for k, _ in p:\n    seen.append(k); p.delete(k)", "(['a', 'c'], 'https://x/?b=2')"),
        ("for k, _ in p.entries():\n    seen.append(k); p.delete(k)", "(['a', 'c'], 'https://x/?b=2')"),
        ("for k in p.keys():\n    seen.append(k); p.delete('b')", "(['a', 'c'], 'https://x/?a=1&c=3')"),
        ("p.forEach(lambda v, k, _: (seen.append(k), p.delete(k)))", "(['a', 'c'], 'https://x/?b=2')"),
        (
            "i = p.values()\nseen.append(i.next().value); p.delete('a'); seen.append(i.next().value)",
            "(['1', '3'], 'https://x/?b=2&c=3')",
        ),
        (
            "for k, _ in p:\n    seen.append(k)\n    if len(seen) == 3: p.append('d', 4)",
            "(['a', 'b', 'c', 'd'], 'https://x/?a=1&b=2&c=3&d=4')",
        ),
    ],
)
async def test_an_iteration_sees_what_changes_meanwhile(stage: Stage, loop: str, gives: str) -> None:
    statement = "u = js.URL.new('https://x/?a=1&b=2&c=3'); p = u.searchParams; seen = []\n" + loop
    assert await evaluated(stage, statement, "seen, u.href") == gives
