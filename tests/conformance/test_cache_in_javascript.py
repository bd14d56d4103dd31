"""The recorded cases of the Cache API, asked by the recorder's own worker in both engines, of our cache."""

import json
from pathlib import Path
from typing import Final

import pytest

from edgeworker.messages import URL, Body, Request
from tests.conformance.test_cache import CASES, DIFFERENT, NOW, without_boundary
from tests.kv.clocks import FakeClock
from tests.runtime.engines.stage import staged

WORKER: Final = (
    (Path(__file__).parent / "record_cache.mjs")
    .read_text("utf-8")
    .partition("const SCRIPT = `")[2]
    .partition("`;\n")[0]
)


@pytest.mark.parametrize("engine", [pytest.param("workerd", marks=pytest.mark.node), "embedded"])
async def test_the_cache_answers_as_miniflare(engine: str, tmp_path: Path) -> None:
    different = {}
    async with staged(engine, tmp_path, WORKER, clock=FakeClock(NOW)) as stage:
        for name, case in CASES.items():
            asked = json.dumps({"name": name, "steps": case["steps"]}).encode()
            response = await stage.send(Request("POST", URL.parse("http://x/"), body=Body(asked)))
            assert response.body is not None
            answers = json.loads(await response.body.read())
            for place, (answer, expected) in enumerate(zip(answers, case["answers"], strict=True)):
                if (name, place) not in DIFFERENT and shown(answer) != shown(expected):
                    different[name, place] = (answer, expected)

    assert different == {}


def shown(answer: object) -> object:
    """Without what differs by the way: the date, and how the link to the child carries a body."""
    answer = without_boundary(answer)
    if isinstance(answer, dict) and "headers" in answer:
        left_out = ("date", "transfer-encoding", *(["content-length"] if answer["body"] == "" else []))
        answer["headers"] = [pair for pair in answer["headers"] if pair[0] not in left_out]
    return answer
