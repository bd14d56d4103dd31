"""Settling: what became due runs, in order, and what cannot go on is left."""

import asyncio
import time
from pathlib import Path

import pytest

from edgeworker.config import Worker
from edgeworker.handler import Background
from edgeworker.runtime import Scheduled
from edgeworker.testing.clock import MovableClock
from edgeworker.testing.settling import CronTriggers, NeverSettles, settle


async def test_background_work_is_done_afterwards() -> None:
    clock, background, done = MovableClock(), Background(), []

    async def work() -> None:
        await asyncio.to_thread(time.monotonic)
        done.append("thread")
        background.spawn(more(), name="more")

    async def more() -> None:
        done.append("more")

    background.spawn(work(), name="work")
    await settle(clock, background)

    assert done == ["thread", "more"]


async def test_only_what_is_due_is_woken_and_in_order() -> None:
    clock, background, done = MovableClock(), Background(), []

    async def after(seconds: float) -> None:
        await clock.sleep(seconds)
        done.append(seconds)
        await clock.sleep(1)
        done.append(seconds + 1)

    for seconds in (20, 10, 30):
        background.spawn(after(seconds), name="sleeper")
    await settle(clock, background)
    assert done == []

    clock.advance(20.5)
    await settle(clock, background)
    # A sleeper that sleeps again sleeps from now on, not from when it was due.
    assert done == [10, 20]

    clock.advance(60)
    await settle(clock, background)
    assert done == [10, 20, 11, 21, 30]
    clock.advance(1)
    await settle(clock, background)
    assert (done, background.pending) == ([10, 20, 11, 21, 30, 31], 0)


async def test_work_that_never_ends_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgeworker.testing.settling._PATIENCE_SECONDS", 0.01)
    clock, background = MovableClock(), Background()
    background.spawn(asyncio.Event().wait(), name="forever")

    with pytest.raises(NeverSettles, match=r"1 piece\(s\) of waitUntil work still run"):
        await settle(clock, background)
    await background.drain(timeout_seconds=0)


async def test_triggers_fire_for_each_minute_that_passed_between_the_sleepers() -> None:
    clock, background, done = MovableClock(start=0), Background(), []
    workers = [
        Worker("five", Path("w.py"), crons=("*/5 * * * *",)),
        Worker("both", Path("w.py"), crons=("3 * * * *", "10 * * * *")),
    ]

    async def fire(worker: str, event: Scheduled) -> None:
        done.append((worker, event.cron, event.scheduled_time // 60_000))

    async def sleeper() -> None:
        await clock.sleep(4 * 60)
        done.append(("sleeper", "", 4))

    triggers = CronTriggers(workers, fire, clock)
    background.spawn(sleeper(), name="sleeper")
    await settle(clock, background, triggers)
    assert done == []

    clock.advance(10 * 60)
    await settle(clock, background, triggers)
    await settle(clock, background, triggers)

    assert done == [
        ("both", "3 * * * *", 3),
        ("sleeper", "", 4),
        ("five", "*/5 * * * *", 5),
        ("five", "*/5 * * * *", 10),
        ("both", "10 * * * *", 10),
    ]
