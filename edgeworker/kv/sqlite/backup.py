"""A copy of the whole KV database, made while it is in use, and back again."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from edgeworker.errors import StoreError
from edgeworker.files import draft_of
from edgeworker.kv.sqlite.connection import connect_for_reading, translated
from edgeworker.kv.sqlite.schema import SCHEMA


def backup(path: Path, to: Path, *, complete: Callable[[Path], None] | None = None) -> int:
    """One moment's state of `path` as a file of its own (0600); returns its size in bytes.

    Other processes may go on reading and writing the database meanwhile. `complete` adds to the file before it takes
    its place, so that what stands there is whole.

    Raises:
        StoreError: `to` is there already, one of the files cannot be read or written.
    """
    if to.exists():
        raise StoreError(f"{to}: is there already; a backup overwrites nothing")
    with _draft_of(to) as draft:
        _copy(path, draft)
        if complete is not None:
            complete(draft)
    return to.stat().st_size


def restore(backup_file: Path, path: Path) -> None:
    """Makes `path` what the backup holds; what stood there before is gone.

    Raises:
        StoreError: the backup is not a sound KV database of this version or an older one, or an edge has `path` open.
            `path` is as it was then.
    """
    with _draft_of(path) as draft:
        _copy(backup_file, draft)
        with translated(backup_file), closing(sqlite3.connect(draft, isolation_level=None)) as connection:
            faults = connection.execute("PRAGMA quick_check(1)").fetchall()
            if faults != [("ok",)]:
                raise StoreError(f"{backup_file}: is damaged: {faults[0][0]}")
        _check_unused(path)
        # SQLite would play a log that was left behind into whatever database has its name.
        for left_behind in (f"{path.name}-wal", f"{path.name}-shm"):
            path.with_name(left_behind).unlink(missing_ok=True)


def _check_unused(path: Path) -> None:
    """No process may have the file open: it would go on with the old file, and its log would damage the new one."""
    if not path.exists():
        return
    with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as connection:
        try:
            # This is granted only to a connection that is alone. It also puts the write-ahead log away.
            connection.execute("PRAGMA journal_mode = DELETE")
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_NOTADB:
                return  # A damaged file is what a restore is for.
            raise StoreError(f"{path}: is in use; stop the edge that runs on it first") from error


def _copy(source: Path, target: Path) -> None:
    with (
        translated(source),
        closing(connect_for_reading(source, waits=True)) as reading,
        closing(sqlite3.connect(target, isolation_level=None)) as writing,
    ):
        SCHEMA.is_current(reading, source)  # Raises for what is not KV's, or a newer version's.
        if reading.execute("PRAGMA application_id").fetchone() != (SCHEMA.application_id,):
            raise StoreError(f"{source}: holds no KV database; it is empty")
        reading.backup(writing)
        # The copy says that it is in WAL mode; a file that stands alone should not.
        writing.execute("PRAGMA journal_mode = DELETE")


@contextmanager
def _draft_of(path: Path) -> Iterator[Path]:
    """A file beside `path` that takes its place at the end, and only if all went well."""
    try:
        with draft_of(path) as draft:
            yield draft.path
    except OSError as error:
        raise StoreError(f"{path}: cannot be written: {error.strerror}") from error
