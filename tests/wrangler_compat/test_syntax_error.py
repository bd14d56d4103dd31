"""The frame around a syntax error."""

import pytest

from wrangler_compat.syntax_error import DocumentSyntaxError

SOURCE = "first\nsecond = \nthird\n"


def test_the_line_is_shown_with_a_caret_under_the_column() -> None:
    assert DocumentSyntaxError("Bad.", line=2, column=10).frame(SOURCE, "w.toml") == (
        "w.toml:2:10:\n  2 │ second =\n    ╵          ^"
    )


def test_other_lines_that_matter_are_shown_in_their_order() -> None:
    frame = DocumentSyntaxError("Bad.", line=2, column=1, also=[3, 99]).frame(SOURCE, "w.toml")

    assert frame == "w.toml:2:1:\n  2 │ second =\n    ╵ ^\n  3 │ third"


@pytest.mark.parametrize("source", ["", "\n", "one line"])
def test_a_line_beyond_the_end_shows_the_last_one(source: str) -> None:
    assert "│" in DocumentSyntaxError("Bad.", line=7, column=1).frame(source, "w.toml")


@pytest.mark.parametrize(
    ("column", "shown", "caret"),
    [(1, "…", "0"), (5000, "……", "9"), (10_000, "…", "9")],
    ids=["at the beginning", "in the middle", "at the end"],
)
def test_of_a_long_line_only_the_part_around_the_place_is_shown(column: int, shown: str, caret: str) -> None:
    frame = DocumentSyntaxError("Bad.", line=1, column=column).frame("0123456789" * 1000, "w.json")

    _, content, pointer = frame.split("\n")
    assert len(content) < 110
    assert content.count("…") == len(shown)
    assert content[pointer.index("^")] == caret
