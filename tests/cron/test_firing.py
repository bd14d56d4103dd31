import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from edgeworker.config import Worker
from edgeworker.cron.firing import fire_when_due, upcoming
from edgeworker.errors import ConfigError
from edgeworker.handler import Background
from edgeworker.runtime import Scheduled, ScriptFailure
from edgeworker.testing.clock import MovableClock
from edgeworker.testing.settling import settle

NOON = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)


def _worker(name: str, *crons: str, source: str = "") -> Worker:
    return Worker(name, Path("/worker.py"), crons=crons, source=source)


class Fired:
    """What a running `fire_when_due` fires, with the clock that it runs by."""

    def __init__(self, workers: Sequence[Worker], start: datetime) -> None:
        self.workers = workers
        self.clock = MovableClock(start.timestamp())
        self.background = Background()
        self.seen: list[tuple[str, str, int]] = []
        self.failing = False

    async def fire(self, worker: str, event: Scheduled) -> None:
        self.seen.append((worker, event.cron, event.scheduled_time))
        if self.failing:
            raise ScriptFailure(worker, ValueError("no"))

    async def until(self, moment: datetime) -> None:
        """In steps of a second and a half, as time passes for a machine that is late now and then."""
        while self.clock.now_ms() < moment.timestamp() * 1000:
            self.clock.advance(min(1.5, moment.timestamp() - self.clock.now_ms() / 1000))
            await settle(self.clock, self.background)


@asynccontextmanager
async def _firing(*workers: Worker, start: datetime = NOON) -> AsyncIterator[Fired]:
    fired = Fired(workers, start)
    work = fire_when_due(lambda: fired.workers, fired.fire, clock=fired.clock, background=fired.background)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(work)
        await settle(fired.clock, fired.background)
        try:
            yield fired
        finally:
            task.cancel()


def _ms(minute: int, hour: int = 12) -> int:
    return int(NOON.replace(hour=hour, minute=minute).timestamp()) * 1000


def test_the_soonest_trigger_comes_first_and_what_never_fires_is_left_out() -> None:
    workers = [_worker("a", "0 13 * * *", "* * 30 2 *"), _worker("b", "*/5 * * * *", "*/5 * * * *")]

    found = upcoming(workers, after=NOON)

    assert [(due.worker, due.cron, due.at) for due in found] == [
        ("b", "*/5 * * * *", NOON.replace(minute=5)),
        ("a", "0 13 * * *", NOON.replace(hour=13)),
    ]


def test_a_trigger_that_is_none_is_named_with_its_file() -> None:
    with pytest.raises(
        ConfigError, match=r'wrangler\.toml: triggers\.crons: "\* \*" is not a cron expression: write five'
    ):
        upcoming([_worker("a", "* *", source="wrangler.toml")], after=NOON)


async def test_each_trigger_fires_once_at_its_minute(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "edgeworker")
    async with _firing(_worker("a", "*/2 * * * *"), _worker("b", "4 12 * * *", "0 12 * * *")) as fired:
        await fired.until(NOON.replace(minute=4, second=30))

    assert fired.seen == [
        ("a", "*/2 * * * *", _ms(2)),
        ("a", "*/2 * * * *", _ms(4)),
        ("b", "4 12 * * *", _ms(4)),
    ]
    assert 'cron "4 12 * * *" of worker "b": ok' in caplog.text


async def test_a_failure_is_one_line_and_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async with _firing(_worker("a", "* * * * *")) as fired:
        fired.failing = True
        await fired.until(NOON.replace(minute=2))

    assert len(fired.seen) == 2
    assert [record.getMessage() for record in caplog.records] == ['cron "* * * * *" of worker "a": failed'] * 2


async def test_a_replaced_configuration_counts_within_a_minute() -> None:
    async with _firing(_worker("a", "0 0 1 1 *")) as fired:
        fired.workers = [_worker("b", "3 * * * *")]
        await fired.until(NOON.replace(minute=3))

    assert fired.seen == [("b", "3 * * * *", _ms(3))]


async def test_minutes_that_a_machine_slept_through_are_not_made_up_for() -> None:
    async with _firing(_worker("a", "* * * * *")) as fired:
        fired.clock.advance(600)
        await settle(fired.clock, fired.background)

    assert fired.seen == [("a", "* * * * *", _ms(10))]


async def test_without_triggers_nothing_fires_and_the_clock_goes_on() -> None:
    async with _firing(_worker("a")) as fired:
        await fired.until(NOON.replace(minute=2))

    assert fired.seen == []
