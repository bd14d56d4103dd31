"""A lower priority for processes that only try something, while others serve requests, and short turns for these.

Linux shares its processors between sessions first (autogroups) and between the processes of a session then, and each
process that serves is a session of its own. So niceness alone says nothing to them.
"""

import contextlib
import ctypes
import os
import platform
import struct
from pathlib import Path
from typing import Final

TRIAL_NICENESS: Final = 10  # more than that of the edge, which an operator may have started with one of its own
_MOST_NICENESS: Final = 19
# A third of the share of a session that serves. With less, a trial on a busy machine would not end within its time.
SESSION_NICENESS: Final = 5
# A request needs a fraction of a millisecond, and a few of its events are a turn each.
SHORT_TURN_NANOSECONDS: Final = 100_000
_USUAL_TURN: Final = 0  # what the kernel takes by itself
# https://man7.org/linux/man-pages/man2/sched_setattr.2.html: size, policy, flags, niceness, priority, and three times.
# The first one is the length of a turn since Linux 6.12; before that it says nothing about usual processes.
_ATTRIBUTES: Final = struct.Struct("=IIQiIQQQ")
_SET_ATTRIBUTES_CALL: Final = {"x86_64": 314, "aarch64": 274}  # libc has no function for it
_USUAL_POLICY: Final = 0


def take_short_turns() -> None:
    """The kernel lets a process with short turns that wakes up go before one with longer turns that computes, and not
    after that one's turn of 1.4 ms and more. It has the same share of the processors. Threads that are started later
    do the same. Where that is not possible, nothing changes.
    """
    _set_turn(0, SHORT_TURN_NANOSECONDS)


def _set_turn(process: int, nanoseconds: int) -> None:
    with contextlib.suppress(OSError, AttributeError):
        if (call := _SET_ATTRIBUTES_CALL.get(platform.machine())) is not None and os.sched_getscheduler(process) == 0:
            niceness = os.getpriority(os.PRIO_PROCESS, process)
            attributes = _ATTRIBUTES.pack(_ATTRIBUTES.size, _USUAL_POLICY, 0, niceness, 0, nanoseconds, 0, 0)
            ctypes.CDLL(None).syscall(call, process, attributes, 0)


def lower_own_priority() -> None:
    """Of this process, which becomes a session of its own."""
    with contextlib.suppress(OSError):  # it leads a group already
        os.setsid()
    lower_priority(os.getpid())


def lower_priority(process: int) -> None:
    """Of a process that leads a session of its own. Where that is not allowed, nothing changes."""
    with contextlib.suppress(OSError):
        niceness = os.getpriority(os.PRIO_PROCESS, process) + TRIAL_NICENESS
        os.setpriority(os.PRIO_PROCESS, process, min(niceness, _MOST_NICENESS))
    _set_turn(process, _USUAL_TURN)
    with contextlib.suppress(OSError):  # a kernel without autogroups
        Path(f"/proc/{process}/autogroup").write_text(str(SESSION_NICENESS))
