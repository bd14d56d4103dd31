"""Where the C library takes memory from: one heap for all threads.

glibc gives a thread a heap of its own when another one is in use, up to eight for each core, and a heap keeps what it
held at its largest. An edge's threads wait most of the time, and what they do in C holds Python's lock or the disk: a
bulk write over the API left 7 MB in their heaps.
"""

import ctypes
import sys
from typing import Final

_M_ARENA_MAX: Final = -8  # malloc.h


def share_between_threads() -> bool:
    """To be called before threads are started. False where the C library has no such setting."""
    if sys.platform != "linux":
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    accepted: int = mallopt(_M_ARENA_MAX, 1)
    return accepted == 1
