"""Runs what became due, in order, until nothing is left that could go on without time or another request."""

import asyncio
from typing import Final

from edgeworker.handler import Background
from edgeworker.harness.clock import MovableClock

# How many turns of the event loop without a change mean that whoever could go on has done so.
_IDLE_TURNS: Final = 10
# Work that waits for a thread or a socket gets real time, in small steps.
_STEP_SECONDS: Final = 0.001
_PATIENCE_SECONDS: Final = 10.0


class Unsettled(Exception):
    """Work given to waitUntil neither ends nor waits for the clock."""


async def settle(clock: MovableClock, background: Background) -> None:
    """Raises Unsettled when background work goes on for 10 seconds of real time."""
    await _quiet(clock, background)
    while clock.wake_next():
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
            raise Unsettled(
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
