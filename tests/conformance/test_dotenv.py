"""Our reading of `.dev.vars` and `.env` beside wrangler's, which record_dotenv.mjs has recorded."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from wrangler_compat.dotenv import expand, parse_dotenv

_RECORDED = json.loads((Path(__file__).parent / "cases/dotenv.json").read_text("utf-8"))


@dataclass(frozen=True, slots=True)
class Case:
    text: str
    process: dict[str, str]
    parsed: list[tuple[str, str]]
    expanded: list[tuple[str, str]]


CASES = [
    Case(row["text"], row["process"], [(n, v) for n, v in row["parsed"]], [(n, v) for n, v in row["expanded"]])
    for row in _RECORDED
]


@pytest.mark.parametrize("case", CASES, ids=[repr(case.text) for case in CASES])
def test_a_text_sets_what_it_sets_for_wrangler(case: Case) -> None:
    values = parse_dotenv(case.text).values

    assert list(values.items()) == case.parsed
    assert dict(expand(values, case.process)) == dict(case.expanded)


def test_the_recording_covers_the_inputs() -> None:
    inputs = json.loads((Path(__file__).parent / "inputs/dotenv.json").read_text("utf-8"))

    assert [row["text"] for row in inputs] == [case.text for case in CASES]
