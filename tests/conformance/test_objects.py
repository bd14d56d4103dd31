"""Objects of JavaScript as a script meets them, as pyodide answered; recorded by record_objects.mjs."""

import json
import re
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from textwrap import indent

import pytest

from tests.runtime.stage import Stage

HERE = Path(__file__).parent
INPUTS = json.loads((HERE / "inputs" / "objects.json").read_text(encoding="utf-8"))
RECORDED = json.loads((HERE / "cases" / "objects.json").read_text(encoding="utf-8"))["cases"]
_H = "h=Headers.new([['a','1'],['b','2']]); "
_U = "u=URLSearchParams.new('a=1&b=2&a=3'); "
_F = "f=js.FormData.new(); f.append('a','1'); f.append('b','2'); "
# Ours on purpose, and why.
DIFFERENT = {
    # An array keeps what it is given, and gives the same object each time.
    "a=JSON.parse('{\"a\":[1]}'); a.a is a.a": {"value": "True"},
    "a=JSON.parse('[[1]]'); a[0] is a[0]": {"value": "True"},
    # A place that nothing was put into is undefined here.
    "Array.new(2)[0]": {"value": "None"},
    "a=Array.new(); a.push([4]); type(a[0])": {"value": "<class 'pyodide.ffi.JsProxy'>"},
    # Python has no number that is an object.
    "js.Number.new('5') + 1": {"value": "6"},
    # workerd goes over the fields as they were, and calls its iterators so.
    _H + "[h.append('z','9') or k for k, _ in zip(h.keys(), range(5))]": {"value": "['a', 'b']"},
    _H + "it=h.entries(); str(it)": {"value": "[object EntryIterator]"},
    _H + "it=h.entries(); repr(it)": {"value": "[object EntryIterator]"},
    _H + "it=h.entries(); it.constructor.name": {"value": "EntryIterator"},
    _H + "it=h.keys(); str(it)": {"value": "[object KeyIterator]"},
    _H + "h.entries().to_py()": {"value": "[object EntryIterator]"},
    _U + "it=u.entries(); str(it)": {"value": "[object EntryIterator]"},
    _F + "it=f.entries(); str(it)": {"value": "[object EntryIterator]"},
    # It says what to write instead.
    _H + "it=h.entries(); hasattr(it,'__getitem__')": {"value": "True"},
    # One class serves lenient scripts too, to which the parameters are pairs.
    _U + "isinstance(u, Mapping)": {"value": "False"},
    _U + "isinstance(u, MutableMapping)": {"value": "False"},
    _U + "type(u.to_py()).__name__": {"value": "URLSearchParams"},
    _F + "type(f.to_py()).__name__": {"value": "FormData"},
    _H + "h.to_py()": {"value": "Headers(['a', 'b'])"},
    # One object of Python stays one; each use of it is a proxy of its own there.
    "t=(1,2); s=js.Set.new([t,t]); s.size": {"value": "1"},
    # Python's own text.
    **{
        f"s=Set.new(['a','b']); {expression}": {"error": f"AttributeError: 'JsProxy' object has no attribute '{name}'"}
        for expression, name in (
            ("s.pop()", "pop"),
            ("s.remove('a')", "remove"),
            ("(s.discard('a'), s.size)[1]", "discard"),
        )
    },
}
# workerd's text instead of Node's, and the class where pyodide has it.
OWN_TEXTS = ("errorJsException", "errorTypeError: Incorrect type")
DOTTED = "pyodide.ffi.JsProxy"
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
# Python 3.14 says more of it.
UNHASHABLE_KEY = re.compile(r"cannot use '[^']*' as a dict key \((unhashable type: [^)]*)\)")


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

    text = UNHASHABLE_KEY.sub(r"\1", text)
    recorded = (RECORDED | DIFFERENT)[case["name"]]
    if answer.startswith(OWN_TEXTS):
        assert list(recorded) == ["error"]
        return
    # Our class has no dot in its name, which Python's own texts show.
    assert {kind: text.replace(DOTTED, "JsProxy")} == {
        kind: text.replace(DOTTED, "JsProxy") for kind, text in recorded.items()
    }
