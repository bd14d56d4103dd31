"""Checks passwords beside the event loop where there are threads, and only a few at a time: each takes 19 MiB."""

import asyncio
import sys
from collections.abc import Callable
from typing import Final, ParamSpec, TypeVar

AT_ONCE: Final = 2
WAITING: Final = 16

P = ParamSpec("P")
T = TypeVar("T")


class Busy(Exception):
    """So many passwords wait to be checked that this one has to come again."""


class Hasher:
    """One per isolate."""

    def __init__(self, *, at_once: int = AT_ONCE, waiting: int = WAITING) -> None:
        self._at_once = at_once
        self._most = at_once + waiting
        self._present = 0
        self._places: asyncio.Semaphore | None = None

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Raises Busy where too many wait; else what `work` raises."""
        if sys.platform == "emscripten":
            # No threads there, and a request must not wait for what another one began; the isolate does one at a time.
            return work(*args, **kwargs)
        if self._present >= self._most:
            raise Busy
        if self._places is None:
            self._places = asyncio.Semaphore(self._at_once)
        self._present += 1
        try:
            async with self._places:
                return await asyncio.to_thread(work, *args, **kwargs)
        finally:
            self._present -= 1
