"""The writes, each as work for the writer: SQL on its connection, inside its transaction."""

import sqlite3
from collections.abc import Iterable
from typing import Final

from edgeworker.config import Namespace
from edgeworker.kv import rules
from edgeworker.kv.sqlite import chunks
from edgeworker.kv.store import Entry

_PUT: Final = """
INSERT INTO entries (namespace, key, expires_at, metadata, large, value)
SELECT number, ?, ?, ?, ?, ? FROM namespaces WHERE id = ?
ON CONFLICT (namespace, key) DO UPDATE SET
    expires_at = excluded.expires_at, metadata = excluded.metadata, large = excluded.large, value = excluded.value
"""

# A namespace is deleted by its number alone, so that deleting a million entries does not hold up the other writers.
_SWEEP_NAMESPACE: Final = """
DELETE FROM entries WHERE number IN (SELECT number FROM entries WHERE namespace = ? LIMIT ?)
"""
_SWEEP_EXPIRED: Final = """
DELETE FROM entries WHERE number IN (SELECT number FROM entries WHERE expires_at <= ? LIMIT ?)
"""


def put(connection: sqlite3.Connection, namespace_id: str, key: str, entry: Entry) -> None:
    if len(entry.value) <= chunks.CHUNK_BYTES:
        _put(connection, namespace_id, key, entry, None)
        return
    large = chunks.begin(connection)
    chunks.append(connection, large, entry.value, offset=0)
    put_large(connection, namespace_id, key, large, expires_at=entry.expires_at, metadata=entry.metadata)


def put_large(
    connection: sqlite3.Connection,
    namespace_id: str,
    key: str,
    large: int,
    *,
    expires_at: int | None,
    metadata: str | None,
) -> None:
    """Switches the key to a large value that is stored already."""
    chunks.keep(connection, large)
    _put(connection, namespace_id, key, Entry(b"", expires_at, metadata), large)


def put_many(connection: sqlite3.Connection, namespace_id: str, entries: Iterable[tuple[str, Entry]]) -> None:
    for key, entry in entries:
        put(connection, namespace_id, key, entry)


def delete(connection: sqlite3.Connection, namespace_id: str, keys: Iterable[str]) -> None:
    connection.executemany(
        "DELETE FROM entries WHERE namespace = (SELECT number FROM namespaces WHERE id = ?) AND key = ?",
        ((namespace_id, key.encode()) for key in keys),
    )


def sweep(connection: sqlite3.Connection, *, now: int, limit: int) -> int:
    removed = connection.execute(_SWEEP_EXPIRED, (now, limit)).rowcount
    for (number,) in connection.execute("SELECT number FROM deleted_namespaces").fetchall():
        if removed >= limit:
            return removed
        removed += connection.execute(_SWEEP_NAMESPACE, (number, limit - removed)).rowcount
        if removed < limit:
            removed += connection.execute("DELETE FROM deleted_namespaces WHERE number = ?", (number,)).rowcount
    return removed + chunks.sweep(connection, now=now, limit=limit - removed)


def create_namespace(connection: sqlite3.Connection, namespace: Namespace) -> None:
    taken = connection.execute("SELECT 1 FROM namespaces WHERE id = ? OR title = ?", (namespace.id, namespace.title))
    if taken.fetchone() is not None:
        raise rules.title_taken()
    _insert_namespace(connection, namespace)


def register_namespaces(connection: sqlite3.Connection, namespaces: Iterable[Namespace]) -> None:
    for namespace in namespaces:
        _insert_namespace(connection, namespace)


def rename_namespace(connection: sqlite3.Connection, namespace_id: str, title: str) -> None:
    taken = connection.execute("SELECT 1 FROM namespaces WHERE title = ? AND id <> ?", (title, namespace_id))
    if taken.fetchone() is not None:
        raise rules.title_taken()
    if not connection.execute("UPDATE namespaces SET title = ? WHERE id = ?", (title, namespace_id)).rowcount:
        raise rules.namespace_not_found()


def delete_namespace(connection: sqlite3.Connection, namespace_id: str) -> None:
    connection.execute("INSERT INTO deleted_namespaces SELECT number FROM namespaces WHERE id = ?", (namespace_id,))
    if not connection.execute("DELETE FROM namespaces WHERE id = ?", (namespace_id,)).rowcount:
        raise rules.namespace_not_found()


def _put(connection: sqlite3.Connection, namespace_id: str, key: str, entry: Entry, large: int | None) -> None:
    row = (key.encode(), entry.expires_at, entry.metadata, large, entry.value, namespace_id)
    if not connection.execute(_PUT, row).rowcount:
        _insert_namespace(connection, Namespace(namespace_id, namespace_id))
        connection.execute(_PUT, row)


def _insert_namespace(connection: sqlite3.Connection, namespace: Namespace) -> None:
    connection.execute("INSERT OR IGNORE INTO namespaces (id, title) VALUES (?, ?)", (namespace.id, namespace.title))
