"""Ends a process at a deadline although threads of scripts still run: Python waits for threads at its end, for ever.

What they do is lost, as on Cloudflare, where nothing goes on beyond its request and `waitUntil()`.
"""

import logging
import os
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType

from edgeworker.runtime.contract.script_frames import script_of_frame

_log = logging.getLogger(__name__)


class ExitDeadline:
    """One deadline; setting it again moves it."""

    def __init__(self, leave: Callable[[], object] | None = None) -> None:
        self._leave = leave or _leave
        self._timer: threading.Timer | None = None

    def set(self, seconds: float) -> None:
        self.cancel()
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True
        self._timer.start()

    def cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _end(self) -> None:
        for place in sorted(set(_describe_threads())):
            _log.warning("the edge ends although a thread still runs, %s: what it does is lost", place)
        self._leave()


def _leave() -> None:
    logging.shutdown()
    os._exit(0)


def _describe_threads() -> Iterator[str]:
    """Whose they are, as far as a script is on their stack; else their names."""
    frames = sys._current_frames()
    for thread in threading.enumerate():
        if thread.ident is None or thread is threading.current_thread():
            continue
        found = _find_script(frames.get(thread.ident))
        if found is not None:
            yield f"of {found}"
        elif not thread.daemon and thread is not threading.main_thread():
            yield f'"{thread.name}" of a script or a library'


def _find_script(frame: FrameType | None) -> str | None:
    while frame is not None:
        if (script := script_of_frame(frame)) is not None:
            return f'worker "{script.worker}" ({frame.f_code.co_filename}, line {frame.f_lineno})'
        frame = frame.f_back
    return None
