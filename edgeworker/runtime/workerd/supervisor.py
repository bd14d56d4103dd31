"""Ends a child whose workers exceed their limits: workerd has none for CPU time and for memory outside of the heap.

A child whose event loop turns answers a ping at once. One worker's endless loop stops all of them, so that a child that
answers none for as long as the script may compute is ended; the engine starts it again.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from typing import Final

from edgeworker.runtime.contract.isolate import ExceededLimits
from edgeworker.runtime.workerd.inspector import InspectedChildren
from edgeworker.runtime.workerd.invocation import Invocation, find_suspects
from edgeworker.runtime.workerd.usage import ChildUsage, read_usage

_log = logging.getLogger(__name__)

_PING_EVERY_SECONDS: Final = 0.1
_CHECK_EVERY_SECONDS: Final = 0.1
# Of wall time beyond the CPU time: a child that neither computes nor answers.
_STUCK_SECONDS: Final = 60.0
_MEGABYTE: Final = 1024 * 1024
# For workerd itself and for bodies under way; buffers of scripts are not in the heap that V8 bounds.
_RESIDENT_MEGABYTES: Final = 512


class ChildSupervisor:
    """`ping` asks the child, `kill` ends it, `limit_of` gives a worker's CPU time in seconds."""

    def __init__(
        self,
        ping: Callable[[], Awaitable[object]],
        kill: Callable[[], None],
        limit_of: Callable[[str], float],
        invocations: Collection[Invocation],
        inspected: InspectedChildren | None,
        *,
        heap_megabytes: int,
    ) -> None:
        self._ping = ping
        self._kill = kill
        self._limit_of = limit_of
        self._invocations = invocations
        self._inspected = inspected
        self._resident_bytes = _RESIDENT_MEGABYTES * _MEGABYTE
        self._heap_bytes = heap_megabytes * _MEGABYTE
        self._watcher: asyncio.Task[None] | None = None
        self._pid = 0
        self.heard_at = 0.0  # when the child last showed that its event loop turns
        self.killed_for: ExceededLimits | None = None
        self.suspects: list[Invocation] = []
        self.is_healthy = False  # the child of now has answered

    def follow(self, pid: int, workers: int) -> None:
        """Another child runs now, with so many workers."""
        self._pid = pid
        self._resident_bytes = _RESIDENT_MEGABYTES * _MEGABYTE + workers * self._heap_bytes
        self.killed_for, self.suspects, self.is_healthy = None, [], False
        self.hear()

    def hear(self) -> None:
        self.heard_at = asyncio.get_running_loop().time()

    def watch(self) -> None:
        """Watches for as long as invocations are under way."""
        if self._watcher is None or self._watcher.done():
            self._watcher = asyncio.ensure_future(self._watch())

    async def close(self) -> None:
        if self._watcher is not None:
            self._watcher.cancel()
            await asyncio.gather(self._watcher, return_exceptions=True)

    async def _watch(self) -> None:
        while self.killed_for is None:
            await asyncio.sleep(_PING_EVERY_SECONDS)
            if not self._invocations:
                return
            if self._inspected is None or not self._inspected.is_debugging:
                await self._check_child()

    async def _check_child(self) -> None:
        """Until the child has answered one ping, or is ended."""
        begun, before = asyncio.get_running_loop().time(), read_usage(self._pid)
        ping = asyncio.ensure_future(self._ping())
        try:
            while True:
                answered, _ = await asyncio.wait({ping}, timeout=_CHECK_EVERY_SECONDS)
                now = read_usage(self._pid)
                if now is not None and now.resident_bytes > self._resident_bytes:
                    self._end("the worker used more memory than an isolate may have", None)
                    return
                if answered:
                    if ping.exception() is None:
                        self.hear()
                        self.is_healthy = True
                    return
                if self._inspected is None or not self._inspected.is_debugging:
                    self._check_time(begun, before, now)
                if self.killed_for is not None:
                    return
        finally:
            ping.cancel()
            await asyncio.gather(ping, return_exceptions=True)

    def _check_time(self, begun: float, before: ChildUsage | None, now: ChildUsage | None) -> None:
        waited = asyncio.get_running_loop().time() - begun
        suspects = find_suspects(self._invocations, heard_at=self.heard_at, stuck_since=begun)
        limit = max((self._limit_of(one.worker) for one in suspects), default=0.0)
        if before is None or now is None:
            is_over = waited >= limit
        else:
            # Wall time would end a script because others use the machine.
            is_over = now.cpu_seconds - before.cpu_seconds >= limit or waited >= limit + _STUCK_SECONDS
        if suspects and is_over:
            self._end(f"the worker computed for more than {limit:g} s (limits.cpu_ms)", begun)

    def _end(self, text: str, stuck_since: float | None) -> None:
        self.killed_for = ExceededLimits(text)
        self.suspects = find_suspects(self._invocations, heard_at=self.heard_at, stuck_since=stuck_since)
        self._kill()
