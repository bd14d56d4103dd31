"""Reads: in the event loop where they are short, else in a thread of their own, each on a connection of its own."""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from edgeworker.errors import StoreError
from edgeworker.kv.sqlite.connection import LOCKED, connect_for_reading, error_code, store_error, translated
from edgeworker.sqlite_thread import open_in_thread

if TYPE_CHECKING:
    import aiosqlite

T = TypeVar("T")
Parameters = Sequence[str | bytes | int]

# A read in the loop that takes between one and two times so many steps of SQLite's machine (about a millisecond) is
# begun again in the thread; a point read takes a few dozen.
_STEPS_IN_LOOP: Final = 20_000

Row = tuple[bytes, int | None, str | None, int | None]


class Reader:
    """To be used in the thread of the event loop in which it was made. `make` makes a result of a row's columns."""

    def __init__(self, path: Path) -> None:
        self._path = path
        # What is locked goes to the thread, so this one never waits.
        self._in_loop = connect_for_reading(path, waits=False)
        self._in_loop.set_progress_handler(self._progress, _STEPS_IN_LOOP)
        # One cursor for all point reads: making one for each takes a tenth of the time of a read.
        self._cursor = self._in_loop.cursor()
        self._in_thread: aiosqlite.Connection | None = None
        self._opening = asyncio.Lock()
        self._calls = 0
        self._closed = False

    def row(self, sql: str, parameters: tuple[str, bytes]) -> Row | None:
        """In the loop, at once. Raises sqlite3.Error, with which `again` can be asked."""
        self._calls = 0
        # sqlite3 asks its adapters about each parameter that is bytes, which costs an eighth of a read.
        row: Row | None = self._cursor.execute(sql, (parameters[0], bytearray(parameters[1]))).fetchone()
        return row

    def data_version(self) -> int:
        """Another number after each commit of any other connection. Raises sqlite3.Error."""
        self._calls = 0
        found: int = self._cursor.execute("PRAGMA data_version").fetchone()[0]
        return found

    async def short(self, sql: str, parameters: Parameters, make: Callable[..., T]) -> list[T]:
        """In the loop, unless the file is locked or it takes long. Raises StoreError."""
        self._calls = 0
        try:
            return [make(*row) for row in self._in_loop.execute(sql, parameters)]
        except sqlite3.Error as error:
            return await self.again(sql, parameters, make, error)

    async def again(self, sql: str, parameters: Parameters, make: Callable[..., T], error: sqlite3.Error) -> list[T]:
        """In the thread, what failed in the loop for one of the reasons why the thread is there. Raises StoreError."""
        if error_code(error) not in LOCKED | {sqlite3.SQLITE_INTERRUPT}:
            raise store_error(self._path, error) from error
        return await self.long(sql, parameters, make)

    async def long(self, sql: str, parameters: Parameters, make: Callable[..., T]) -> list[T]:
        """In the thread. Raises StoreError."""
        with translated(self._path):
            connection = await self._thread()
            return [make(*row) for row in await connection.execute_fetchall(sql, parameters)]

    async def close(self) -> None:
        async with self._opening:
            self._closed = True
            if self._in_thread is not None:
                await self._in_thread.close()
        self._in_loop.close()

    async def _thread(self) -> "aiosqlite.Connection":
        async with self._opening:
            if self._closed:
                raise StoreError(f"{self._path}: the KV database is closed.")
            if self._in_thread is None:
                self._in_thread = await open_in_thread(lambda: connect_for_reading(self._path, waits=True))
            return self._in_thread

    def _progress(self) -> int:
        # SQLite counts the steps of a statement on over all its runs, so the first call of a read says nothing.
        self._calls += 1
        return int(self._calls > 1)
