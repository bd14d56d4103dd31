"""Runs password hashing outside the event loop if there are threads, a few at a time: each takes up to 32 MiB."""

import asyncio
import sys
from collections.abc import Callable
from typing import Final, ParamSpec, TypeVar

MAX_RUNNING: Final = 2
MAX_WAITING: Final = 16

P = ParamSpec("P")
T = TypeVar("T")


class Busy(Exception):
    """Too many passwords wait to be hashed; try again later."""


class PasswordQueue:
    """One per isolate."""

    def __init__(self, *, max_running: int = MAX_RUNNING, max_waiting: int = MAX_WAITING) -> None:
        self._max_running = max_running
        self._max_present = max_running + max_waiting
        self._present = 0
        self._slots: asyncio.Semaphore | None = None

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Raises Busy if too many wait, and whatever `work` raises."""
        if sys.platform == "emscripten":
            # There are no threads, and a request must not await work of another one; the isolate does one at a time.
            return work(*args, **kwargs)
        if self._present >= self._max_present:
            raise Busy
        if self._slots is None:
            self._slots = asyncio.Semaphore(self._max_running)
        self._present += 1
        try:
            async with self._slots:
                return await asyncio.to_thread(work, *args, **kwargs)
        finally:
            self._present -= 1
