"""Runs a program behind all others: `python behind.py PROGRAM [ARGUMENT ...]`."""

import contextlib
import os
import sys
from pathlib import Path


def main() -> None:
    os.setsid()
    os.nice(10)
    with contextlib.suppress(OSError):  # a kernel without autogroups shares processors between processes alone
        Path("/proc/self/autogroup").write_text("10")
    os.execvp(sys.argv[1], sys.argv[1:])


if __name__ == "__main__":
    main()
