"""How long a thread that computes keeps the interpreter from the event loop, which serves the requests.

Python's 5 ms are many times what a request takes: while a thread loads a configuration, or a script computes in one,
each request would wait that long for each of its events. A switch costs some microseconds, and only where two threads
have work.
"""

import sys
import time
from collections.abc import Iterator
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


class WayGiver:
    """To be called by a thread of ours between its steps: while it sleeps, it takes the interpreter from no request."""

    def __init__(self, *, pause_times: float = _PAUSE_TIMES) -> None:
        self._pause_times = pause_times
        self.began_at = time.monotonic()

    def __call__(self) -> None:
        took = time.monotonic() - self.began_at
        if took >= _STEP_SECONDS:
            time.sleep(min(self._pause_times * took, _LONGEST_PAUSE_SECONDS))
            self.began_at = time.monotonic()


@contextmanager
def shortened_further() -> Iterator[None]:
    """After `shorten`."""
    sys.setswitchinterval(_LONGEST_BESIDE_REQUESTS_SECONDS)
    try:
        yield
    finally:
        shorten()  # what Python tells of the interval is a microsecond less than what it was set to
