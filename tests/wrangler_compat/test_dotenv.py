"""What of `.dev.vars` and `.env` the table of wrangler's answers (tests/conformance/test_dotenv.py) does not tell."""

import pytest

from edgeworker.errors import ConfigError
from wrangler_compat.dotenv import MAX_EXPANDED, expand, parse_dotenv


def test_each_assignment_has_its_lines_and_what_sets_nothing_is_named() -> None:
    parsed = parse_dotenv('# comment\r\nA=1\n\nnothing here\n  export B="x\ny" # note\n# another\nC=3')

    assert [(found.name, found.line, parsed.text[found.start : found.end]) for found in parsed.assignments] == [
        ("A", 2, "A=1\n"),
        ("B", 5, '  export B="x\ny" # note\n'),
        ("C", 8, "C=3"),
    ]
    assert parsed.ignored == (4,)


def test_no_value_is_in_a_repr() -> None:
    assert "hidden" not in repr(parse_dotenv("A=hidden\n"))


@pytest.mark.parametrize(
    "values",
    [
        {"A": "x" * 1000, **{f"V{n}": f"${{V{n - 1}}}${{V{n - 1}}}" if n else "$A$A" for n in range(40)}},
        {"A": "$" * MAX_EXPANDED + "$B"},
        {"A": "$B" * 100_000},
    ],
    ids=["doubling", "long", "many"],
)
def test_references_are_bounded(values: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match=r"more than 1048576 characters|too many"):
        expand(values, {})


def test_references_without_an_end_are_an_error() -> None:
    # wrangler itself does not come to an end here: `$&` in JavaScript's replace() is what is replaced.
    with pytest.raises(ConfigError, match="have no end"):
        expand({"A": "$P"}, {"P": "$&"})


@pytest.mark.parametrize(
    "line",
    [
        "\n",
        "A=\n",
        "A\n",
        "A='\n",
        'A="\\"\n',
        "A='\\'\n",
        "#'\n",
        " ",
        "A=" + " " * 4000 + "'\n",
        "A" * 4000 + "\n",
        "A=`'\"\n",
    ],
)
def test_a_large_file_is_read_in_the_time_that_its_length_takes(line: str) -> None:
    """Expressions that try again from each position would not come back from this at all."""
    parse_dotenv(line * (256 * 1024 // len(line)))
