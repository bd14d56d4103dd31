"""A lower priority for processes that only try something, while others serve requests.

Linux shares its processors between sessions first (autogroups) and between the processes of a session then, and each
process that serves is a session of its own. So niceness alone says nothing to them.
"""

import contextlib
import os
from pathlib import Path
from typing import Final

TRIAL_NICENESS: Final = 10  # more than that of the edge, which an operator may have started with one of its own
_MOST_NICENESS: Final = 19
# A third of the share of a session that serves. With less, a trial on a busy machine would not end within its time.
SESSION_NICENESS: Final = 5


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
    with contextlib.suppress(OSError):  # a kernel without autogroups
        Path(f"/proc/{process}/autogroup").write_text(str(SESSION_NICENESS))
