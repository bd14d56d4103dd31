"""The event loop that an edge lives on, so that one edge serves a test with async code and a test without."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Final, TypeVar

T = TypeVar("T")

_ELSEWHERE: Final = (
    "this edge was first used on another event loop, which has ended; make one edge per test "
    "(the fixture `edge` does), or use it where it was made"
)


class Home:
    """The loop is the one that is running at the first call from async code. At a first call from sync code it is one
    of the edge's own: it runs while a call runs, and in a thread from the first use of a port, or from the moment that
    calls of several threads meet.
    """

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._own = False
        self._thread: threading.Thread | None = None
        # Of all that follows, and of the choice of a loop: several threads may make the first call together.
        self._lock = threading.RLock()
        self._caller: int | None = None  # the thread whose call runs the loop at present
        self._guests = 0  # calls of other threads that wait for the loop meanwhile

    @property
    def elsewhere(self) -> bool:
        """Whether the edge's loop runs in another thread than this code."""
        with self._lock:
            runs_in_a_thread = self._thread is not None or self._caller not in (None, threading.get_ident())
            return runs_in_a_thread and self._loop is not running_loop()

    @property
    def settled(self) -> bool:
        """Whether the edge was used at all."""
        return self._loop is not None

    @property
    def reachable(self) -> bool:
        """Whether its loop can still run anything."""
        return self._loop is not None and not self._loop.is_closed()

    async def wait(self, work: Callable[[], Coroutine[object, object, T]]) -> T:
        """Does `work` on the edge's loop and waits for it, from async code."""
        here = asyncio.get_running_loop()
        with self._lock:
            if self._loop is None:
                self._loop = here
            if self._loop is not here:
                loop = self._running()
                self._guests += 1
        if self._loop is here:
            return await work()
        try:
            return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work(), loop))
        finally:
            self._leave()

    def run(self, work: Callable[[], Coroutine[object, object, T]]) -> T:
        """Does `work` on the edge's loop, from sync code. Several threads may call at the same time.

        Raises:
            RuntimeError: it was called from the very loop that the edge lives on, which would wait for itself.
        """
        here = running_loop()
        with self._lock:
            if self._loop is None:
                self._loop, self._own = asyncio.new_event_loop(), True
            loop = self._loop
            if here is loop:
                raise RuntimeError(
                    "this edge runs on the event loop of this test: use `await edge.fetch(...)`, `await edge.settle()` "
                    "and `async with`; edge.get(...), edge.run(...), `with` and the like are for tests without async"
                )
            is_caller = here is None and self._thread is None and not loop.is_running() and not loop.is_closed()
            if is_caller and self._caller is None:
                self._caller = threading.get_ident()
            else:
                is_caller = False
                loop = self._running()
                self._guests += 1
        if not is_caller:
            try:
                return asyncio.run_coroutine_threadsafe(work(), loop).result()
            finally:
                self._leave()
        try:
            return loop.run_until_complete(work())
        finally:
            with self._lock:
                self._caller = None
                if self._guests:
                    self.turn()  # what other threads have given to the loop goes on

    @property
    def is_here(self) -> bool:
        """Whether the edge lives on the loop that runs this code; a loop that is the first to ask becomes its home."""
        here = running_loop()
        if self._loop is None and here is not None:
            self._loop = here
        return here is not None and self._loop is here

    def turn(self) -> None:
        """From now on the edge's own loop runs all the time, in a thread. A loop of the test's own runs anyway."""
        with self._lock:
            if self._loop is None and running_loop() is None:
                self._loop, self._own = asyncio.new_event_loop(), True
            if self._own and self._thread is None:
                assert self._loop is not None
                self._thread = threading.Thread(target=_turn, args=(self._loop,), name="edgeworker", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """Ends the edge's own loop; one of the test's is left as it is."""
        loop = self._loop
        if loop is None or not self._own or loop.is_closed():
            return
        if running_loop() is not None:
            self.turn()  # no second loop can be run here
        thread, self._thread = self._thread, None
        if thread is None:
            _end(loop)
        else:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()

    def _leave(self) -> None:
        with self._lock:
            self._guests -= 1

    def _running(self) -> asyncio.AbstractEventLoop:
        """The loop, running somewhere. Raises RuntimeError where it cannot."""
        loop = self._loop
        if self._caller is not None and loop is not None:
            return loop
        if loop is not None and not loop.is_closed():
            self.turn()
        if loop is None or loop.is_closed() or not (self._own or loop.is_running()):
            raise RuntimeError(_ELSEWHERE)
        return loop


def _turn(loop: asyncio.AbstractEventLoop) -> None:
    loop.run_forever()
    _end(loop)


def _end(loop: asyncio.AbstractEventLoop) -> None:
    """What `asyncio.run` does at its end."""
    loop.run_until_complete(_cancel_all(loop))
    loop.close()


async def _cancel_all(loop: asyncio.AbstractEventLoop) -> None:
    left = [task for task in asyncio.all_tasks(loop) if task is not asyncio.current_task()]
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
    await loop.shutdown_asyncgens()
    await loop.shutdown_default_executor()


def running_loop() -> asyncio.AbstractEventLoop | None:
    """The event loop that runs in this thread now."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
