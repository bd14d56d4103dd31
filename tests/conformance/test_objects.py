"""Objects of JavaScript as a script meets them, as pyodide answered; recorded by record_objects.mjs."""

import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from textwrap import indent

import pytest

from tests.runtime.stage import Stage

HERE = Path(__file__).parent
INPUTS = json.loads((HERE / "inputs" / "objects.json").read_text(encoding="utf-8"))
RECORDED = json.loads((HERE / "cases" / "objects.json").read_text(encoding="utf-8"))["cases"]
# Ours on purpose, and why.
DIFFERENT = {
    # An array keeps what it is given, and gives the same object each time.
    "a=JSON.parse('{\"a\":[1]}'); a.a is a.a": {"value": "True"},
    "a=JSON.parse('[[1]]'); a[0] is a[0]": {"value": "True"},
    # A place that nothing was put into is undefined here.
    "Array.new(2)[0]": {"value": "None"},
    # Our class has no dot in its name, which Python's own texts show.
    "a=JSON.parse('[3,1,[2]]'); [1] + a": {"error": 'TypeError: can only concatenate list (not "JsProxy") to list'},
    "a=JSON.parse('[3,1,[2]]'); (1,) + a": {"error": 'TypeError: can only concatenate tuple (not "JsProxy") to tuple'},
    "a=Array.new(); a.push([4]); type(a[0])": {"value": "<class 'pyodide.ffi.JsProxy'>"},
    # An iterator of Python.
    "to_js([1,2]).values().next().value": {
        "error": "AttributeError: 'list_iterator' object has no attribute 'next'",
    },
    # Python has no number that is an object.
    "js.Number.new('5') + 1": {"value": "6"},
}
# workerd's text instead of Node's, and the class where pyodide has it.
OWN_TEXTS = ("errorJsException", "errorTypeError: Incorrect type")
SCRIPT = """
PRELUDE
import workers

class Default(workers.WorkerEntrypoint):
    async def fetch(self, request):
        try:
            BEFORE
            value = (EXPRESSION)
            text = value if isinstance(value, str) else repr(value)
            return workers.Response("value" + text)
        except Exception as error:
            return workers.Response(f"error{type(error).__name__}: {error}")
"""


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    stage = Stage(tmp_path)
    yield stage
    await stage.close()


@pytest.mark.parametrize("case", INPUTS["cases"], ids=lambda case: case["name"])
async def test_a_script_sees_here_what_it_sees_there(stage: Stage, case: Mapping[str, str]) -> None:
    before = indent(case.get("before", "pass"), 12 * " ").strip()
    script = SCRIPT.replace("BEFORE", before).replace("EXPRESSION", case["expression"])
    stage.add(script.replace("PRELUDE", INPUTS["prelude"]), date="2026-08-01", flags=("python_workers",))
    kind, text = (answer := (await stage.get()).text)[:5], answer[5:].replace("Default.fetch.<locals>.", "")

    recorded = (RECORDED | DIFFERENT)[case["name"]]
    if answer.startswith(OWN_TEXTS):
        assert list(recorded) == ["error"]
        return
    assert {kind: text} == recorded
