"""The only wall clock. Everything else takes `now` as an argument or asks a Clock."""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """Time as the edge sees it; edgeworker.testing has one that a test can move."""

    def now(self) -> int:
        """Epoch seconds."""
        ...

    def now_ms(self) -> int:
        """Epoch milliseconds."""
        ...

    def monotonic(self) -> float:
        """Seconds for measuring durations; only differences mean something."""
        ...

    async def sleep(self, seconds: float) -> None: ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> int:
        return int(time.time())

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
