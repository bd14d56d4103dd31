"""Opening the KV database: its files, its connections, and what its errors mean to a person."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal

from edgeworker.errors import StoreError
from edgeworker.files import create_file
from edgeworker.kv.sqlite.schema import SCHEMA

Durability = Literal["full", "normal"]

BUSY_SECONDS: Final = 5.0

# Another connection is in the way; SQLITE_PROTOCOL is what is left of that after many tries.
LOCKED: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL})

_RETRY_SECONDS: Final = 0.001
_READ_CACHE_KIB: Final = 4 * 1024  # the upper levels of the trees of a million keys
_JOURNAL_BYTES: Final = 64 * 1024 * 1024
_PRIMARY_CODE: Final = 0xFF  # the lower byte of SQLite's extended result codes


def create(path: Path) -> None:
    """Makes the file (0600) and its directory (0700) where they are not there, and brings the schema up to date."""
    try:
        create_file(path)
    except OSError as error:
        raise StoreError(f"{path}: the KV database cannot be created: {error.strerror}.") from error
    with translated(path):
        connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
        try:
            SCHEMA.prepare(connection, path, busy_seconds=BUSY_SECONDS)
        finally:
            connection.close()


def connect_for_writing(path: Path, durability: Durability) -> sqlite3.Connection:
    """May be used in another thread than this one, by one thread at a time. Waits for other writers in `begin` only."""
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    with _closed_on_error(connection):
        connection.execute(f"PRAGMA synchronous = {'FULL' if durability == 'full' else 'NORMAL'}")
        connection.execute(f"PRAGMA fullfsync = {int(durability == 'full')}")  # macOS: fsync does not reach the disk
        connection.execute(f"PRAGMA journal_size_limit = {_JOURNAL_BYTES}")
        connection.execute("PRAGMA busy_timeout = 0")
    return connection


def begin(connection: sqlite3.Connection) -> None:
    """Begins to write; waits up to BUSY_SECONDS for another process. Blocks its thread; raises sqlite3.Error.

    SQLite's own way of waiting asks ten times a second, and hardly ever meets the gap between two transactions of a
    process that writes without pause.
    """
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error_code(error) not in LOCKED or time.monotonic() >= deadline:
                raise
            time.sleep(_RETRY_SECONDS)
        else:
            return


def connect_for_reading(path: Path, *, waits: bool) -> sqlite3.Connection:
    """Sees each commit of any process at its next statement. May be used in another thread, by one at a time.

    Where the file is locked, a statement waits BUSY_SECONDS, or not at all; opening always waits, because another
    process may just be mending what a third one left when it was killed.
    """
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )
    with _closed_on_error(connection):
        connection.execute(f"PRAGMA cache_size = -{_READ_CACHE_KIB}")
        if not waits:
            connection.execute("PRAGMA busy_timeout = 0")
    return connection


@contextmanager
def _closed_on_error(connection: sqlite3.Connection) -> Iterator[None]:
    """A file that is damaged shows it at the first statement."""
    try:
        yield
    except BaseException:
        connection.close()
        raise


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turns SQLite's errors into StoreError."""
    try:
        yield
    except sqlite3.Error as error:
        raise store_error(path, error) from error


def error_code(error: sqlite3.Error) -> int:
    """SQLite's primary result code; SQLITE_ERROR for what Python's module found itself."""
    code: int = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    return code & _PRIMARY_CODE


def store_error(path: Path, error: sqlite3.Error) -> StoreError:
    """What a person can do about it."""
    match error_code(error):
        case code if code in LOCKED:
            text = f"is locked by another program (waited {BUSY_SECONDS:g} s); close that program, or try again"
        case sqlite3.SQLITE_FULL:
            text = "cannot grow, the disk is full; make room on it"
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            # SQLite says so of an error of the disk while it reads, too (SQLITE_IOERR_CORRUPTFS).
            text = (
                f"is damaged ({error}), or its disk cannot be read: look there first (dmesg); else restore a backup, "
                "or move the file away to begin with an empty one"
            )
        case sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM | sqlite3.SQLITE_READONLY | sqlite3.SQLITE_AUTH:
            text = f"cannot be opened ({error}); check that the file and its directory may be read and written"
        case sqlite3.SQLITE_IOERR:
            text = f"cannot be read or written ({error}); check the disk"
        case _:
            text = f"cannot be used: {error}"
    return StoreError(f"{path}: the KV database {text}.")
