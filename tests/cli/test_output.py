import io

import pytest

from edgeworker.cli.output import Output


def test_piped_output_is_plain_and_aligned() -> None:
    stream = io.StringIO()
    out = Output.for_stream(stream)

    out.table(["name", "value"], [["a", "[b]not markup[/b]"], ["longer", "2"]], title="things")
    out.ok("done")

    assert stream.getvalue() == ("things\n  name    value\n  a       [b]not markup[/b]\n  longer  2\nok: done\n")


def test_a_terminal_gets_colours_and_no_ruled_boxes() -> None:
    stream = io.StringIO()
    out = Output(stream, styled=True)

    out.heading("Sockets")
    out.table(["name"], [["[b]x[/b]"], ["winner"]], marked=1)

    assert "\x1b[1mSockets\x1b[0m" in stream.getvalue()
    assert "  [b]x[/b]\n" in stream.getvalue()
    assert "\x1b[1;32m→ winner\x1b[0m" in stream.getvalue()
    assert "│" not in stream.getvalue()


@pytest.mark.parametrize("columns", [30, 60, 100])
def test_on_a_terminal_lines_are_wrapped_at_words_and_no_name_is_broken(
    columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    stream = io.StringIO()
    host = "a-very-long-name-of-a-customer.shops.example.com/*"
    text = "does not match: the host is another one, and so is the path of this request"

    Output(stream, styled=True).table(["route", "why"], [[host, text], ["a", "b"]])

    shown = stream.getvalue()
    assert host in shown
    assert " ".join(shown.replace(host, "").split()).count("the path of this request") == 1
    assert all(len(line) <= max(columns, len(host) + 2) for line in shown.splitlines()[1:])


def test_an_empty_table_prints_nothing() -> None:
    stream = io.StringIO()

    Output.for_stream(stream).table(["a"], [], title="none")

    assert stream.getvalue() == ""


def test_what_has_no_room_beside_stands_below_with_its_heading(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "38")
    stream = io.StringIO()

    Output(stream, styled=False, wraps=True).table(
        ["namespace", "keys", "bytes", ""], [["0" * 32, "4", "724", "old"], ["b", "0", "", ""]]
    )

    assert stream.getvalue() == (f"  namespace\n  {'0' * 32}\n    keys: 4, bytes: 724, old\n  b\n    keys: 0\n")


@pytest.mark.parametrize("columns", [40, 60, 80])
def test_no_line_is_wider_than_the_terminal_where_words_are_short(
    columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    stream = io.StringIO()
    row = ["0123456789abcdef0123456789abcdef", "title of it", "12,345", "1,234,567", "12", "2026-11-28 22:00Z"]

    Output(stream, styled=False, wraps=True).table(["id", "title", "keys", "bytes", "expiring", "made"], [row, row])

    assert all(len(line) <= columns for line in stream.getvalue().splitlines())
    assert all(stream.getvalue().count(cell) == 2 for cell in row if cell != "12")


@pytest.mark.parametrize("wraps", [True, False])
def test_what_only_people_read_is_wrapped_when_piped_too(monkeypatch: pytest.MonkeyPatch, *, wraps: bool) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    stream = io.StringIO()

    Output.for_stream(stream, wraps=wraps).prose("one two three four five six")

    assert stream.getvalue().splitlines() == (
        ["one two three four", "five six"] if wraps else ["one two three four five six"]
    )
