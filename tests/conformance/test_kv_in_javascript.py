"""The recorded KV cases, asked by the recorder's own worker in both engines, of our KV."""

import json
from pathlib import Path
from typing import Final

import pytest

from edgeworker.config import JSON
from edgeworker.kv.memory import MemoryStore
from edgeworker.kv.namespace import KVNamespace
from edgeworker.messages import URL, Body, Request
from edgeworker.runtime.contract.javascript import EnvNamespace
from tests.conformance.test_kv import DIFFERENCES, NOW
from tests.kv.clocks import FakeClock
from tests.runtime.engines.stage import staged

HERE: Final = Path(__file__).parent
CASES: Final = json.loads((HERE / "cases" / "kv.json").read_text("utf-8"))["cases"]
# Written as a template in the recorder, so a backslash stands there twice.
WORKER: Final = (
    (HERE / "record_kv.mjs")
    .read_text("utf-8")
    .partition("const script = `")[2]
    .partition("`;\n")[0]
    .replace("\\\\", "\\")
)


@pytest.mark.parametrize("engine", [pytest.param("workerd", marks=pytest.mark.node), "embedded"])
async def test_a_recorded_case_is_answered_as_workerd_does(engine: str, tmp_path: Path) -> None:
    namespace = KVNamespace(MemoryStore(), "n", FakeClock(NOW))
    different: dict[tuple[str, int], tuple[JSON, JSON]] = {}

    async with staged(engine, tmp_path, WORKER, {"KV": EnvNamespace(namespace)}, date="2026-04-01") as stage:
        for case in CASES:
            asked = {"steps": [step["call"] for step in case["steps"]], "start": NOW}
            request = Request("POST", URL.parse("http://kv/"), body=Body(json.dumps(asked).encode()))
            response = await stage.send(request)
            assert response.body is not None
            for place, (answer, step) in enumerate(
                zip(json.loads(await response.body.read()), case["steps"], strict=True)
            ):
                expected = {name: value for name, value in step.items() if name != "call"}
                if (case["name"], place) in DIFFERENCES and answer != expected:
                    expected = {"result": DIFFERENCES[case["name"], place][0]}
                if answer != expected:
                    different[case["name"], place] = (answer, expected)

    assert different == {}
