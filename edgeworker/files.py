"""Files that appear whole: they are written under another name, and take their place in one step.

And files that each process has of its own, named after its id.
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final

_AS_ROOT: Final = os.name == "posix" and os.geteuid() == 0


class Draft:
    """A new file that takes its place with `replace`, or goes away with `discard`. All methods raise OSError."""

    def __init__(self, path: Path, *, mode: int = 0o600) -> None:
        """`path` is the draft's own: beside the place that it is for, on the same file system."""
        self.path = path
        self.file: BinaryIO = open_new(path, mode=mode)

    def replace(self, place: Path, *, durable: bool = True) -> None:
        """Closes the file and puts it in its place. If `durable`, it is there after a power cut too."""
        if durable:
            self.file.flush()
            os.fsync(self.file.fileno())
        self.file.close()
        self.path.replace(place)
        if durable:
            sync_folder(place.parent)

    def discard(self) -> None:
        with suppress(OSError):
            self.file.close()
        self.path.unlink(missing_ok=True)


@contextmanager
def draft_of(place: Path, *, mode: int = 0o600, durable: bool = True) -> Iterator[Draft]:
    """A draft that takes `place` at the end of the block, on the disk if `durable`; if the block raises, nothing has
    changed.

    Raises OSError.
    """
    draft = Draft(place.with_name(f".{place.name}.{secrets.token_hex(8)}"), mode=mode)
    try:
        yield draft
        draft.replace(place, durable=durable)
    except BaseException:
        draft.discard()
        raise


def replace_file(place: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Make `content` the file's content, on the disk: a reader sees the old or the new one, never a half. Raises
    OSError.
    """
    with draft_of(place, mode=mode) as draft:
        draft.file.write(content)


def write_once(place: Path, content: bytes, *, mode: int = 0o600) -> bool:
    """Whether the file was made: of several that try at once one succeeds, and no one reads a half. Raises OSError."""
    draft = Draft(place.with_name(f".{place.name}.{secrets.token_hex(8)}"), mode=mode)
    try:
        draft.file.write(content)
        draft.file.flush()
        os.fsync(draft.file.fileno())
        os.link(draft.path, place)
    except FileExistsError:
        return False
    else:
        sync_folder(place.parent)
        return True
    finally:
        draft.discard()


def create_file(path: Path) -> None:
    """Make an empty file (0600) and its directory (0700) if they are not there. Raises OSError.

    A file that is there is not even opened: closing it again would end the locks that SQLite holds on it in this
    process.
    """
    make_folder(path.parent)
    if path.exists():
        return
    with suppress(FileExistsError):
        os.close(_create(path, 0o600))
    sync_folder(path.parent)


def make_folder(folder: Path, *, parents: bool = True) -> None:
    """Make a folder that only its owner reads (0700), and so each folder above it that is missing: `mkdir` makes those
    as the umask says. Raises OSError."""
    for one in (*reversed(folder.parents), folder) if parents else (folder,):
        if not one.is_dir():
            one.mkdir(mode=0o700, exist_ok=True)
            if _AS_ROOT:
                _give_folder(one)


def open_new(path: Path, *, mode: int = 0o600) -> BinaryIO:
    """Open a new file for writing. Raises OSError; FileExistsError if it is there."""
    return os.fdopen(_create(path, mode), "wb")


def open_or_create(path: Path) -> int:
    """Open a file for reading and writing, made here (0600) if it is missing. Raises OSError, for a link too: root uses
    folders of other users, who could name any file by one."""
    while True:
        try:
            return os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            with suppress(FileExistsError):
                return _create(path, 0o600)


def _create(path: Path, mode: int) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    if _AS_ROOT:
        _give(descriptor, path.parent)
    return descriptor


def _give_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        _give(descriptor, folder.parent)
    finally:
        os.close(descriptor)


def _give(descriptor: int, folder: Path) -> None:
    """What root makes in another user's folder belongs to that user: `sudo edgeworker token create` writes into a data
    directory that a service has to read afterwards."""
    owner = folder.stat()
    if owner.st_uid != 0:
        with suppress(PermissionError):  # root of a container may not
            os.fchown(descriptor, owner.st_uid, owner.st_gid)


def sync_folder(folder: Path) -> None:
    """Write a folder's own entries to the disk: a new name in it must survive a power cut too. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def is_of_running_process(file: Path) -> bool:
    """Whether the process that `file` is named after ("4711.json") runs. Raises ValueError for another name."""
    return is_running(int(file.stem))


def is_running(process: int) -> bool:
    """Whether there is a process of this id."""
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
