import io

from edgeworker.cli.output import Output


def test_piped_output_is_plain_and_aligned() -> None:
    stream = io.StringIO()
    out = Output.for_stream(stream)

    out.table(["name", "value"], [["a", "[b]not markup[/b]"], ["longer", "2"]], title="things")
    out.ok("done")

    assert stream.getvalue() == ("things\n  name    value\n  a       [b]not markup[/b]\n  longer  2\nok: done\n")


def test_a_terminal_gets_colours_and_a_drawn_table() -> None:
    stream = io.StringIO()
    out = Output(stream, styled=True)

    out.heading("Sockets")
    out.table(["name"], [["[b]x[/b]"]])

    assert "\x1b[1mSockets\x1b[0m" in stream.getvalue()
    assert "[b]x[/b]" in stream.getvalue()
    assert "│" in stream.getvalue()


def test_an_empty_table_prints_nothing() -> None:
    stream = io.StringIO()

    Output.for_stream(stream).table(["a"], [], title="none")

    assert stream.getvalue() == ""
