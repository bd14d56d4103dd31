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
