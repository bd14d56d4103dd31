"""The one thread of this process that writes: writes that wait at the same time share a transaction.

A shared transaction costs one wait for the disk instead of many, which is what makes "full" durability affordable.
No caller is answered before the commit has returned.
"""

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, Generic, Protocol, TypeVar

from edgeworker.errors import StoreError
from edgeworker.kv.sqlite.connection import begin, store_error
from edgeworker.sqlite_changes import ChangeTeller

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]

_Identity = tuple[int, int]  # device and inode

# Bounds how long the first of a batch waits for the last.
_MAX_BATCH: Final = 512


class Writer:
    """Owns `connection` from now on and closes it."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path
        self._log = path.with_name(f"{path.name}-wal")
        # Which files on the disk this connection writes to; the log is there from the first write on.
        self._file_identity = _identity(path)
        self._log_identity: _Identity | None = None
        self._teller = ChangeTeller(path)
        self._jobs: queue.SimpleQueue[_Pending | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._closed = False

    async def run(self, work: Work[T]) -> T:
        """Runs `work` in a transaction and returns its result once that is committed.

        `work` runs again in another transaction if another write of its transaction raised; it must only write to the
        database. What it raises reaches the caller, SQLite's errors as StoreError.
        """
        if self._closed:
            raise StoreError(f"{self._path}: the KV database is closed.")
        loop = asyncio.get_running_loop()
        if self._thread is None:
            # Not before the first write: a store that is only read needs no thread.
            self._thread = threading.Thread(target=self._write, args=(loop,), name="kv-writer", daemon=True)
            self._thread.start()
        future: asyncio.Future[T] = loop.create_future()
        self._jobs.put(_Job(work, future))
        return await future

    async def close(self) -> None:
        """Writes what waits, then closes the connection. Not to be called twice."""
        self._closed = True
        if self._thread is None:
            self._connection.close()
        else:
            self._jobs.put(None)
            await asyncio.get_running_loop().run_in_executor(None, self._thread.join)
        self._teller.close()

    def _write(self, loop: asyncio.AbstractEventLoop) -> None:
        is_open = True
        while is_open:
            batch: list[_Pending] = []
            job = self._jobs.get()
            while job is not None:
                batch.append(job)
                if len(batch) == _MAX_BATCH or self._jobs.empty():
                    break
                job = self._jobs.get()
            is_open = job is not None
            self._commit(batch)
            loop.call_soon_threadsafe(_settle, batch)
        self._connection.close()

    def _commit(self, batch: list["_Pending"]) -> None:
        """One transaction; a job that raises is left out and the others begin again."""
        waiting = batch
        while waiting:
            job: _Pending | None = None
            try:
                begin(self._connection)
                for job in waiting:
                    job.execute(self._connection)
                self._connection.execute("COMMIT")
            except sqlite3.Error as error:
                # The storage is in trouble, not one job: none of them is stored.
                self._roll_back()
                for job in waiting:
                    job.error = store_error(self._path, error)
                return
            except BaseException as error:  # noqa: BLE001  # it is raised again where the job was given
                self._roll_back()
                assert job is not None
                job.error = error
                waiting = [other for other in waiting if other is not job]
            else:
                self._teller.tell()
                misplaced = self._misplaced()
                if misplaced is not None:
                    for job in waiting:
                        job.error = misplaced
                return

    def _misplaced(self) -> StoreError | None:
        """Files that were removed or replaced take writes as ever, and end with the process: none is acknowledged."""
        if self._log_identity is None:
            self._log_identity = _identity(self._log)
        for path, ours in ((self._path, self._file_identity), (self._log, self._log_identity)):
            if ours is None or _identity(path) != ours:
                return StoreError(
                    f"{path}: was removed or replaced while the KV database was in use, so what is written would be "
                    "lost; restart what runs on it, or restore a backup first."
                )
        return None

    def _roll_back(self) -> None:
        # SQLite may have rolled back already, as when the disk is full. Where it cannot, the next `begin` fails,
        # and so does every write after it.
        with suppress(sqlite3.Error):
            self._connection.rollback()


def _identity(path: Path) -> _Identity | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


class _Pending(Protocol):
    """A job whose type of result does not matter."""

    error: BaseException | None

    def execute(self, connection: sqlite3.Connection) -> None: ...

    def settle(self) -> None: ...


class _Job(Generic[T]):
    __slots__ = ("_results", "_work", "error", "future")

    def __init__(self, work: Work[T], future: "asyncio.Future[T]") -> None:
        self._work = work
        self._results: list[T] = []
        self.future = future
        self.error: BaseException | None = None

    def execute(self, connection: sqlite3.Connection) -> None:
        self._results = [self._work(connection)]

    def settle(self) -> None:
        if self.future.done():  # the caller was cancelled
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self._results[0])


def _settle(batch: list[_Pending]) -> None:
    for job in batch:
        job.settle()
