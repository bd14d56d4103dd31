"""Our reading of forms beside workerd's, which record_formdata.mjs has recorded."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from edgeworker.runtime.webapi.blob import File
from edgeworker.runtime.webapi.ffi import JsException
from edgeworker.runtime.webapi.formdata import FormData

_FOLDER: Final = Path(__file__).parent
Answer = str | list[list[str | list[str]]]


@dataclass(frozen=True, slots=True)
class Case:
    type: str
    body: str
    answer: Answer


CASES: Final = [Case(**row) for row in json.loads((_FOLDER / "cases/formdata.json").read_text("utf-8"))]
# Where we mean to answer something else, and why.
DIFFERENT: Final = {
    "a=%zz": "workerd drops the sign; the URL standard keeps what is not an escape, and so does URLSearchParams there",
}


def _read(case: Case) -> Answer:
    try:
        form = FormData.parse(case.body.encode("latin-1"), case.type or None)
    except JsException as error:
        return str(error).removeprefix("TypeError: ")
    return [
        [name, [value.name, value.type, value.content_bytes.decode("latin-1")] if isinstance(value, File) else value]
        for name, value in form.iterate()
    ]


@pytest.mark.parametrize("index", range(len(CASES)))
def test_a_form_is_read_as_workerd_reads_it(index: int) -> None:
    case = CASES[index]

    if case.body in DIFFERENT:
        assert _read(case) != case.answer, f"{case.body} is not different any more"
    else:
        assert _read(case) == case.answer, case


def test_the_recording_covers_the_inputs() -> None:
    inputs = json.loads((_FOLDER / "inputs/formdata.json").read_text("utf-8"))

    assert [(row["type"], row["body"]) for row in inputs] == [(case.type, case.body) for case in CASES]
