"""Objects of JavaScript as a script meets them, as pyodide answered; recorded by record_objects.mjs."""

import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from tests.runtime.stage import Stage

HERE = Path(__file__).parent
INPUTS = json.loads((HERE / "inputs" / "objects.json").read_text(encoding="utf-8"))
RECORDED = json.loads((HERE / "cases" / "objects.json").read_text(encoding="utf-8"))["cases"]
# Ours on purpose, and why.
DIFFERENT = {
    # An array is a list of Python too, and is shown as one.
    "obj().n": {"value": "[[object Object]]"},
    "obj().items": {"value": "[1]"},
    "Array.new(1,2)": {"value": "[1, 2]"},
    "Object.keys({'a': 1})": {"value": "['a']"},
    "Object.entries({'a': 1})": {"value": "[['a', 1]]"},
    "o=obj(); dict(o.object_entries())": {
        "value": "{'name': 'x', 'n': [[object Object]], 'z': jsnull, 'get': 5, 'items': [1]}"
    },
    "JSON.parse('[3,1]').sort()": {"value": "[1, 3]"},
    "str(JSON.parse('[1,[2]]'))": {"value": "[1, [2]]"},
    "isinstance(obj().n, list)": {"value": "True"},
    "obj().n + [1]": {"value": "[[object Object], 1]"},
    "JSON.parse('[1,2]') + [3]": {"value": "[1, 2, 3]"},
    "JSON.parse('[1,2,3]')[0:2]": {"value": "[1, 2]"},
    "JSON.parse('[1,2]')[5]": {"error": "IndexError: list index out of range"},
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
    script = SCRIPT.replace("BEFORE", case.get("before", "pass")).replace("EXPRESSION", case["expression"])
    stage.add(script.replace("PRELUDE", INPUTS["prelude"]), date="2026-08-01", flags=("python_workers",))
    kind, text = (answer := (await stage.get()).text)[:5], answer[5:]

    recorded = (RECORDED | DIFFERENT)[case["name"]]
    if answer.startswith(OWN_TEXTS):
        assert list(recorded) == ["error"]
        return
    assert {kind: text} == recorded
