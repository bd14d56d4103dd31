"""`run_sync`: synchronous code of a script waits for an awaitable while the event loop goes on.

Pyodide switches stacks for that; so does greenlet. Each step of such a script's coroutine runs on a stack of its own,
and `run_sync` leaves it with what is to be awaited, for the driver outside to await.
"""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextvars import Context, ContextVar, copy_context
from dataclasses import dataclass
from types import TracebackType
from typing import Final, TypeVar

from greenlet import getcurrent, greenlet

from edgeworker.runtime.contract.script_frames import current_script, is_of_edge

_T = TypeVar("_T")
_CANNOT_WAIT: Final = "works in a handler and in what it calls, not at the top level of a script"
# For code of a script in a thread of ours: the loop that it may wait on.
_loop: Final[ContextVar[asyncio.AbstractEventLoop]] = ContextVar("edgeworker_loop")


class CannotWait(RuntimeError):
    """Nothing can be switched, as at the top level of a script."""


@dataclass(frozen=True, slots=True)
class _Wait:
    """What a step leaves its stack with, for the driver to await."""

    work: Awaitable[object]


@dataclass(frozen=True, slots=True)
class _Finished:
    """What the last step leaves its stack with: what the coroutine returned."""

    result: object


class _Step(greenlet):
    """One step of a coroutine, from one await to the next."""

    def run(self, resume: Callable[[object], object], value: object) -> object:
        # StopIteration cannot leave here: on its way it would pass a generator, which Python does not let it.
        try:
            return resume(value)
        except StopIteration as stop:
            return _Finished(stop.value)


async def run(work: Coroutine[object, object, _T]) -> _T:
    """Awaits a coroutine within which `run_sync` works, also in tasks and threads that it starts."""
    loop = asyncio.get_running_loop()
    _loop.set(loop)
    if loop.get_task_factory() is None:
        loop.set_task_factory(_create_task)  # type: ignore[arg-type]  # no one gives a task a plain generator any more
    result: _T = await _SteppedCoroutine(work)  # type: ignore[assignment]  # the coroutine's own result
    return result


class _SteppedCoroutine:
    def __init__(self, work: Coroutine[object, object, object]) -> None:
        self._work = work

    def __await__(self) -> Generator[object, object, object]:
        value: object = None
        failure: BaseException | None = None
        while True:
            step = _Step()
            # The same context, not a copy: a context variable that the script sets stays set.
            step.gr_context = getcurrent().gr_context
            given = step.switch(self._work.send, value) if failure is None else step.switch(self._work.throw, failure)
            while isinstance(given, _Wait):
                given = yield from _wait_for(step, given.work)
            if isinstance(given, _Finished):
                return given.result
            value, failure = None, None
            try:
                value = yield given
            except BaseException as error:  # noqa: BLE001  # every exception belongs to the coroutine
                failure = error


class _SteppedTask(Coroutine[object, object, object]):
    """What a task runs for a script that waits: `gather` and `wait_for` make such tasks too."""

    def __init__(self, work: Coroutine[object, object, object]) -> None:
        self._work = work
        self._steps = _SteppedCoroutine(work).__await__()
        self._is_started = False

    def send(self, value: object, /) -> object:
        self._is_started = True
        return self._steps.send(value)

    def throw(
        self,
        error: type[BaseException] | BaseException,
        value: object = None,
        traceback: TracebackType | None = None,
        /,
    ) -> object:
        # A task may be cancelled before its first step. The two old arguments are not used by tasks.
        return self._steps.throw(error) if self._is_started else self._work.throw(error)

    def close(self) -> None:
        self._steps.close()
        self._work.close()

    def __await__(self) -> Generator[object, object, object]:
        return self._steps

    def __getattr__(self, name: str) -> object:
        """The frame, the code and the names, for those who show a task."""
        return getattr(self._work, name)


def _create_task(
    loop: asyncio.AbstractEventLoop, work: Coroutine[object, object, object], **options: object
) -> asyncio.Task[object]:
    """The factory of a loop on which scripts wait. The edge's own tasks get no stack."""
    if _loop.get(None) is loop and _may_wait(work):
        work = _SteppedTask(work)
    return asyncio.Task(work, loop=loop, **options)  # type: ignore[arg-type]  # handed on as they came


def _may_wait(work: object) -> bool:
    """Whether it is a coroutine of a script or a library, in which `run_sync` may be called."""
    if not inspect.iscoroutine(work):
        return False
    frame = work.cr_frame
    return not is_of_edge("" if frame is None else str(frame.f_globals.get("__name__", "")))


def _wait_for(step: _Step, work: Awaitable[object]) -> Generator[object, object, object]:
    try:
        steps = _SteppedCoroutine(work) if inspect.iscoroutine(work) and _may_wait(work) else work
        result = yield from steps.__await__()
    except BaseException as error:  # noqa: BLE001  # every exception belongs to the waiting code
        return step.throw(error)
    return step.switch(result)


def run_sync(work: Awaitable[_T], *, called: str = "run_sync()") -> _T:
    """The awaitable's result. `called` is what a script has called.

    Raises CannotWait, and TypeError for what is not awaitable.
    """
    if not inspect.isawaitable(work):
        raise TypeError(f"object {type(work).__name__} is not awaitable")  # pyodide's text
    current = getcurrent()
    if isinstance(current, _Step) and current.parent is not None:
        result: _T = current.parent.switch(_Wait(work))
        return result
    loop = _loop.get(None)
    if loop is not None and not _runs_here(loop):
        return asyncio.run_coroutine_threadsafe(_await_it(work), loop).result()
    if inspect.iscoroutine(work):
        work.close()
    if (script := current_script()) is not None:
        script.waits = True  # a library deep within waits: the next request can
    raise CannotWait(f"{called} {_CANNOT_WAIT}")


async def in_thread(function: Callable[[], _T], context: Context | None = None) -> _T:
    """Runs synchronous code in the pool of threads, where `run_sync` waits on the loop that called.

    `context` keeps one invocation's context variables over several calls; the default is a copy of the caller's.
    """
    loop = asyncio.get_running_loop()
    inside = copy_context() if context is None else context
    inside.run(_loop.set, loop)
    return await loop.run_in_executor(None, inside.run, function)


async def _await_it(work: Awaitable[_T]) -> _T:
    return await work


def _runs_here(loop: asyncio.AbstractEventLoop) -> bool:
    try:
        return asyncio.get_running_loop() is loop
    except RuntimeError:
        return False
