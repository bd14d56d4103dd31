"""That a database was written, by any process, told by a small file beside it: to compare it is one short system call.

The index of the WAL, which changes too, must not be looked at: SQLite holds POSIX locks on it, and closing any
descriptor of a file takes away all such locks of the process. Two processes then write at once, and one that opens the
database takes itself for the first and empties an index that others have mapped.
https://www.sqlite.org/howtocorrupt.html#posix_advisory_locks_canceled
"""

import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

from edgeworker.files import open_or_create

# What the mark tells at once a writer may not have told: one that was killed before it could, or a program that knows
# no mark. So `PRAGMA data_version` is asked again after so long.
RECHECK_SECONDS: Final = 0.02

_MARK_BYTES: Final = 16


def mark_path(database: Path) -> Path:
    return database.with_suffix(".changes")


class ChangeTeller:
    """The writer's side: makes the mark where it is missing. Without one, readers see changes a little later."""

    def __init__(self, database: Path) -> None:
        self._mark: int | None = None
        with suppress(OSError):
            self._mark = open_or_create(mark_path(database))
            self.tell()

    def tell(self) -> None:
        """After each commit, before its caller knows of it."""
        if self._mark is not None:
            with suppress(OSError):  # the write itself is done
                os.pwrite(self._mark, secrets.token_bytes(_MARK_BYTES), 0)

    def close(self) -> None:
        mark, self._mark = self._mark, None
        if mark is not None:
            os.close(mark)


class ChangeMark:
    """The reader's side: some bytes, which differ after each change.

    Read, not mapped: a mapped file that is cut by another program (a backup that is copied over the directory) ends the
    process that looks into it with SIGBUS.
    """

    __slots__ = ("_descriptor",)

    def __init__(self, descriptor: int) -> None:
        """Use `open`."""
        self._descriptor = descriptor

    @classmethod
    def open(cls, database: Path) -> Self | None:
        """None where there is no mark yet."""
        try:
            descriptor = os.open(mark_path(database), os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return None
        mark = cls(descriptor)
        if len(mark.read()) == _MARK_BYTES:
            return mark
        mark.close()
        return None

    def read(self) -> bytes:
        """All of the mark; less, down to b"", if it was cut or its disk cannot be read."""
        try:
            return os.pread(self._descriptor, _MARK_BYTES, 0)
        except OSError:
            return b""

    def close(self) -> None:
        os.close(self._descriptor)
