"""What a child has used of the machine so far."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ChildUsage:
    """CPU time of the thread that runs scripts, and memory that is not on disk."""

    cpu_seconds: float
    resident_bytes: int


def read_usage(pid: int) -> ChildUsage | None:
    """None where the system has no /proc, or the process has ended."""
    try:
        fields = Path(f"/proc/{pid}/task/{pid}/stat").read_text().rpartition(")")[2].split()
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return None
    # Fields 14 and 15 of proc(5): user and system time in clock ticks.
    ticks = int(fields[11]) + int(fields[12])
    return ChildUsage(ticks / os.sysconf("SC_CLK_TCK"), pages * os.sysconf("SC_PAGE_SIZE"))
