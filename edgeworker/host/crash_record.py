"""Where a process was when it crashed in C: it writes that to a file that its parent made, who tells it in the log."""

import faulthandler
import os
import tempfile
from typing import Final

_MOST_BYTES: Final = 4000


class CrashRecord:
    """Of one process at a time; to be made before it is forked."""

    def __init__(self) -> None:
        self._file: int | None = None
        try:
            # It has no name, so nothing is left of it.
            with tempfile.TemporaryFile(buffering=0) as file:
                self._file = os.dup(file.fileno())
        except OSError:  # no folder for it, or no room
            return

    def enable(self) -> None:
        """In the child: SIGSEGV, SIGFPE, SIGABRT, SIGBUS and SIGILL write the lines of Python that ran, and end it."""
        if self._file is not None:
            faulthandler.enable(self._file, all_threads=False)

    def take(self) -> str:
        """In the parent, once the child has ended: the text on lines of its own, or "" if it did not crash."""
        if self._file is None:
            return ""
        try:
            text = os.pread(self._file, _MOST_BYTES, 0).decode("utf-8", "replace").strip()
            os.ftruncate(self._file, 0)
            os.lseek(self._file, 0, os.SEEK_SET)
        except OSError:
            return ""
        return f"\n{text}" if text else ""
