"""The tables of `state.sqlite`."""

from typing import Final

from edgeworker.sqlite_schema import SQLiteSchema

# The first release made each table when it was first needed, and wrote no version.
_VERSION_1: Final = (
    """
    CREATE TABLE IF NOT EXISTS api_tokens (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        hash BLOB NOT NULL,
        permissions TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        expires_at INTEGER
    ) STRICT
    """,
    """
    CREATE TABLE IF NOT EXISTS atoms (
        space TEXT NOT NULL,
        key TEXT NOT NULL,
        value TEXT NOT NULL,
        expires_at_ms INTEGER NOT NULL,
        PRIMARY KEY (space, key)
    ) STRICT
    """,
    "CREATE INDEX IF NOT EXISTS atoms_by_expiry ON atoms (expires_at_ms)",
)

# Documents of products. A revision is never used twice, not even for a document that was deleted and made again.
# `document_changes` counts what happened in each space, so that a process can tell cheaply that something did. A
# replacement is a deletion and an insertion, of which only the second runs a trigger.
_VERSION_2: Final = (
    """
    CREATE TABLE documents (
        revision INTEGER PRIMARY KEY AUTOINCREMENT,
        space TEXT NOT NULL,
        kind TEXT NOT NULL,
        id TEXT NOT NULL,
        value TEXT NOT NULL,
        expires_at INTEGER,
        UNIQUE (space, kind, id)
    ) STRICT
    """,
    "CREATE INDEX documents_by_expiry ON documents (expires_at) WHERE expires_at IS NOT NULL",
    "CREATE TABLE document_changes (space TEXT PRIMARY KEY, count INTEGER NOT NULL) STRICT",
    """
    CREATE TRIGGER document_put AFTER INSERT ON documents BEGIN
        INSERT INTO document_changes VALUES (NEW.space, 1) ON CONFLICT (space) DO UPDATE SET count = count + 1;
    END
    """,
    """
    CREATE TRIGGER document_deleted AFTER DELETE ON documents BEGIN
        INSERT INTO document_changes VALUES (OLD.space, 1) ON CONFLICT (space) DO UPDATE SET count = count + 1;
    END
    """,
)

SCHEMA: Final = SQLiteSchema(
    application_id=0x45575354,  # "EWST"
    contents="edgeworker's state",
    migrations=(_VERSION_1, _VERSION_2),
    unversioned_tables=frozenset({"api_tokens", "atoms"}),
)
