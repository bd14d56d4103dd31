"""Loads a script beside requests: between two of its modules the event loop gets a turn.

A script of some thousand lines takes tens of milliseconds to load, in which no request would be served. It stays on the
loop's own thread, for which it opens what belongs to a thread (a database, a lock of asyncio).
"""

import asyncio
import sys
import time
from collections.abc import Callable
from contextvars import copy_context
from dataclasses import dataclass
from types import FrameType
from typing import Final, TypeVar

from greenlet import getcurrent, greenlet

from edgeworker.runtime.contract.script_frames import script_of_frame

_T = TypeVar("_T")
_STEP_SECONDS: Final = 0.0005
# Longer than a step: a request that waits for its origin meanwhile is not delayed once more.
_PAUSE_SECONDS: Final = 0.002


class _Turn:
    """What the stack of a script is left with, to be resumed later."""


_TURN: Final = _Turn()


@dataclass(frozen=True, slots=True)
class _Loaded:
    """That loading has ended, and with what."""

    result: object


class _LoadingStack(greenlet):
    began_at = 0.0

    def run(self, load: Callable[[], object]) -> object:
        return _Loaded(load())


async def load_in_turns(load: Callable[[], _T], *, pause_seconds: float = _PAUSE_SECONDS) -> _T:
    """What `load` returns or raises. `load` is a function of edgeworker or a `partial` of one: the frame of any other
    would be taken for a library's.

    A cancellation is raised within it.
    """
    stack = _LoadingStack()
    stack.gr_context = copy_context()
    stack.began_at = time.monotonic()
    given = stack.switch(load)
    while given is _TURN:
        try:
            await asyncio.sleep(pause_seconds)
        except BaseException as error:  # noqa: BLE001  # the import system lets go of its locks
            given = stack.throw(error)
        else:
            stack.began_at = time.monotonic()
            given = stack.switch()
    assert isinstance(given, _Loaded)
    result: _T = given.result  # type: ignore[assignment]  # of `load`
    return result


def give_turn() -> None:
    """Called before a module of a script runs. Does nothing where the script is not loaded in turns, and within an
    import of a library: another request's import of it would find the library half loaded.
    """
    stack = getcurrent()
    if not isinstance(stack, _LoadingStack) or stack.parent is None:
        return
    if time.monotonic() - stack.began_at >= _STEP_SECONDS and _is_within_scripts_only(sys._getframe(1)):
        stack.parent.switch(_TURN)


def _is_within_scripts_only(frame: FrameType | None) -> bool:
    while frame is not None:
        name = str(frame.f_globals.get("__name__", ""))
        is_ours = name.startswith("edgeworker.") or name.partition(".")[0] == "importlib"
        if not is_ours and script_of_frame(frame) is None:
            return False
        frame = frame.f_back
    return True
