"""What scripts/atomic/worker.js answered in workerd, asked of our own `env.ATOMIC`, over each kind of state.

cases/atomic.json is recorded by record_atomic.mjs and never edited.
"""

import json
from pathlib import Path
from typing import Final

import pytest

from edgeworker.bindings.atomic.python_view import AtomicView
from edgeworker.bindings.atomic.service import AtomicService
from edgeworker.config import JSON
from edgeworker.runtime.webapi.ffi import JsException
from tests.kv.clocks import FakeClock
from tests.state.states import STATES

RECORDED: Final = json.loads((Path(__file__).parent / "cases" / "atomic.json").read_text())["cases"]


@pytest.mark.parametrize("kind", STATES)
@pytest.mark.parametrize("case", RECORDED, ids=[case["name"] for case in RECORDED])
async def test_the_emulation_answers_as_the_worker_on_cloudflare(
    case: dict[str, list[dict[str, JSON]]], kind: str, tmp_path: Path
) -> None:
    clock = FakeClock()
    state = STATES[kind](tmp_path, clock)
    views = {
        space: AtomicView(AtomicService(state.atomic, clock, space=space), name="ATOMIC") for space in ("", "other")
    }
    try:
        for entry in case["steps"]:
            step = entry["step"]
            if isinstance(step, dict):
                clock.advance(float(str(step["$wait"])))
                continue
            assert isinstance(step, list)
            assert await _answer(views, step) == entry["answer"], step
    finally:
        await state.close()


async def _answer(views: dict[str, AtomicView], step: list[JSON]) -> JSON:
    space = ""
    if isinstance(step[0], dict):
        space, step = str(step[0]["$space"]), step[1:]
    arguments: list[object] = []
    keywords: dict[str, object] = {}
    for argument in step[1:]:
        match argument:
            case {"$repeat": [str() as text, int() as times]}:
                arguments.append(text * times)
            case dict():
                keywords.update(argument)
            case _:
                arguments.append(argument)
    try:
        return {"value": await getattr(views[space], str(step[0]))(*arguments, **keywords)}
    except JsException as error:
        return {"error": str(error)}
