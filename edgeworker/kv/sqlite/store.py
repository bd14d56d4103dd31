"""The store: point reads in the event loop, long reads in a thread, writes through the one writer."""

import sqlite3
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Final, Self

from edgeworker.kv.sqlite import chunks, writes
from edgeworker.kv.sqlite.connection import (
    Durability,
    connect_for_writing,
    create,
    translated,
)
from edgeworker.kv.sqlite.namespaces import SQLiteNamespaces
from edgeworker.kv.sqlite.reader import Reader, Row
from edgeworker.kv.sqlite.recent import RecentRows
from edgeworker.kv.sqlite.writer import Writer
from edgeworker.kv.store import LATER, DataVersion, Entry, EntryStream, Later, ListedKey, NamespaceRegistry
from edgeworker.messages.body import one_piece

_GET: Final = """
SELECT entry.value, entry.expires_at, entry.metadata, entry.large
FROM namespaces AS namespace CROSS JOIN entries AS entry ON entry.namespace = namespace.number
WHERE namespace.id = ? AND entry.key = ?
"""
_LIST: Final = """
SELECT entry.key, entry.expires_at, entry.metadata
FROM namespaces AS namespace CROSS JOIN entries AS entry ON entry.namespace = namespace.number
WHERE namespace.id = ? AND entry.key >= ? AND entry.key < ?
    AND (entry.expires_at IS NULL OR entry.expires_at > ?)
ORDER BY entry.key LIMIT ?
"""

# No byte of UTF-8 is 0xFF, so this is above every key with a given prefix.
_AFTER_ALL: Final = b"\xff"

# A longer list does not run in the event loop.
_KEYS_IN_LOOP: Final = 100

# How much of a stream is stored in one transaction.
_STREAM_BYTES: Final = 16 * chunks.CHUNK_BYTES


class SQLiteStore:
    """One file in WAL mode. Processes that have the same file open see each other's writes at once.

    Made with `open`, in the thread whose event loop uses it.
    """

    def __init__(self, path: Path, durability: Durability) -> None:
        self._path = path
        self._closed = False
        self._reader = Reader(path)
        self._writer = Writer(connect_for_writing(path, durability), path)
        self._recent = RecentRows(path, self._reader.data_version)
        self._namespaces = SQLiteNamespaces(self._reader, self._writer)

    @classmethod
    def open(cls, path: Path, *, durability: Durability = "full") -> Self:
        """Make the file if it is not there.

        With "full" an acknowledged write survives a power cut, with "normal" a crash of this process.

        Raises:
            StoreError: it cannot be opened, is damaged, is not a KV database, or is a newer version's.
        """
        create(path)
        with translated(path):
            return cls(path, durability)

    @property
    def namespaces(self) -> NamespaceRegistry:
        return self._namespaces

    def peek(self, namespace_id: str, key: str, *, now: int) -> bytes | Later | None:
        """LATER also where reading fails: `get` says why, or waits for what is in the way."""
        row = self._recent.find((namespace_id, key)) or self._peek_row(namespace_id, key)
        if not isinstance(row, tuple) or (row[1] is not None and row[1] <= now):
            return LATER if row is LATER else None
        return row[0] if row[3] is None else LATER

    def peek_entry(self, namespace_id: str, key: str, *, now: int) -> Entry | Later | None:
        """As `peek`."""
        row = self._recent.find((namespace_id, key)) or self._peek_row(namespace_id, key)
        if not isinstance(row, tuple) or (row[1] is not None and row[1] <= now):
            return LATER if row is LATER else None
        return Entry(row[0], row[1], row[2]) if row[3] is None else LATER

    def data_version(self) -> DataVersion | None:
        return self._recent.data_version()

    def _peek_row(self, namespace_id: str, key: str) -> Row | Later | None:
        try:
            row = self._reader.row(_GET, (namespace_id, key.encode()))
        except sqlite3.Error:
            return LATER
        if row is not None:
            self._recent.add((namespace_id, key), row)
        return row

    async def get(self, namespace_id: str, key: str, *, now: int) -> Entry | None:
        row = await self._row(namespace_id, key, now)
        if row is None:
            return None
        value, expires_at, metadata, large = row
        if large is not None:
            value = await self._whole(large)
        return Entry(value, expires_at, metadata)

    async def stream(self, namespace_id: str, key: str, *, now: int) -> EntryStream | None:
        row = await self._row(namespace_id, key, now)
        if row is None:
            return None
        value, expires_at, metadata, large = row
        if large is None:
            return EntryStream(len(value), one_piece(value), expires_at, metadata)
        size = await self._size(large)
        return EntryStream(size, self._pieces(large, size), expires_at, metadata)

    async def put(self, namespace_id: str, key: str, entry: Entry) -> None:
        await self._writer.run(lambda connection: writes.put(connection, namespace_id, key, entry))

    async def put_stream(
        self,
        namespace_id: str,
        key: str,
        pieces: AsyncIterator[bytes],
        *,
        expires_at: int | None = None,
        metadata: str | None = None,
    ) -> None:
        """What was stored of a stream that breaks is removed by a sweep, after chunks.GRACE_SECONDS."""
        large: int | None = None
        offset = 0
        waiting = bytearray()
        async for piece in pieces:
            for start in range(0, len(piece), _STREAM_BYTES):
                waiting += memoryview(piece)[start : start + _STREAM_BYTES]
                if len(waiting) < _STREAM_BYTES:
                    continue
                batch = bytes(memoryview(waiting)[:_STREAM_BYTES])
                del waiting[:_STREAM_BYTES]
                large = await self._append(large, batch, offset)
                offset += len(batch)
        if large is None and len(waiting) <= chunks.CHUNK_BYTES:
            await self.put(namespace_id, key, Entry(bytes(waiting), expires_at, metadata))
            return
        number = large

        def finish(connection: sqlite3.Connection) -> None:
            stored = chunks.begin(connection) if number is None else number
            if waiting:
                chunks.append(connection, stored, waiting, offset=offset)
            writes.put_large(connection, namespace_id, key, stored, expires_at=expires_at, metadata=metadata)

        await self._writer.run(finish)

    async def put_many(self, namespace_id: str, entries: Sequence[tuple[str, Entry]]) -> None:
        if entries:
            await self._writer.run(lambda connection: writes.put_many(connection, namespace_id, entries))

    async def delete(self, namespace_id: str, keys: Sequence[str]) -> None:
        await self._writer.run(lambda connection: writes.delete(connection, namespace_id, keys))

    async def list_keys(self, namespace_id: str, *, prefix: str, after: str, limit: int, now: int) -> list[ListedKey]:
        first = prefix.encode()
        # What follows a name directly is the name with a NUL. One lower bound: SQLite would seek with one of two only.
        bounds = (namespace_id, max(first, after.encode() + b"\x00"), first + _AFTER_ALL, now, limit)

        read = self._reader.long if limit > _KEYS_IN_LOOP else self._reader.short
        return await read(_LIST, bounds, _listed)

    async def sweep(self, *, now: int, limit: int = 500) -> int:
        return await self._writer.run(lambda connection: writes.sweep(connection, now=now, limit=limit))

    async def close(self) -> None:
        """Writes what waits. The last process to close the file leaves it without its -wal and -shm."""
        if self._closed:
            return
        self._closed = True
        self._recent.close()
        # The writer last: only a connection that may write can put the -wal away.
        await self._reader.close()
        await self._writer.close()

    async def _row(self, namespace_id: str, key: str, now: int) -> Row | None:
        name = (namespace_id, key.encode())
        try:
            row = self._reader.row(_GET, name)
        except sqlite3.Error as error:
            row = next(iter(await self._reader.again(_GET, name, _row, error)), None)
        return None if row is None or (row[1] is not None and row[1] <= now) else row

    async def _pieces(self, large: int, size: int) -> AsyncIterator[bytes]:
        for place in range(chunks.count(size)):
            found = await self._reader.short(chunks.CONTENT, chunks.span(large, place, 1), bytes)
            if not found:
                raise chunks.removed()
            yield found[0]

    async def _size(self, large: int) -> int:
        sizes = await self._reader.short(chunks.SIZE, (large,), int)
        if not sizes:
            raise chunks.removed()
        return sizes[0]

    async def _whole(self, large: int) -> bytes:
        size = await self._size(large)
        value = b"".join(await self._reader.long(chunks.CONTENT, chunks.span(large), bytes))
        if len(value) != size:
            raise chunks.removed()
        return value

    async def _append(self, large: int | None, batch: bytes, offset: int) -> int:
        def append(connection: sqlite3.Connection) -> int:
            number = chunks.begin(connection) if large is None else large
            chunks.append(connection, number, batch, offset=offset)
            return number

        return await self._writer.run(append)


def _listed(key: bytes, expires_at: int | None, metadata: str | None) -> ListedKey:
    return ListedKey(key.decode(), expires_at, metadata)


def _row(value: bytes, expires_at: int | None, metadata: str | None, large: int | None) -> Row:
    return value, expires_at, metadata, large
