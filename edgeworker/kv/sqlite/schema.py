"""The tables of the KV database."""

from typing import Final

from edgeworker.sqlite_schema import SQLiteSchema

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

SCHEMA: Final = SQLiteSchema(
    application_id=0x45574B56,  # "EWKV"
    contents="KV",
    migrations=(_VERSION_1,),
)
