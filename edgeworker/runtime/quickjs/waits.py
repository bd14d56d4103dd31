"""What a script waits for: the work that it gave to waitUntil(), and its timers. Both by number."""

import asyncio
import json
from collections.abc import Callable

from edgeworker.clock import Clock
from edgeworker.runtime.quickjs.adapter import Crossing
from edgeworker.runtime.quickjs.invocation import Invocation


class Waits:
    def __init__(self) -> None:
        self._futures: dict[int, asyncio.Future[None]] = {}

    def begin(self, id: int, invocation: Invocation, release: Callable[[Invocation], None]) -> None:
        """The invocation is held until `end`, and so is the edge's own end."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._futures[id] = future
        invocation.holds += 1
        future.add_done_callback(lambda _: release(invocation))
        if invocation.ctx is not None:
            invocation.ctx.wait_until(future)

    def end(self, id: int, error: Crossing) -> str | None:
        """`error` is JSON or None. Returns what is to be said of it."""
        future = self._futures.pop(id, None)
        if future is not None and not future.done():
            future.set_result(None)
        if not isinstance(error, str):
            return None
        told = json.loads(error)
        return str(told.get("stack") or told.get("message"))

    def cancel(self) -> None:
        for future in self._futures.values():
            if not future.done():
                future.cancel()


class ScriptTimers:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tasks: dict[int, asyncio.Task[None]] = {}

    def __bool__(self) -> bool:
        return bool(self._tasks)

    def add(self, id: int, task: "asyncio.Task[None]") -> None:
        """`task` runs `wait`."""
        self._tasks[id] = task

    async def wait(self, id: int, seconds: float, fire: Callable[[], None]) -> None:
        await self._clock.sleep(seconds)
        self._tasks.pop(id, None)
        fire()

    def cancel(self, id: int) -> None:
        task = self._tasks.pop(id, None)
        if task is not None:
            task.cancel()

    def cancel_all(self) -> None:
        for task in self._tasks.values():
            task.cancel()
        self._tasks.clear()
