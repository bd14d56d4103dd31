import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Iterator

import pytest

from edgeworker.runtime import ScriptFailure
from edgeworker.runtime.contract.activity import activity
from edgeworker.runtime.contract.isolate import ExceededLimits
from edgeworker.runtime.python.watchdog import Watchdog
from tests.runtime.stage import IMPORTS, Stage


class _Heard(logging.Handler):
    """Keeps what is logged, and wakes those that wait for it."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.event = threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage())
        self.event.set()


@pytest.fixture
def heard() -> Iterator[_Heard]:
    handler = _Heard()
    logging.getLogger("edgeworker.runtime.python.watchdog").addHandler(handler)
    yield handler
    logging.getLogger("edgeworker.runtime.python.watchdog").removeHandler(handler)


async def _asleep() -> None:
    while activity.asleep is None:
        await asyncio.to_thread(threading.Event().wait, 0.002)


@pytest.fixture
async def watchdog() -> AsyncIterator[None]:
    watchdog = Watchdog(threshold_seconds=0.05)
    watchdog.start()
    yield
    watchdog.close()


@pytest.mark.usefixtures("watchdog")
async def test_a_script_that_blocks_the_loop_is_named_once_with_its_line(stage: Stage, heard: _Heard) -> None:
    stage.add_fetch("self.env.warned.wait(30)\nreturn Response('done')")
    env = stage.env()
    env.warned = heard.event

    assert (await stage.get()).text == "done"
    heard.event.clear()
    env.warned = threading.Event()
    env.warned.set()
    assert (await stage.get()).text == "done"

    assert len(heard.texts) == 1
    assert 'worker "w" blocks the event loop for more than 50 ms' in heard.texts[0]
    assert "worker.py, line 4, in fetch: self.env.warned.wait(30)" in heard.texts[0]


@pytest.mark.usefixtures("watchdog")
async def test_a_script_that_waits_is_not_named(stage: Stage, heard: _Heard) -> None:
    stage.add_fetch("await asyncio.wait_for(self.env.go.wait(), 30)\nreturn Response('')", above="import asyncio\n")
    env = stage.env()
    env.go = asyncio.Event()
    asyncio.get_running_loop().call_later(0.2, env.go.set)

    await stage.get()

    assert heard.texts == []
    assert activity.under_way == 0


async def test_a_watchdog_that_sleeps_wakes_and_can_be_closed(stage: Stage, heard: _Heard) -> None:
    watchdog = Watchdog(threshold_seconds=0.01)
    watchdog.start()
    await _asleep()
    stage.add_fetch("self.env.warned.wait(30)\nreturn Response('')")
    env = stage.env()
    env.warned = heard.event

    await stage.get()

    assert len(heard.texts) == 1
    await _asleep()
    watchdog.close()


RUNAWAYS = [
    "while True:\n            pass",
    "while True:\n            try:\n                len([])\n            except Exception:\n                pass",
    "return Response(str(forever(0)))",
]


@pytest.mark.usefixtures("watchdog")
@pytest.mark.parametrize("body", RUNAWAYS)
async def test_a_script_that_keeps_the_loop_for_too_long_is_ended_and_others_are_served(
    stage: Stage, body: str
) -> None:
    forever = "def forever(n):\n    while n >= 0:\n        n += 1\n    return n\n"
    head = "class Default(WorkerEntrypoint):\n    async def fetch(self, request):\n        "
    stage.add(IMPORTS + forever + head + body, cpu_ms=150)
    stage.add_fetch("return Response('served')", name="other")

    with pytest.raises(ScriptFailure) as raised:
        await stage.get()

    assert raised.value.exceeded_limits
    assert isinstance(raised.value.original, ExceededLimits)
    assert (await stage.get(worker="other")).text == "served"


@pytest.mark.usefixtures("watchdog")
async def test_a_script_that_ends_in_time_is_not_ended(stage: Stage, heard: _Heard) -> None:
    stage.add(
        IMPORTS + "class Default(WorkerEntrypoint):\n    async def fetch(self, request):\n"
        "        while not self.env.warned.is_set():\n            pass\n        return Response('done')\n",
        cpu_ms=30_000,
    )
    env = stage.env()
    env.warned = heard.event

    assert (await stage.get()).text == "done"
