"""What is behind an edge in a test."""

import asyncio
from pathlib import Path

import pytest

from edgeworker.testing.calls import request_of
from edgeworker.testing.clock import MovableClock
from edgeworker.testing.engine import EdgeLoop, run_to_end
from edgeworker.testing.faults import FaultInjection
from edgeworker.testing.origin import Origin
from tests.testing.scripts import worker_config

COUNTS = """
loaded = []

async def fetch(self, request):
    Default.loaded.append(1)
    return Response(str(len(Default.loaded)))
"""


@pytest.fixture
def engine(tmp_path: Path) -> EdgeLoop:
    clock = MovableClock()
    return EdgeLoop(worker_config(tmp_path, COUNTS), clock, Origin(clock), FaultInjection())


async def test_scripts_are_loaded_once_however_many_ask_first(engine: EdgeLoop) -> None:
    responses = await asyncio.gather(*(engine.answer(request_of("GET", "/", {})) for _ in range(3)))

    assert sorted([(await response.body.read()) for response in responses if response.body]) == [b"1", b"2", b"3"]
    assert len(engine.exchanges) == 3
    await engine.shut()


async def test_a_closed_engine_does_not_start_again(engine: EdgeLoop) -> None:
    await engine.shut()
    engine.abandon()

    with pytest.raises(RuntimeError, match="this edge is closed"):
        await engine.edge()


def test_work_that_waits_is_not_finished_at_once() -> None:
    with pytest.raises(AssertionError, match="waits for nothing"):
        run_to_end(asyncio.sleep(0))
