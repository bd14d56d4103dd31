"""What the single binary must see to: its first process only unpacks, waits and cleans up, and may be killed.

Without this the second one, which is the edge, would go on without its parent and hold the ports, and what was unpacked
(some 80 MB) would stay.
"""

import atexit
import contextlib
import os
import shutil
import signal
import stat
import sys
import threading
import time
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Final

_PREFIX: Final = "_EWK"  # of the folders in which the binary unpacks itself
_LONGEST_BEGINNING_SECONDS: Final = 3600.0
_LIBRARY_PATH: Final = "LD_LIBRARY_PATH"
_IN_USE: Final = ".edgeworker-in-use"
_SET_PDEATHSIG: Final = 1  # prctl(2)
_LOOK_EVERY_SECONDS: Final = 1.0


def supervise() -> None:
    """For the binary only: end with the first process, and remove what killed ones have left."""
    unpacked = getattr(sys, "_MEIPASS", None)  # set by PyInstaller's start-up
    if os.name != "posix" or not isinstance(unpacked, str) or not getattr(sys, "frozen", False):
        return
    folder = Path(unpacked)
    if (reason := find_intruder(folder.parent)) is not None:
        sys.exit(f"error: others could replace what is unpacked into {folder.parent}: {reason}; set TMPDIR=FOLDER")
    restore_library_path(os.environ)
    parent = os.getppid()
    mark = hold(folder)
    remove_abandoned(folder.parent, now=folder.stat().st_mtime)  # by the clock of that file system
    atexit.register(_remove_if_orphaned, folder, parent, mark)
    _end_with(parent)


def find_intruder(folder: Path) -> str | None:
    """Who else than this user and root may rename what is in `folder`, which the mode of what is in it cannot prevent.

    None if there is no one. The folders above it count too.
    """
    trusted = {0, os.geteuid(), *_unmapped_owners()}
    for place in (folder, *folder.parents):
        found = place.stat()
        if found.st_uid not in trusted:
            return f"{place} belongs to user {found.st_uid}"
        if found.st_mode & stat.S_ISVTX:
            continue
        if found.st_mode & stat.S_IWOTH:
            return f"everyone may write to {place}, which has no sticky bit"
        if found.st_mode & stat.S_IWGRP and found.st_gid not in (0, os.getegid()):
            return f"group {found.st_gid} may write to {place}, which has no sticky bit"
    return None


def _unmapped_owners() -> set[int]:
    """How root appears where this process has a user namespace of its own without root (PrivateUsers= of systemd)."""
    try:
        mapped = Path("/proc/self/uid_map").read_text().split()
        overflow = int(Path("/proc/sys/kernel/overflowuid").read_text())
    except (OSError, ValueError):
        return set()
    return set() if mapped[:2] == ["0", "0"] else {overflow}


def restore_library_path(environ: MutableMapping[str, str]) -> None:
    """The loader named the unpacked folder for itself; programs that edgeworker starts (workerd, node, git) bring their
    own libraries. What this process loads is found as before."""
    before = environ.pop(f"{_LIBRARY_PATH}_ORIG", None)
    environ.pop(_LIBRARY_PATH, None)
    if before:
        environ[_LIBRARY_PATH] = before


def with_own_libraries(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment for another process of this program, which finds the libraries where they were unpacked."""
    unpacked = getattr(sys, "_MEIPASS", None)
    if not isinstance(unpacked, str):
        return dict(environ)
    given = environ.get(_LIBRARY_PATH)
    both = {_LIBRARY_PATH: f"{unpacked}:{given}" if given else unpacked}
    return {**environ, **both, **({f"{_LIBRARY_PATH}_ORIG": given} if given else {})}


def hold(folder: Path) -> int:
    """Marks `folder` as in use until this process ends, however it ends; the descriptor of the mark.

    The binary's own processes share it: the trial of a publication runs where the edge that starts it was unpacked.
    """
    import fcntl

    mark = os.open(folder / _IN_USE, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(mark, fcntl.LOCK_SH)
    return mark


def remove_abandoned(temporary: Path, *, now: float) -> list[Path]:
    """Removes what processes of this user have left that have ended. `now` is in epoch seconds."""
    removed = []
    for folder in temporary.glob(f"{_PREFIX}*"):
        if _is_abandoned(folder, now):
            shutil.rmtree(folder, ignore_errors=True)
            removed.append(folder)
    return removed


def _is_abandoned(folder: Path, now: float) -> bool:
    import fcntl

    try:
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or _is_being_removed(folder):
            return False
        mark = os.open(folder / _IN_USE, os.O_RDWR | os.O_NOFOLLOW)
    except FileNotFoundError:
        # Its process begins just now, or was killed as it began.
        return now - found.st_mtime > _LONGEST_BEGINNING_SECONDS
    except OSError:
        return False
    try:
        fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(mark)
    return True


def _is_being_removed(folder: Path) -> bool:
    """Whether the first process runs, whose number PyInstaller writes into the name: it removes the folder itself, and
    would complain that another one had done so."""
    try:
        os.kill(int(folder.name[len(_PREFIX) :][:8], 16), 0)
    except PermissionError:
        return True
    except (OSError, ValueError, OverflowError):
        return False
    return True


def _end_with(parent: int) -> None:
    """SIGTERM for this process as soon as `parent` has ended: requests in flight are finished first."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it ended before that
            os.kill(os.getpid(), signal.SIGTERM)
        return

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_LOOK_EVERY_SECONDS)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="edgeworker-parent", daemon=True).start()


def _remove_if_orphaned(folder: Path, parent: int, mark: int) -> None:
    import fcntl

    if os.getppid() == parent:
        return
    with contextlib.suppress(OSError):
        fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)  # no other process runs there
        shutil.rmtree(folder, ignore_errors=True)
