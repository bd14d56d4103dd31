"""How long a thread that computes keeps the interpreter from the event loop, which serves the requests.

Python's 5 ms are many times what a request takes: while a thread loads a configuration, or a script computes in one,
each request would wait that long for each of its events. A switch costs some microseconds, and only where two threads
have work.
"""

import sys
from typing import Final

_LONGEST_SECONDS: Final = 0.0002


def shorten() -> None:
    sys.setswitchinterval(_LONGEST_SECONDS)
