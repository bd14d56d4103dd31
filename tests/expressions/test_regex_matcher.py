"""Regular expressions without Unicode and without backtracking."""

import re
import warnings

import pytest

from edgeworker.expressions.regex_matcher import Regex
from edgeworker.expressions.regex_reader import RegexError
from tests.expressions.generating import Generator


@pytest.mark.parametrize(
    ("pattern", "matching", "not_matching"),
    [
        (r"^/api/v\d+/", [b"/api/v1/x", b"/api/v22/"], [b"/api/vx/", b"x/api/v1/"]),
        (r"(?i)admin", [b"ADMIN", b"xAdMiNx"], [b"adm1n"]),
        (r"(?i)a(?-i)b", [b"Ab", b"ab"], [b"aB"]),
        (r"(?m)^b$", [b"a\nb\nc"], [b"ab"]),
        (r"^b$", [b"b"], [b"a\nb"]),
        (r"\bcat\b", [b"a cat.", b"cat"], [b"concat", b"cats"]),
        (r"\Bcat", [b"concat"], [b"cat"]),
        (r"\b{start}cat", [b"a cats"], [b"concat"]),
        (r"[a-z&&[^aeiou]]{2}", [b"xbcx"], [b"aba"]),
        (r"^[[:alpha:]]+$", [b"abc"], [b"ab1"]),
        (r"^[^a]$", [b"\n", b"\xff"], [b"a", b""]),
        (r"^.$", [b"\xff"], [b"\n", b"\xc3\xa9"]),
        (r"(?s)^.$", [b"\n"], []),
        ("é", ["café".encode()], [b"\xe9"]),
        (r"\xe9", [b"\xe9"], ["é".encode()]),
        (r"\x{e9}", ["é".encode()], [b"\xe9"]),
        (r"a{2,3}", [b"aa", b"aaaa"], [b"a"]),
        (r"^a{0}$", [b""], [b"a"]),
        (r"(?x) a  b # two letters", [b"ab"], [b"a b"]),
        (r"^(?:a|b|)c$", [b"ac", b"bc", b"c"], [b"cc"]),
        (r"^(()*)*$", [b""], [b"a"]),
        (r"[a&&b]", [], [b"a", b"b", b""]),
        (r"^[\d\-]+$", [b"1-2"], [b"1_2"]),
        (r"^[a-c--b]$", [b"a", b"c"], [b"b"]),
        (r"^[a-c~~b-d]$", [b"a", b"d"], [b"b", b"c"]),
        ("", [b"", b"anything"], []),
    ],
)
def test_a_pattern_matches(pattern: str, matching: list[bytes], not_matching: list[bytes]) -> None:
    regex = Regex(pattern)

    assert [value for value in matching if not regex.matches(value)] == []
    assert [value for value in not_matching if regex.matches(value)] == []


def test_generated_patterns_match_as_python_matches_them() -> None:
    """On what both languages read alike: no "$" (Python's takes a newline after it), no braces, no nested brackets."""
    generator = Generator(3)
    patterns = generator.sequences(
        ["a", "b", "0", "_", ".", "^", "*", "+", "?", "(", "(?:", ")", "|", "[ab]", "[^a]", "\\d", "\\w", "\\b", "\\B"],
        count=6_000,
        longest=8,
    )
    texts = [text.encode() for text in generator.sequences(["a", "b", "0", "_", "-", "\n"], count=40, longest=6)]
    different = []
    for pattern in patterns:
        if any(twice in pattern for twice in ("++", "*+", "?+")):
            continue  # possessive to Python
        try:
            ours = Regex(pattern)
            with warnings.catch_warnings(action="ignore"):
                theirs = re.compile(pattern.encode())
        except (RegexError, re.error):
            continue
        different += [(pattern, text) for text in texts if ours.matches(text) != bool(theirs.search(text))]

    assert different == []


@pytest.mark.parametrize("pattern", ["x{1000}{1000}", "(a{50}){500}", ".{4079,65535}"])
def test_a_pattern_of_too_many_states_is_refused(pattern: str) -> None:
    with pytest.raises(RegexError, match="exceeds 2000 states"):
        Regex(pattern)


def test_what_a_pattern_remembers_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgeworker.expressions.regex_matcher._MAX_REMEMBERED", 50)
    regex = Regex("(a|b)*a(a|b){9}$")
    text = b"abbaabab" * 64

    assert regex.matches(text + b"aaaaaaaaaa") is True
    assert regex.matches(text + b"c") is False
    assert len(regex._remembered) <= 50
