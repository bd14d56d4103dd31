"""Time in the test's hand: it stands still until it is moved."""

import asyncio
import heapq
import itertools
from datetime import timedelta

from edgeworker.clock import SystemClock
from edgeworker.errors import ConfigError
from edgeworker.testing.content import check_number


class MovableClock:
    """A Clock. `advance` only moves time; sleepers until then are woken by `wake_next`, one by one, in order.

    `now` begins at the machine's present second, so that what knows nothing of this clock (a library that checks a
    token in the test itself) agrees with it before it is moved. `monotonic` counts the machine's seconds and those
    that were advanced: durations in a trace are real.
    """

    def __init__(self, start: float | None = None) -> None:
        """`start` is in epoch seconds."""
        self._system = SystemClock()
        self._ms = round(start * 1000) if start is not None else self._system.now() * 1000
        self._advanced_ms = 0
        self.fixed_because = ""  # why it cannot be moved
        self._order = itertools.count()
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []

    def now(self) -> int:
        return self._ms // 1000

    def now_ms(self) -> int:
        return self._ms

    def monotonic(self) -> float:
        return self._system.monotonic() + self._advanced_ms / 1000

    async def sleep(self, seconds: float) -> None:
        """Until the clock was moved that far. 0 and less only lets others run."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken = asyncio.get_running_loop().create_future()
        sleeper = (self._ms + round(seconds * 1000), next(self._order), woken)
        heapq.heappush(self._sleepers, sleeper)
        try:
            await woken
        finally:
            if sleeper in self._sleepers:
                self._sleepers.remove(sleeper)
                heapq.heapify(self._sleepers)

    def advance(self, seconds: float | timedelta) -> None:
        """Moves time forward and nothing else.

        Raises ValueError for less than 0, TypeError for a value that is not a number, ConfigError if a worker's time
        is the machine's.
        """
        if not isinstance(seconds, timedelta):
            check_number("seconds of clock.advance", seconds)
        if self.fixed_because:
            raise ConfigError(self.fixed_because)
        milliseconds = round((seconds.total_seconds() if isinstance(seconds, timedelta) else seconds) * 1000)
        if milliseconds < 0:
            raise ValueError(f"a clock is advanced, not set back: {seconds}")
        self._ms += milliseconds
        self._advanced_ms += milliseconds

    @property
    def sleepers(self) -> int:
        """How many wait, due or not."""
        return len(self._sleepers)

    @property
    def next_due_ms(self) -> int | None:
        """The epoch millisecond of the next sleeper's end, or None if there is no sleeper."""
        return self._sleepers[0][0] if self._sleepers else None

    def wake_next(self) -> bool:
        """Wakes the sleeper that has been due longest; False where none is due."""
        if not self._sleepers or self._sleepers[0][0] > self._ms:
            return False
        _, _, woken = heapq.heappop(self._sleepers)
        if not woken.done():  # else it was cancelled a moment ago
            woken.set_result(None)
        return True

    def __repr__(self) -> str:
        return f"MovableClock({self._ms / 1000:.3f})"
