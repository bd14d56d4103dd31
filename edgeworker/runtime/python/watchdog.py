"""Names the script that blocks the event loop, and ends one that blocks it for longer than it may.

All scripts and the edge share one loop, so no request is served meanwhile. Python can end what runs in Python: a
loop, a calculation. It cannot end a call into C while that lasts (`time.sleep`, a lock, a bad regular expression).

A thread asks the loop for a sign of life while requests are under way, and sleeps while there are none.
"""

import asyncio
import ctypes
import logging
import sys
import threading
from types import FrameType
from typing import Final

from edgeworker.runtime.contract import script_frames
from edgeworker.runtime.contract.activity import activity
from edgeworker.runtime.contract.isolate import ExceededLimits
from edgeworker.runtime.python import tracebacks

_log = logging.getLogger(__name__)

THRESHOLD_SECONDS: Final = 0.1
_IDLE_PAUSES: Final = 20  # with nothing under way, before the thread sleeps


class Watchdog:
    """Warns once for each line that keeps the loop for more than `threshold_seconds`."""

    def __init__(self, *, threshold_seconds: float = THRESHOLD_SECONDS) -> None:
        self._threshold_seconds = threshold_seconds
        self._pause_seconds = threshold_seconds / 2
        self._stopping = threading.Event()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._warned: set[tuple[str, str, int]] = set()

    def start(self) -> None:
        """Watches the running loop, in the thread that calls."""
        loop, watched = asyncio.get_running_loop(), threading.get_ident()
        self._thread = threading.Thread(
            target=self._watch, args=(loop, watched), name="edgeworker-watchdog", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        self._stopping.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()

    def _watch(self, loop: asyncio.AbstractEventLoop, watched: int) -> None:
        idle = 0
        while not self._stopping.is_set():
            if activity.under_way == 0:
                idle += 1
                if idle > _IDLE_PAUSES:
                    self._sleep()
                    idle = 0
                self._stopping.wait(self._pause_seconds)
                continue
            idle = 0
            alive = threading.Event()
            try:
                loop.call_soon_threadsafe(alive.set)
            except RuntimeError:  # the loop is closed
                return
            if not alive.wait(self._threshold_seconds):
                self._report(sys._current_frames().get(watched))
                self._wait_or_end(alive, watched)
            self._stopping.wait(self._pause_seconds)

    def _wait_or_end(self, alive: threading.Event, watched: int) -> None:
        """Until the loop goes on; a script that keeps it for its `cpu_seconds` gets ExceededLimits raised within."""
        held_seconds, ending = self._threshold_seconds, False
        while not alive.wait(self._pause_seconds) and not self._stopping.is_set():
            held_seconds += self._pause_seconds
            frame = sys._current_frames().get(watched)
            if frame is None or _is_ours(frame):  # not in the middle of what the edge does for the script
                continue
            script = _script(frame)
            if script is not None and held_seconds >= script.cpu_seconds:
                _raise_in(watched, ExceededLimits)
                ending = True
        if ending:
            _raise_in(watched, None)  # where it was not raised yet, the script has ended by itself

    def _sleep(self) -> None:
        self._wake.clear()
        activity.asleep = self._wake
        # An event may have begun between the last look and the line above, and found no one asleep.
        if activity.under_way == 0 and not self._stopping.is_set():
            self._wake.wait()
        activity.asleep = None

    def _report(self, frame: FrameType | None) -> None:
        while frame is not None and (found := script_frames.script_of_frame(frame)) is None:
            frame = frame.f_back
        if frame is None or found is None:
            return
        code, line = frame.f_code, frame.f_lineno
        place = found.worker, code.co_filename, line
        if place in self._warned:
            return
        self._warned.add(place)
        _log.warning(
            'worker "%s" blocks the event loop for more than %d ms, and all other requests wait: %s, line %d, '
            "in %s: %s (wait with await; give slow work to asyncio.to_thread)",
            found.worker,
            self._threshold_seconds * 1000,
            code.co_filename,
            line,
            code.co_name,
            tracebacks.read_source_line(code.co_filename, line),
        )


def _script(frame: FrameType | None) -> script_frames.Script | None:
    """The worker that the innermost frame of a script belongs to."""
    while frame is not None:
        if (found := script_frames.script_of_frame(frame)) is not None:
            return found
        frame = frame.f_back
    return None


def _is_ours(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__", "")).startswith("edgeworker.")


def _raise_in(thread: int, error: type[BaseException] | None) -> None:
    """Has the thread raise `error` at its next step in Python; None takes back what it has not raised yet."""
    given = None if error is None else ctypes.py_object(error)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), given)
