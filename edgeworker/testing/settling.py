"""Runs what is due, in order, until nothing is left that could continue without time or another request."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

from edgeworker.config import Worker
from edgeworker.cron.firing import Due, spawn, upcoming, utc_now
from edgeworker.handler import Background
from edgeworker.runtime import Scheduled
from edgeworker.testing.clock import MovableClock

# How many turns of the event loop without a change mean that every task that could go on has done so.
_IDLE_TURNS: Final = 10
# Work that waits for a thread or a socket gets real time, in small steps.
_STEP_SECONDS: Final = 0.001
_PATIENCE_SECONDS: Final = 10.0


class NeverSettles(Exception):
    """Work given to waitUntil neither ends nor waits for the clock."""


class CronTriggers:
    """The cron triggers of an edge by a clock that a test moves: each minute that passed fires, once and in order."""

    def __init__(
        self, workers: Iterable[Worker], fire: Callable[[str, Scheduled], Awaitable[None]], clock: MovableClock
    ) -> None:
        """Nothing before the clock's present is due. `fire` gets a worker's name and the event."""
        self._workers = tuple(worker for worker in workers if worker.crons)
        self._fire = fire
        self._clock = clock
        self._fired = utc_now(clock)

    def next_due_ms(self) -> int | None:
        """The epoch millisecond of the oldest minute that has passed and was not fired; None where there is none."""
        due = self._due()
        return int(due[0].at.timestamp()) * 1000 if due else None

    def fire_next(self, background: Background) -> None:
        """Fires that minute's triggers. They do not wait for each other."""
        due = self._due()
        for each in due:
            if each.at == due[0].at:
                spawn(each, self._fire, background)
        self._fired = due[0].at

    def _due(self) -> list[Due]:
        now = utc_now(self._clock)
        return [each for each in upcoming(self._workers, after=self._fired) if each.at <= now]


async def settle(clock: MovableClock, background: Background, triggers: CronTriggers | None = None) -> None:
    """Runs sleepers and triggers in the order in which they became due.

    Raises Unsettled when background work goes on for 10 seconds of real time.
    """
    await _quiet(clock, background)
    while True:
        trigger = None if triggers is None else triggers.next_due_ms()
        sleeper = clock.next_due_ms
        if triggers is not None and trigger is not None and (sleeper is None or trigger <= sleeper):
            triggers.fire_next(background)
        elif not clock.wake_next():
            return
        await _quiet(clock, background)


async def _quiet(clock: MovableClock, background: Background) -> None:
    """Until all background work is done or sleeps by the clock."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _PATIENCE_SECONDS
    while True:
        await _idle(clock, background)
        # A sleeper that belongs to a request which is still open is counted here too: then one piece of background
        # work may be left waiting for a thread or a socket. Closing the edge waits for it.
        if background.pending <= clock.sleepers:
            return
        if loop.time() > deadline:
            raise NeverSettles(
                f"{background.pending} piece(s) of waitUntil work still run after {_PATIENCE_SECONDS:.0f} s; "
                "what waits for a real timer or an event of the test cannot be settled"
            )
        await asyncio.sleep(_STEP_SECONDS)


async def _idle(clock: MovableClock, background: Background) -> None:
    """Until some turns of the loop in a row changed nothing that is seen from here."""
    seen = (-1, -1)
    unchanged = 0
    while unchanged < _IDLE_TURNS:
        await asyncio.sleep(0)
        now = (background.pending, clock.sleepers)
        unchanged = unchanged + 1 if now == seen else 0
        seen = now
