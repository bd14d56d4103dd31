"""`Promise` and timers."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Generator, Iterable
from typing import Final

from edgeworker.runtime.webapi.arrays import make_array
from edgeworker.runtime.webapi.base import JsObject
from edgeworker.runtime.webapi.global_scope import refuse_in_global_scope
from edgeworker.runtime.webapi.plain_objects import make_object
from edgeworker.runtime.webapi.surplus import javascript_class
from edgeworker.runtime.webapi.thrown import as_exception, thrown_value

# The loop itself keeps no task alive.
_running: Final[set["asyncio.Future[object]"]] = set()


class Promise(JsObject):
    """Something to await that also has `then`, `catch` and `finally_`."""

    def __init__(self, work: Awaitable[object] | Callable[..., object]) -> None:
        """Of an awaitable, or of JavaScript's executor `(resolve, reject) -> None`."""
        self._work: Awaitable[object] = work if inspect.isawaitable(work) else _run_executor(work)
        self._task: asyncio.Future[object] | None = None
        self._taken = False

    def __await__(self) -> Generator[object, None, object]:
        # Awaited once and nowhere else, the work needs no task of its own.
        if self._task is None and inspect.iscoroutine(self._work):
            if self._taken:
                raise RuntimeError("this promise was awaited already: keep its value")
            self._taken = True
            return self._work.__await__()
        return self._share().__await__()

    def then(
        self, fulfilled: Callable[..., object] | None = None, rejected: Callable[..., object] | None = None
    ) -> "Promise":
        return start_promise(Promise(_call_then(self._share(), fulfilled, rejected)))

    def catch(self, rejected: Callable[..., object]) -> "Promise":
        return self.then(None, rejected)

    catch_ = catch

    def finally_(self, callback: Callable[[], object]) -> "Promise":
        return start_promise(Promise(_call_finally(self._share(), callback)))

    @staticmethod
    def resolve(value: object = None) -> "Promise":
        return value if isinstance(value, Promise) else Promise(_resolve(value))

    @staticmethod
    def reject(reason: object) -> "Promise":
        return Promise(_reject(reason))

    @staticmethod
    def all(items: Iterable[object]) -> "Promise":
        return Promise(_all(items))

    @staticmethod
    def race(items: Iterable[object]) -> "Promise":
        return Promise(_race(items))

    @staticmethod
    def allSettled(items: Iterable[object]) -> "Promise":
        return Promise(_settle_all(items))

    def _share(self) -> "asyncio.Future[object]":
        if self._task is None:
            self._task = asyncio.ensure_future(self._work)
            _running.add(self._task)
            self._task.add_done_callback(_running.discard)
        return self._task


def start_promise(promise: Promise) -> Promise:
    """What is given to `then` runs even if its result is never awaited."""
    promise._share()
    return promise


async def _resolve(value: object) -> object:
    return await value if inspect.isawaitable(value) else value


async def _reject(reason: object) -> object:
    raise as_exception(reason)


async def _run_executor(executor: Callable[..., object]) -> object:
    future: asyncio.Future[object] = asyncio.get_running_loop().create_future()

    def resolve(value: object = None) -> None:
        if not future.done():
            future.set_result(value)

    def reject(reason: object = None) -> None:
        if not future.done():
            future.set_exception(as_exception(reason))

    executor(resolve, reject)
    return await _resolve(await future)


async def _call_then(
    work: Awaitable[object], fulfilled: Callable[..., object] | None, rejected: Callable[..., object] | None
) -> object:
    try:
        value = await work
    except Exception as error:
        if rejected is None:
            raise
        return await _resolve(rejected(thrown_value(error)))
    return value if fulfilled is None else await _resolve(fulfilled(value))


async def _call_finally(work: Awaitable[object], callback: Callable[[], object]) -> object:
    try:
        return await work
    finally:
        await _resolve(callback())


async def _all(items: Iterable[object]) -> object:
    return make_array(await asyncio.gather(*(_resolve(item) for item in items)))


async def _race(items: Iterable[object]) -> object:
    tasks = [asyncio.ensure_future(_resolve(item)) for item in items]
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
    return next(iter(done)).result()


async def _settle_all(items: Iterable[object]) -> object:
    results = await asyncio.gather(*(_resolve(item) for item in items), return_exceptions=True)
    return make_array(
        make_object({"status": "rejected", "reason": thrown_value(result)})
        if isinstance(result, BaseException)
        else make_object({"status": "fulfilled", "value": result})
        for result in results
    )


@javascript_class
class Timers:
    """`setTimeout` and its kin for one worker."""

    def __init__(self) -> None:
        self._last = 0
        self._handles: dict[int, asyncio.TimerHandle] = {}

    def setTimeout(self, function: Callable[..., object], ms: float = 0, *args: object) -> int:
        refuse_in_global_scope("setTimeout()")
        self._last += 1
        self._start(self._last, function, ms, args, repeat=False)
        return self._last

    def setInterval(self, function: Callable[..., object], ms: float = 0, *args: object) -> int:
        refuse_in_global_scope("setInterval()")
        self._last += 1
        self._start(self._last, function, ms, args, repeat=True)
        return self._last

    def clear(self, number: int | None = None) -> None:
        handle = None if number is None else self._handles.pop(number, None)
        if handle is not None:
            handle.cancel()

    def _start(
        self, number: int, function: Callable[..., object], ms: float, args: tuple[object, ...], *, repeat: bool
    ) -> None:
        loop = asyncio.get_running_loop()

        def fire() -> None:
            self._handles.pop(number, None)
            if repeat:
                self._start(number, function, ms, args, repeat=True)
            result = function(*args)
            if inspect.isawaitable(result):
                _running.add(task := asyncio.ensure_future(result))
                task.add_done_callback(_running.discard)

        self._handles[number] = loop.call_later(max(0.0, ms / 1000), fire)


def queueMicrotask(function: Callable[[], object]) -> None:
    asyncio.get_running_loop().call_soon(function)
