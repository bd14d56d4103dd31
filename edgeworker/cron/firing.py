"""What is due when, and firing it at its time."""

import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from edgeworker.clock import Clock
from edgeworker.config import Worker
from edgeworker.cron.expression import InvalidCron, parse
from edgeworker.errors import ConfigError
from edgeworker.handler import Background
from edgeworker.runtime import Scheduled, ScriptFailure

_log = logging.getLogger(__name__)

# How long one sleep may last: the clock may be set, and the configuration replaced, in the meantime.
_LONGEST_SLEEP_SECONDS: Final = 60.0
_MINUTE: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Due:
    """One trigger and the next minute at which it fires, in UTC."""

    at: datetime
    worker: str
    cron: str


def upcoming(workers: Iterable[Worker], *, after: datetime) -> list[Due]:
    """The next firing of each trigger, the soonest first; what never fires is left out.

    Raises:
        ConfigError: a trigger is not a cron expression.
    """
    found = []
    for worker in workers:
        for cron in dict.fromkeys(worker.crons):
            try:
                at = parse(cron).next_after(after)
            except InvalidCron as error:
                where = f"{worker.source}: " if worker.source else ""
                raise ConfigError(f"{where}triggers.crons: {error}") from error
            if at is not None:
                found.append(Due(at, worker.name, cron))
    return sorted(found, key=lambda due: due.at)


async def fire_when_due(
    workers: Callable[[], Iterable[Worker]],
    fire: Callable[[str, Scheduled], Awaitable[None]],
    *,
    clock: Clock,
    background: Background,
) -> None:
    """Fires all triggers at their times until it is cancelled. Firings do not wait for each other.

    `workers` and `fire` are asked anew each time, so that a replaced configuration counts from then on. Minutes that
    passed while the machine slept are not made up for. Raises ConfigError as `upcoming` does.
    """
    last = utc_now(clock)
    while True:
        due = upcoming(workers(), after=last)
        wait = _LONGEST_SLEEP_SECONDS if not due else due[0].at.timestamp() - clock.now_ms() / 1000
        if wait > 0:
            await clock.sleep(min(wait, _LONGEST_SLEEP_SECONDS))
        now = utc_now(clock)
        this_minute = now.replace(second=0, microsecond=0)
        if this_minute > last:
            for each in upcoming(workers(), after=this_minute - _MINUTE):
                if each.at == this_minute:
                    spawn(each, fire, background)
        last = now


def spawn(due: Due, fire: Callable[[str, Scheduled], Awaitable[None]], background: Background) -> None:
    """Fires one trigger. A script's failure is a line of the log and nothing else."""
    background.spawn(_fire(due, fire), name=f'cron "{due.cron}" of worker "{due.worker}"')


async def _fire(due: Due, fire: Callable[[str, Scheduled], Awaitable[None]]) -> None:
    event = Scheduled(due.cron, int(due.at.timestamp()) * 1000)
    try:
        await fire(due.worker, event)
    except ScriptFailure:
        _log.warning('cron "%s" of worker "%s": failed', due.cron, due.worker)  # with its traceback already
    else:
        _log.info('cron "%s" of worker "%s": ok', due.cron, due.worker)


def utc_now(clock: Clock) -> datetime:
    return datetime.fromtimestamp(clock.now_ms() / 1000, UTC)
