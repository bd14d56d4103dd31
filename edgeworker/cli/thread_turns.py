"""How long a thread that computes keeps the interpreter from the event loop, which serves the requests.

Python's 5 ms are many times what a request takes: while a thread loads a configuration, or a script computes in one,
each request would wait that long for each of its events. A switch costs some microseconds, and only where two threads
have work.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

_LONGEST_SECONDS: Final = 0.0002
# While a thread of ours computes for some milliseconds, and a request has several events.
_LONGEST_BESIDE_REQUESTS_SECONDS: Final = 0.00005


def shorten() -> None:
    sys.setswitchinterval(_LONGEST_SECONDS)


_STEP_SECONDS: Final = 0.00025
_PAUSE_TIMES: Final = 10.0
_LONGEST_PAUSE_SECONDS: Final = 0.05
_LONGEST_PAUSES_SECONDS: Final = 10.0  # all of them together
_LOOK_EVERY_SECONDS: Final = 0.001


class WayGiver:
    """To be called by a thread of ours between its steps: while it sleeps, it takes the interpreter from no request.

    Where no request is under way it goes on at once.
    """

    def __init__(
        self,
        is_busy: Callable[[], bool] = lambda: True,
        *,
        pause_times: float = _PAUSE_TIMES,
        longest_seconds: float = _LONGEST_PAUSES_SECONDS,
    ) -> None:
        """`is_busy`: whether requests are under way. `longest_seconds`: of all pauses together."""
        self._is_busy = is_busy
        self._pause_times = pause_times
        self._left_seconds = longest_seconds
        self.began_at = time.monotonic()

    def __call__(self) -> None:
        now = time.monotonic()
        took = now - self.began_at
        if took < _STEP_SECONDS:
            return
        paused_at = now
        until = now + min(self._pause_times * took, _LONGEST_PAUSE_SECONDS, self._left_seconds)
        while now < until and self._is_busy():
            time.sleep(min(until - now, _LOOK_EVERY_SECONDS))
            now = time.monotonic()
        self._left_seconds -= now - paused_at
        self.began_at = now


@contextmanager
def shortened_further() -> Iterator[None]:
    """After `shorten`."""
    sys.setswitchinterval(_LONGEST_BESIDE_REQUESTS_SECONDS)
    try:
        yield
    finally:
        shorten()  # what Python tells of the interval is a microsecond less than what it was set to
