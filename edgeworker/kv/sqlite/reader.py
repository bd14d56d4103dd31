"""Reads: in the event loop where they are short, else in a thread of their own, each on a connection of its own."""

import asyncio
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from edgeworker.errors import StoreError
from edgeworker.kv.sqlite.connection import LOCKED, connect_for_reading, error_code, store_error, translated
from edgeworker.kv.sqlite.writer import T, Work

# A read in the loop that takes between one and two times so many steps of SQLite's machine (about a millisecond) is
# begun again in the thread; a point read takes a few dozen.
_STEPS_IN_LOOP: Final = 20_000

Row = tuple[bytes, int | None, str | None, int | None]


class Reader:
    """To be used in the thread of the event loop in which it was made."""

    def __init__(self, path: Path) -> None:
        self._path = path
        # What is locked goes to the thread, so this one never waits.
        self._in_loop = connect_for_reading(path, waits=False)
        self._in_loop.set_progress_handler(self._progress, _STEPS_IN_LOOP)
        # One cursor for all point reads: making one for each takes a tenth of the time of a read.
        self._cursor = self._in_loop.cursor()
        self._in_thread: sqlite3.Connection | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="kv-reader")
        self._calls = 0
        self._closed = False

    def row(self, sql: str, parameters: tuple[str, bytes]) -> Row | None:
        """In the loop, at once. Raises sqlite3.Error, with which `again` can be asked."""
        self._calls = 0
        row: Row | None = self._cursor.execute(sql, parameters).fetchone()
        return row

    async def short(self, work: Work[T]) -> T:
        """In the loop, unless the file is locked or it takes long. Raises StoreError."""
        self._calls = 0
        try:
            return work(self._in_loop)
        except sqlite3.Error as error:
            return await self.again(work, error)

    async def again(self, work: Work[T], error: sqlite3.Error) -> T:
        """In the thread, what failed in the loop for one of the reasons why the thread is there. Raises StoreError."""
        if error_code(error) not in LOCKED | {sqlite3.SQLITE_INTERRUPT}:
            raise store_error(self._path, error) from error
        return await self.long(work)

    async def long(self, work: Work[T]) -> T:
        """In the thread. Raises StoreError."""
        if self._closed:
            raise StoreError(f"{self._path}: the KV database is closed.")
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._read, work)

    async def close(self) -> None:
        self._closed = True
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        self._thread.shutdown()
        self._in_loop.close()

    def _progress(self) -> int:
        # SQLite counts the steps of a statement on over all its runs, so the first call of a read says nothing.
        self._calls += 1
        return int(self._calls > 1)

    def _read(self, work: Work[T]) -> T:
        with translated(self._path):
            if self._in_thread is None:
                self._in_thread = connect_for_reading(self._path, waits=True)
            return work(self._in_thread)

    def _close(self) -> None:
        if self._in_thread is not None:
            self._in_thread.close()
