"""Text on a terminal: wrapped at words, and no word is broken."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeworker.cli.wrapping import width_of, wrap

HOST = "a-very-long-name-of-a-customer.shops.example.com"


@pytest.mark.parametrize(
    ("text", "width", "hanging", "lines"),
    [
        ("", 30, 0, [""]),
        ("short", 30, 0, ["short"]),
        ("one two three four five six seven", 30, 0, ["one two three four five six", "seven"]),
        ("  - one two three four five six seven", 30, 2, ["  - one two three four five", "    six seven"]),
        (f"host {HOST} is unknown", 30, 0, ["host", HOST, "is unknown"]),
        ("a\n\nb", 30, 0, ["a", "", "b"]),
        ("key   value that is aligned, long", 30, 0, ["key   value that is aligned,", "long"]),
        ("\x1b[1mone two three four five six\x1b[0m", 30, 0, ["\x1b[1mone two three four five six\x1b[0m"]),
    ],
)
def test_lines_end_between_words(text: str, width: int, hanging: int, lines: list[str]) -> None:
    assert wrap(text, width, hanging=hanging) == lines


@given(st.lists(st.text("abc.-/", min_size=1, max_size=40), max_size=30), st.integers(30, 120), st.integers(0, 8))
def test_no_word_is_broken_or_lost_and_only_a_long_word_is_too_long(words: list[str], width: int, hanging: int) -> None:
    lines = wrap(" ".join(words), width, hanging=hanging)

    assert " ".join(lines).split() == words
    assert all(width_of(line) <= width or len(line.split()) == 1 for line in lines)
