"""The tables of the KV database and how an older file becomes a newer one."""

import sqlite3
from pathlib import Path
from typing import Final

from edgeworker.errors import StoreError

APPLICATION_ID: Final = 0x45574B56  # "EWKV"

# A large value is split into rows of `chunks`, whose number is that of the value times this, plus the row's place.
CHUNKS_PER_VALUE: Final = 1 << 20

# Keys are BLOBs of UTF-8: SQLite's text functions stop at NUL, which a key may hold, and BLOBs sort by byte, which is
# KV's list order. `value` stands last, so that a list does not read through it.
#
# `large_values.unused_since`: NULL while an entry points to it; 0 when none does and no sweep has seen that yet (also
# while a stream is being stored); else the epoch second of the sweep that saw it first.
#
# Numbers are never used twice, so a namespace that is deleted and made again does not get its old entries back.
_VERSION_1: Final = (
    "CREATE TABLE namespaces (number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, title TEXT NOT NULL)",
    "CREATE TABLE deleted_namespaces (number INTEGER PRIMARY KEY)",
    """
    CREATE TABLE entries (
        number INTEGER PRIMARY KEY,
        namespace INTEGER NOT NULL,
        key BLOB NOT NULL,
        expires_at INTEGER,
        metadata TEXT,
        large INTEGER,
        value BLOB NOT NULL,
        UNIQUE (namespace, key)
    )
    """,
    "CREATE INDEX entries_by_expiry ON entries (expires_at) WHERE expires_at IS NOT NULL",
    """
    CREATE TABLE large_values (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        size INTEGER NOT NULL DEFAULT 0,
        unused_since INTEGER
    )
    """,
    "CREATE INDEX large_values_unused ON large_values (unused_since) WHERE unused_since IS NOT NULL",
    "CREATE TABLE chunks (number INTEGER PRIMARY KEY, content BLOB NOT NULL)",
    """
    CREATE TRIGGER large_value_replaced AFTER UPDATE ON entries
    WHEN OLD.large IS NOT NULL AND OLD.large IS NOT NEW.large
    BEGIN UPDATE large_values SET unused_since = 0 WHERE number = OLD.large; END
    """,
    """
    CREATE TRIGGER large_value_deleted AFTER DELETE ON entries
    WHEN OLD.large IS NOT NULL
    BEGIN UPDATE large_values SET unused_since = 0 WHERE number = OLD.large; END
    """,
)

MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (_VERSION_1,)
VERSION: Final = len(MIGRATIONS)


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Brings the file to this version of the schema, in one transaction; a new file gets all of it.

    Raises:
        StoreError: it is a database of something else, or of a newer edgeworker. The file is left as it is.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = _version(connection, path)
        for statements in MIGRATIONS[version:]:
            for statement in statements:
                connection.execute(statement)
        if version < VERSION:
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        connection.rollback()
        raise


def is_current(connection: sqlite3.Connection, path: Path) -> bool:
    """Whether there is nothing to do for `migrate`. Changes nothing; raises StoreError for what `migrate` refuses."""
    return _version(connection, path) == VERSION


def _version(connection: sqlite3.Connection, path: Path) -> int:
    # The tables first: another process may be making them just now, and its one commit brings them and the id together.
    tables = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    application = _pragma(connection, "application_id")
    version = _pragma(connection, "user_version")
    if tables and application != APPLICATION_ID:
        raise StoreError(f"{path} is an SQLite database, but not one of KV; name another file or data directory.")
    if version > VERSION:
        raise StoreError(
            f"{path} was written by a newer edgeworker (its schema is {version}, this one knows up to {VERSION}); "
            "use that version, or another data directory."
        )
    return version


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    value: int = connection.execute(f"PRAGMA {name}").fetchone()[0]
    return value
