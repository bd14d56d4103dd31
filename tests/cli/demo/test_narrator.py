import io

from edgeworker.cli.demo.narrator import Narrator
from edgeworker.cli.output import Output


def test_a_story_whose_checks_hold_ends_well() -> None:
    stream = io.StringIO()
    narrator = Narrator(Output(stream, styled=False))
    narrator.step("First")
    narrator.sent("GET /")
    narrator.check("it works", True, got="nothing")

    assert narrator.end()
    assert stream.getvalue() == "\n1. First\n   > GET /\n   ok: it works\n\nok: 1 of 1 checks held.\n"


def test_one_check_that_does_not_hold_spoils_it_and_is_named_at_the_end() -> None:
    stream = io.StringIO()
    narrator = Narrator(Output(stream, styled=False))
    narrator.check("it works", True)
    narrator.check("it is safe", False, got="200")

    assert not narrator.end()
    assert "FAILED: it is safe (got: 200)" in stream.getvalue()
    assert stream.getvalue().endswith("FAILED: 1 of 2 checks did not hold:\n   it is safe\n")


def test_the_parts_of_a_token_keep_their_colours_when_they_are_alone() -> None:
    narrator = Narrator(Output(io.StringIO(), styled=True))

    whole = narrator.token("head.body.sign")
    assert narrator.token("head.body") + "." + narrator.token("sign") == whole
    assert len(set(whole.split("."))) == 3


def test_long_parts_are_shortened() -> None:
    narrator = Narrator(Output(io.StringIO(), styled=False))

    assert narrator.token("a" * 12 + "x" * 100 + "b" * 6) == "aaaaaaaaaaaa…bbbbbb"
