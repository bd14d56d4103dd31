"""One edge at a time on a data directory: a second one would remove what the processes of the first share in `run`.

The kernel releases the lock when the process that took it ends, however it ends.
"""

import fcntl
import logging
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from edgeworker.errors import StoreError
from edgeworker.files import make_folder, open_or_create

_log = logging.getLogger(__name__)

LOCK: Final = "run/lock"
_LONGEST_PID: Final = 10
# `find_holder` has the lock for a moment.
_TRIES: Final = 4
_PAUSE_SECONDS: Final = 0.05


def hold_data(data: Path) -> None:
    """Lock the data directory `data` until this process ends. Its children do not hold the lock.

    Raises:
        StoreError: another process holds it, or the file of the lock cannot be opened.
    """
    file = data / LOCK
    try:
        make_folder(file.parent)
        lock = open_or_create(file)
    except PermissionError as error:
        raise StoreError(
            f"{data}: this user ({os.geteuid()}) may not write into it; give it to the edge's user "
            f"(chown -R {os.geteuid()} {data}), or name another directory with --persist-to"
        ) from error
    except OSError as error:
        raise StoreError(f"{file}: cannot be opened: {error.strerror}") from error
    try:
        _take(lock)
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


def _take(lock: int) -> None:
    """Raises OSError; BlockingIOError where another edge has it."""
    for _ in range(_TRIES):
        with suppress(BlockingIOError):
            return fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        time.sleep(_PAUSE_SECONDS)
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def find_holder(data: Path) -> int | None:
    """The first process of the edge that has the data directory `data`; None if no edge has it.

    Raises:
        StoreError: an edge has it that is not known here, as one in another container, or the file cannot be read.
    """
    file = data / LOCK
    try:
        lock = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(f"{file}: cannot be opened: {error.strerror}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        if (holder := _read_holder(lock)) is not None:
            return holder
        raise StoreError(
            f"{data}: the edge that uses it does not run here; ask on its machine or in its container"
        ) from None
    except OSError as error:  # who was the last to write its id may be another program by now
        raise StoreError(f"{file}: this file system has no locks ({error.strerror}); signal the edge itself") from error
    finally:
        os.close(lock)
    return None


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
    """None if no other process here has that id and the file open: the holder may be in another container."""
    with suppress(OSError, ValueError, OverflowError):
        holder = int(os.pread(lock, _LONGEST_PID, 0))
        if holder > 1 and holder != os.getpid():
            with suppress(PermissionError):
                os.kill(holder, 0)
            return holder if _has_open(holder, os.fstat(lock)) else None
    return None


def _has_open(process: int, file: os.stat_result) -> bool:
    """True where the system does not tell, as of a process of another user, which cannot be signalled either.

    A script of the edge could write the id of another user's process into the file, and root would signal that one.
    """
    try:
        descriptors = list(Path(f"/proc/{process}/fd").iterdir())
    except OSError:
        return True
    for descriptor in descriptors:
        with suppress(OSError):  # closed meanwhile
            found = descriptor.stat()
            if (found.st_dev, found.st_ino) == (file.st_dev, file.st_ino):
                return True
    return False


def _close_in_children(lock: int) -> None:
    """A lock ends with the last process that has its descriptor: children may outlive their parent for a while."""
    held = [lock]

    def close() -> None:
        while held:  # a child's own children have no descriptor to close
            os.close(held.pop())

    os.register_at_fork(after_in_child=close)
