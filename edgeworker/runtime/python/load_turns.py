"""Loads a script beside requests: between two of its modules, and before a class, the event loop gets a turn.

A script of some thousand lines takes tens of milliseconds to load, in which no request would be served. It stays on the
loop's own thread, for which it opens what belongs to a thread (a database, a lock of asyncio).
"""

import asyncio
import builtins
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
_LONGEST_PAUSE_SECONDS: Final = 0.05
_LONGEST_PAUSES_SECONDS: Final = 10.0
_TURNS_AFTER_A_STEP: Final = 3
_LOOK_EVERY_SECONDS: Final = 0.001


@dataclass(frozen=True, slots=True)
class LoadingPace:
    """After `step_seconds` of loading the event loop turns. While requests are under way it has at least
    `pause_seconds`, and `pause_times` as long as the step took, but not more than a twentieth of a second: a request
    that waits for its origin meanwhile is not delayed by the next step once more.
    """

    step_seconds: float
    pause_seconds: float
    pause_times: float = 0.0

    def pause_after(self, step_seconds: float) -> float:
        return max(self.pause_seconds, min(self.pause_times * step_seconds, _LONGEST_PAUSE_SECONDS))


# For a developer who waits for what was saved, and for clients who wait for nothing but their own requests.
QUICK_PACE: Final = LoadingPace(step_seconds=0.0005, pause_seconds=0.002)
REQUESTS_FIRST_PACE: Final = LoadingPace(step_seconds=0.00025, pause_seconds=0.002, pause_times=10.0)
# For a process that serves no requests, and takes a core from those that do.
TRIAL_PACE: Final = LoadingPace(step_seconds=0.0005, pause_seconds=0.001, pause_times=3.0)


class LoadingPauses:
    """Those of one load. A pause ends when no request is under way any more, so a load beside no requests takes as long
    as its own work does; and all pauses together are bounded, so one beside requests that never end does end.
    """

    def __init__(
        self,
        pace: LoadingPace,
        is_busy: Callable[[], bool] = lambda: True,
        *,
        longest_seconds: float = _LONGEST_PAUSES_SECONDS,
    ) -> None:
        """`is_busy`: whether requests are under way. `longest_seconds`: of all pauses together."""
        self.pace = pace
        self._is_busy = is_busy
        self._left_seconds = longest_seconds

    async def pause_after(self, step_seconds: float) -> None:
        # The loop reads in its next turn what came during the step; the one after that begins the requests of it.
        for _ in range(_TURNS_AFTER_A_STEP):
            await asyncio.sleep(0)
        began_at = now = time.monotonic()
        until = began_at + min(self.pace.pause_after(step_seconds), self._left_seconds)
        while now < until and self._is_busy():
            await asyncio.sleep(min(until - now, _LOOK_EVERY_SECONDS))
            now = time.monotonic()
        self._left_seconds -= now - began_at


class _Turn:
    """What the stack of a script is left with, to be resumed later."""


_TURN: Final = _Turn()


@dataclass(frozen=True, slots=True)
class _Loaded:
    """That loading has ended, and with what."""

    result: object


class _LoadingStack(greenlet):
    began_at = 0.0
    step_seconds = 0.0

    def run(self, load: Callable[[], object]) -> object:
        return _Loaded(load())


async def load_in_turns(load: Callable[[], _T], pauses: LoadingPauses) -> _T:
    """What `load` returns or raises. `load` is a function of edgeworker or a `partial` of one: the frame of any other
    would be taken for a library's.

    A cancellation is raised within it.
    """
    stack = _LoadingStack()
    stack.gr_context = copy_context()
    stack.step_seconds = pauses.pace.step_seconds
    stack.began_at = time.monotonic()
    given = stack.switch(load)
    while given is _TURN:
        try:
            await pauses.pause_after(time.monotonic() - stack.began_at)
        except BaseException as error:  # noqa: BLE001  # the import system lets go of its locks
            given = stack.throw(error)
        else:
            stack.began_at = time.monotonic()
            given = stack.switch()
    assert isinstance(given, _Loaded)
    result: _T = given.result  # type: ignore[assignment]  # of `load`
    return result


def give_turn() -> None:
    """Called before a module of a script runs, and before its class statements. Does nothing where the script is not
    loaded in turns, and within an import of a library: another request's import of it would find it half loaded.
    """
    stack = getcurrent()
    if not isinstance(stack, _LoadingStack) or stack.parent is None:
        return
    if time.monotonic() - stack.began_at >= stack.step_seconds and _is_within_scripts_only(sys._getframe(1)):
        stack.parent.switch(_TURN)


def _build_class_later(_: object) -> object:
    give_turn()
    return builtins.__build_class__


# The `__build_class__` of scripts: dataclasses take most of the time of a script that loads. A function that calls
# Python's own would be a frame more, and metaclasses look at the frame that their class is written in.
build_class_in_turn: Final[object] = type("build_class", (), {"__call__": property(_build_class_later)})()


def _is_within_scripts_only(frame: FrameType | None) -> bool:
    while frame is not None:
        name = str(frame.f_globals.get("__name__", ""))
        is_ours = name.startswith("edgeworker.") or name.partition(".")[0] == "importlib"
        if not is_ours and script_of_frame(frame) is None:
            return False
        frame = frame.f_back
    return True
