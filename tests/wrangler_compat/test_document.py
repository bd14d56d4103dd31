"""A configuration file as values with their places."""

from pathlib import Path

import pytest

from edgeworker.schema.diagnostics import Diagnostics, SourceLocation
from tests.wrangler_compat.project import document
from wrangler_compat.document import parse_document


def test_the_place_of_a_value_is_its_line_or_that_of_the_nearest_thing_around_it() -> None:
    read = document('name = "w"\n[vars]\nA = "1"\n')

    assert read.locate(("vars", "A")) == SourceLocation("wrangler.toml", 3, "vars.A")
    assert read.locate(("vars", "B")) == SourceLocation("wrangler.toml", 2, "vars.B")
    assert read.locate(("zz",)) == SourceLocation("wrangler.toml", None, "zz")
    assert read.source(("vars", "A")) == "wrangler.toml:3 (vars.A)"


@pytest.mark.parametrize("text", ['\ufeffname = "w"\r\nmain = "x"\r\n', 'name = "w"\nmain = "x"'])
def test_windows_line_ends_and_a_byte_order_mark_are_read_over(text: str) -> None:
    read = document(text)

    assert read.values == {"name": "w", "main": "x"}
    assert read.locate(("main",)).line == 2


@pytest.mark.parametrize("suffix", ["json", "jsonc"])
def test_the_ending_of_the_name_says_that_it_is_json(suffix: str) -> None:
    assert document('{"name": "w", // comment\n}', f"wrangler.{suffix}").values == {"name": "w"}


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("wrangler.toml", "a = \n"),
        ("wrangler.toml", "a = " + "[" * 10_000 + "]" * 10_000),
        ("wrangler.toml", "a = " + "[" * 10_000),
        ("wrangler.json", '{"a": }'),
    ],
)
def test_a_file_that_cannot_be_read_is_an_error_with_file_line_and_caret(file: str, text: str) -> None:
    diagnostics = Diagnostics()

    assert parse_document(text, Path("/p") / file, f"p/{file}", diagnostics) is None

    (message,) = diagnostics.messages
    assert message.level == "error"
    assert message.locations == (SourceLocation(f"p/{file}", 1),)
    assert f"p/{file}:1:" in message.text
    assert "^" in message.text


def test_two_carriage_returns_before_a_line_feed_are_not_the_end_of_a_line() -> None:
    diagnostics = Diagnostics()

    assert parse_document("a = 1\r\n[b]\r\r\n", Path("/p/wrangler.toml"), "wrangler.toml", diagnostics) is None

    (message,) = diagnostics.messages
    assert message.locations == (SourceLocation("wrangler.toml", 2),)
    assert "A carriage return without a line feed" in message.text
