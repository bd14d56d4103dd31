"""What the single binary must see to: its first process only unpacks, waits and cleans up, and may be killed.

Without this the second one, which is the edge, would go on without its parent and hold the ports, and what was unpacked
(some 80 MB) would stay.
"""

import atexit
import contextlib
import os
import shutil
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Final

_IN_USE: Final = ".edgeworker-in-use"
_SET_PDEATHSIG: Final = 1  # prctl(2)
_LOOK_EVERY_SECONDS: Final = 1.0


def supervise() -> None:
    """For the binary only: end with the first process, and remove what killed ones have left."""
    unpacked = getattr(sys, "_MEIPASS", None)  # set by PyInstaller's start-up
    if os.name != "posix" or not isinstance(unpacked, str) or not getattr(sys, "frozen", False):
        return
    folder = Path(unpacked)
    parent = os.getppid()
    mark = hold(folder)
    remove_abandoned(folder.parent)
    atexit.register(_remove_if_orphaned, folder, parent, mark)
    _end_with(parent)


def hold(folder: Path) -> int:
    """Marks `folder` as in use until this process ends, however it ends; the descriptor of the mark.

    The binary's own processes share it: the trial of a publication runs where the edge that starts it was unpacked.
    """
    import fcntl

    mark = os.open(folder / _IN_USE, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(mark, fcntl.LOCK_SH)
    return mark


def remove_abandoned(temporary: Path) -> list[Path]:
    """Removes the folders of this user that were marked by processes which have ended."""
    removed = []
    for folder in temporary.glob("_MEI*"):
        if _is_abandoned(folder):
            shutil.rmtree(folder, ignore_errors=True)
            removed.append(folder)
    return removed


def _is_abandoned(folder: Path) -> bool:
    import fcntl

    try:
        if folder.is_symlink() or folder.stat().st_uid != os.geteuid():
            return False
        # Without a mark it belongs to another program, or to a process that begins just now.
        mark = os.open(folder / _IN_USE, os.O_RDWR | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(mark)
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
