"""The standard streams of a process that was started without some of them, as with `2>&-`."""

import os
import sys


def open_missing_streams() -> None:
    """The next file that is opened would stand for one of them, and what is written there would go into a database."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
    if sys.stdout is None:
        sys.stdout = os.fdopen(1, "w", closefd=False)
    if sys.stderr is None:
        sys.stderr = os.fdopen(2, "w", closefd=False)
