"""`asyncio.run()` and `loop.run_until_complete()` of a script: they wait as `run_sync` does, on the loop that runs.

Pyodide's event loop does the same; Python's refuses to run within another. Both are replaced while any script is
loaded, and do what they did for callers that are not scripts.
Source: https://pyodide.org/en/stable/usage/api/python-api/webloop.html
"""

import asyncio
from asyncio import BaseEventLoop
from collections.abc import Awaitable, Callable, Coroutine, Generator
from functools import partial
from typing import Final, TypeVar

from edgeworker.runtime.python import run_sync_stack

_T = TypeVar("_T")
_run: Final = asyncio.run
_run_until_complete: Final = BaseEventLoop.run_until_complete
_is_script: Callable[[], bool] = bool


def install(is_script: Callable[[], bool]) -> None:
    """`is_script` says whether the calling code works for a script."""
    global _is_script
    _is_script = is_script
    asyncio.run = _run_for_scripts
    BaseEventLoop.run_until_complete = _run_until_complete_for_scripts  # type: ignore[assignment, method-assign]  # its own signature names `self` twice


def uninstall() -> None:
    asyncio.run = _run
    BaseEventLoop.run_until_complete = _run_until_complete  # type: ignore[method-assign]


def _run_for_scripts(main: Coroutine[object, object, _T], **options: object) -> _T:
    if _waits_here():
        return run_sync_stack.run_sync(main, called="asyncio.run()")
    return _run(main, **options)  # type: ignore[arg-type]  # handed on as they came


def _run_until_complete_for_scripts(loop: BaseEventLoop, future: Awaitable[_T] | Generator[object, None, _T]) -> _T:
    return run_until_complete(partial(_run_until_complete, loop), future)


def run_until_complete(
    of_loop: Callable[[Awaitable[_T] | Generator[object, None, _T]], _T],
    future: Awaitable[_T] | Generator[object, None, _T],
) -> _T:
    """`of_loop` is the method of a loop, for callers that are not scripts; loops written in C have their own."""
    if _waits_here() and isinstance(future, Awaitable):
        return run_sync_stack.run_sync(future, called="run_until_complete()")
    return of_loop(future)


def _waits_here() -> bool:
    """Whether a loop runs in this thread already, and a script asks."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return _is_script()
