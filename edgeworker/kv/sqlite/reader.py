"""Reads that may take long, in a thread of their own and on a connection of their own."""

import asyncio
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from edgeworker.kv.sqlite.connection import connect_for_reading, translated
from edgeworker.kv.sqlite.writer import T, Work


class Reader:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="kv-reader")

    async def run(self, work: Work[T]) -> T:
        """Raises StoreError."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._read, work)

    async def close(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        self._thread.shutdown()

    def _read(self, work: Work[T]) -> T:
        with translated(self._path):
            if self._connection is None:
                self._connection = connect_for_reading(self._path, waits=True)
            return work(self._connection)

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
