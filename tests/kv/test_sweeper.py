import asyncio
import logging

import pytest

from edgeworker.errors import StoreError
from edgeworker.kv.memory import MemoryStore
from edgeworker.kv.store import Entry
from edgeworker.kv.sweeper import INTERVAL_SECONDS, sweep_for_ever
from tests.kv.clocks import FakeClock


class _Pauses(FakeClock):
    """A clock that notes how long it was asked to sleep, and ends the sweeping after some times."""

    def __init__(self, *, times: int) -> None:
        super().__init__(100)
        self.times = times
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        if len(self.slept) == self.times:
            raise asyncio.CancelledError


class _FailsOnce(MemoryStore):
    failed = False

    async def sweep(self, *, now: int, limit: int = 500) -> int:
        if not self.failed:
            self.failed = True
            raise StoreError("locked")
        return await super().sweep(now=now, limit=limit)


async def test_steps_follow_each_other_until_there_is_nothing_to_do() -> None:
    store, clock = MemoryStore(), _Pauses(times=3)
    await store.put_many("ns", [(str(number), Entry(b"", expires_at=100)) for number in range(501)])

    with pytest.raises(asyncio.CancelledError):
        await sweep_for_ever(store, clock)

    assert clock.slept == [0.05, 0.05, INTERVAL_SECONDS]
    assert await store.list_keys("ns", prefix="", after="", limit=10, now=0) == []


async def test_storage_that_fails_is_logged_and_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    store, clock = _FailsOnce(), _Pauses(times=2)
    await store.put("ns", "k", Entry(b"", expires_at=100))

    with caplog.at_level(logging.WARNING), pytest.raises(asyncio.CancelledError):
        await sweep_for_ever(store, clock, interval_seconds=7)

    assert clock.slept == [7, 0.05]
    assert "is not removed now: locked" in caplog.text
