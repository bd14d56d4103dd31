"""`state.sqlite`: one aiosqlite connection that reads and writes, and one that notices what others wrote."""

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Final, TypeVar

from edgeworker.errors import StoreError
from edgeworker.files import create_file
from edgeworker.sqlite_changes import RECHECK_SECONDS, ChangeMark, ChangeTeller
from edgeworker.sqlite_thread import open_in_thread
from edgeworker.state.schema import SCHEMA

if TYPE_CHECKING:
    import aiosqlite

T = TypeVar("T")
Parameters = Sequence[str | int | bytes | None]
Row = Sequence[str | int | bytes | None]
Execute = Callable[[str, Parameters], Awaitable[list[Row]]]
"""Runs one statement of a transaction and returns its rows."""

FILE_NAME: Final = "state.sqlite"

_BUSY_TIMEOUT_SECONDS: Final = 10.0
_GENERATION: Final = 1 << 48  # more changes than a file will see

_FileIdentity = tuple[int, int]  # device and inode


class StateDatabase:
    """The file of one data directory, opened when it is first needed; made by the first write, never by a read.

    What was written survives a power cut once the call has returned. Processes that have the file open see each other's
    writes at once. If the file is replaced while it is open (a backup is put back), calls use the new one after 20 ms.
    All methods raise StoreError.
    """

    def __init__(self, directory: Path) -> None:
        self.path = directory / FILE_NAME
        self._lock = asyncio.Lock()
        self._connection: aiosqlite.Connection | None = None
        self._identity: _FileIdentity | None = None
        self._closed = False
        self._observer = _Observer(self.path)
        self._teller: ChangeTeller | None = None

    def check_version(self) -> None:
        """Raises StoreError for a file of a newer version, or of another program."""
        SCHEMA.check_file(self.path)

    async def read(self, statement: str, parameters: Parameters = ()) -> list[Row]:
        """The rows of a SELECT; none if there is no file."""
        async with self._lock:
            if _identity(self.path) is None:
                return []
            return await self._execute(statement, parameters)

    async def write(self, statement: str, parameters: Parameters = ()) -> list[Row]:
        """Commit one statement; returns what its RETURNING says."""
        async with self._lock:
            rows = await self._execute(statement, parameters)
            self._tell_change()
            return rows

    async def transaction(self, work: Callable[[Execute], Awaitable[T]]) -> T:
        """Commit all that `work` executes, or nothing if it raises. Cancelling the caller does not interrupt it."""
        return await asyncio.shield(asyncio.ensure_future(self._transaction(work)))

    def changes(self, space: str) -> int:
        """A number that differs after any change of a document of `space`, by any process. Takes some microseconds."""
        try:  # not _translate_errors(): a context manager costs more than the rest, before each decision
            return self._observer.changes(space)
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"{self.path}: {error}") from error

    async def close(self) -> None:
        async with self._lock:
            self._closed = True
            # The writing connection last: only one that may write can put the -wal away.
            self._observer.close()
            await self._disconnect()

    async def _transaction(self, work: Callable[[Execute], Awaitable[T]]) -> T:
        async with self._lock, self._open_connection() as connection:
            await connection.execute_fetchall("BEGIN IMMEDIATE")
            try:
                result = await work(lambda statement, parameters: _rows(connection, statement, parameters))
                await connection.execute_fetchall("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    await connection.execute_fetchall("ROLLBACK")
                raise
            self._tell_change()
            return result

    def _tell_change(self) -> None:
        if self._teller is not None:
            self._teller.tell()

    async def _execute(self, statement: str, parameters: Parameters) -> list[Row]:
        async with self._open_connection() as connection:
            return await _rows(connection, statement, parameters)

    @asynccontextmanager
    async def _open_connection(self) -> "AsyncIterator[aiosqlite.Connection]":
        if self._closed:
            raise StoreError(f"{self.path}: is closed")
        with self._translate_errors():
            if self._connection is not None and _identity(self.path) != self._identity:
                await self._disconnect()
            if self._connection is None:
                self._connection = await open_in_thread(self._connect)
            yield self._connection

    def _connect(self) -> sqlite3.Connection:
        """Runs in aiosqlite's thread, as all that this connection does."""
        create_file(self.path)
        self._identity = _identity(self.path)
        # Without transactions of Python's: each statement is one, and takes the write lock as its first step.
        connection = sqlite3.connect(self.path, timeout=_BUSY_TIMEOUT_SECONDS, isolation_level=None)
        try:
            SCHEMA.prepare(connection, self.path, busy_seconds=_BUSY_TIMEOUT_SECONDS)
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA fullfsync = 1")  # macOS: fsync alone does not reach the disk
            if self._teller is None:
                self._teller = ChangeTeller(self.path)
        except BaseException:
            connection.close()
            raise
        return connection

    async def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        teller, self._teller = self._teller, None
        if teller is not None:
            teller.close()
        if connection is not None:
            await connection.close()

    @contextmanager
    def _translate_errors(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise StoreError(f"{self.path}: {error}") from error


class _Observer:
    """A second connection, which only reads and is used in the event loop: it sees every commit of the first one, and
    of other processes, as a new `data_version`.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._identity: _FileIdentity | None = None
        self._generation = 0  # counts the files that were seen
        self._data_version = -1
        self._counts: dict[str, int] = {}  # of each space, at `_data_version`
        self._mark: ChangeMark | None = None
        self._seen_mark = b""
        self._look_again_at = 0.0

    def changes(self, space: str) -> int:
        # Every writer changes the mark after its commit, in any process, and comparing it costs a tenth of a
        # microsecond where the pragma costs several. A writer that was killed between the two, or that knows no mark,
        # and another file in this one's place are looked for now and then.
        mark = self._mark
        if mark is not None and mark.read() == self._seen_mark and monotonic() < self._look_again_at:
            known = self._counts.get(space)
            if known is not None:
                return self._generation * _GENERATION + known
        return self._look(space)

    def _look(self, space: str) -> int:
        identity = _identity(self._path)
        if self._connection is None or identity != self._identity:
            self._open(identity)
        if self._connection is None:
            return self._generation * _GENERATION
        # The mark of before the reading: what is committed meanwhile is another one.
        mark = b"" if self._mark is None else self._mark.read()
        data_version: int = self._connection.execute("PRAGMA data_version").fetchone()[0]
        if data_version != self._data_version:
            self._data_version = data_version
            self._counts.clear()
        count = self._counts.get(space)
        if count is None:
            count = self._counts[space] = self._count(self._connection, space)
        if self._mark is None:
            self._mark = ChangeMark.open(self._path)
        self._seen_mark, self._look_again_at = mark, monotonic() + RECHECK_SECONDS
        return self._generation * _GENERATION + count

    def close(self) -> None:
        if self._mark is not None:
            self._mark.close()
            self._mark = None
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _open(self, identity: _FileIdentity | None) -> None:
        if identity != self._identity:
            self._generation += 1
        self.close()
        self._identity = identity
        self._data_version = -1
        self._counts.clear()
        if identity is not None:
            self._connection = sqlite3.connect(
                f"{self._path.absolute().as_uri()}?mode=ro",
                uri=True,
                timeout=_BUSY_TIMEOUT_SECONDS,
                isolation_level=None,
                check_same_thread=False,
            )

    def _count(self, connection: sqlite3.Connection, space: str) -> int:
        with closing(connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'document_changes'")) as found:
            if found.fetchone() is None:
                return 0  # an older file, or one that another process is making; it will be a new data_version
        row = connection.execute("SELECT count FROM document_changes WHERE space = ?", (space,)).fetchone()
        return 0 if row is None else int(row[0])


async def _rows(connection: "aiosqlite.Connection", statement: str, parameters: Parameters) -> list[Row]:
    return [tuple(row) for row in await connection.execute_fetchall(statement, parameters)]


def _identity(path: Path) -> _FileIdentity | None:
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
