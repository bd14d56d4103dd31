"""One edge at a time on a data directory: a second one would remove what the processes of the first share in `run`.

The kernel releases the lock when the process that took it ends, however it ends.
"""

import fcntl
import logging
import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from edgeworker.errors import StoreError
from edgeworker.files import make_folder, open_or_create

_log = logging.getLogger(__name__)

LOCK: Final = "run/lock"
_LONGEST_PID: Final = 10


def hold_data(data: Path) -> None:
    """Lock the data directory `data` until this process ends. Its children do not hold the lock.

    Raises:
        StoreError: another process holds it, or the file of the lock cannot be opened.
    """
    file = data / LOCK
    try:
        make_folder(file.parent)
        lock = open_or_create(file)
    except OSError as error:
        raise StoreError(f"{file}: cannot be opened: {error.strerror}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = _read_holder(lock)
        os.close(lock)
        raise StoreError(_describe_refusal(data, holder)) from None
    except OSError as error:
        os.close(lock)
        _log.warning(
            "%s: this file system has no locks (%s): take care that no second edge uses this data directory",
            file,
            error.strerror,
        )
        return
    _write_holder(lock)
    _close_in_children(lock)


def _describe_refusal(data: Path, holder: int | None) -> str:
    if holder is None:
        other, stop = "another edge", "stop that one"
    else:
        other, stop = f"another edge (process {holder})", f"stop that one (kill {holder})"
    return (
        f"{data}: {other} uses this data directory, or is still ending; "
        f"{stop} and wait until it has ended, or name another directory with --persist-to"
    )


def _write_holder(lock: int) -> None:
    with suppress(OSError):  # of a disk that is full: the lock holds without it
        os.ftruncate(lock, 0)
        os.pwrite(lock, str(os.getpid()).encode(), 0)


def _read_holder(lock: int) -> int | None:
    """None if this machine has no other process with that id: the holder may be in another container."""
    with suppress(OSError, ValueError, OverflowError):
        holder = int(os.pread(lock, _LONGEST_PID, 0))
        if holder > 1 and holder != os.getpid():
            with suppress(PermissionError):
                os.kill(holder, 0)
            return holder
    return None


def _close_in_children(lock: int) -> None:
    """A lock ends with the last process that has its descriptor: children may outlive their parent for a while."""
    held = [lock]

    def close() -> None:
        while held:  # a child's own children have no descriptor to close
            os.close(held.pop())

    os.register_at_fork(after_in_child=close)
