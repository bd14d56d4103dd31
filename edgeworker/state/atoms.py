"""What must happen exactly once: entries that are put if absent, replaced if unchanged, and taken.

The service `edgeworker-atomic` as scripts/atomic/worker.js defines it. Times are epoch milliseconds; an entry is gone
from `expires_at_ms` on.
"""

import asyncio
import os
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, TypeVar

from edgeworker.errors import StoreError
from edgeworker.state.api_tokens import FILE_NAME

T = TypeVar("T")

_BUSY_TIMEOUT_SECONDS: Final = 10.0
_SWEPT_AT_ONCE: Final = 20
_TABLE: Final = """
CREATE TABLE IF NOT EXISTS atoms (
  space TEXT NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  expires_at_ms INTEGER NOT NULL,
  PRIMARY KEY (space, key)
) STRICT
"""
_INDEX: Final = "CREATE INDEX IF NOT EXISTS atoms_by_expiry ON atoms (expires_at_ms)"

_GET: Final = "SELECT value FROM atoms WHERE space = ? AND key = ? AND expires_at_ms > ?"
_PUT_IF_ABSENT: Final = """
INSERT INTO atoms VALUES (?, ?, ?, ?)
ON CONFLICT (space, key) DO UPDATE SET value = excluded.value, expires_at_ms = excluded.expires_at_ms
WHERE atoms.expires_at_ms <= ?
"""
_COMPARE_AND_PUT: Final = """
UPDATE atoms SET value = ?, expires_at_ms = ? WHERE space = ? AND key = ? AND value = ? AND expires_at_ms > ?
"""
_TAKE: Final = "DELETE FROM atoms WHERE space = ? AND key = ? RETURNING value, expires_at_ms"
_SWEEP: Final = "DELETE FROM atoms WHERE rowid IN (SELECT rowid FROM atoms WHERE expires_at_ms <= ? LIMIT ?)"


@dataclass(frozen=True, slots=True)
class Atom:
    """Which entry: `key` within `space`."""

    space: str
    key: str


class Atoms(Protocol):
    """Each call happens as a whole, before or after every other one. All raise StoreError where they cannot happen."""

    async def get(self, atom: Atom, *, now_ms: int) -> str | None: ...

    async def put_if_absent(self, atom: Atom, value: str, *, now_ms: int, expires_at_ms: int) -> bool:
        """Whether it was absent."""
        ...

    async def compare_and_put(self, atom: Atom, expected: str, value: str, *, now_ms: int, expires_at_ms: int) -> bool:
        """Whether the value was `expected`."""
        ...

    async def take(self, atom: Atom, *, now_ms: int) -> str | None:
        """The value, which is then gone."""
        ...

    async def close(self) -> None: ...


class MemoryAtoms:
    """For one process, as long as it lasts."""

    def __init__(self) -> None:
        self._entries: dict[Atom, tuple[str, int]] = {}

    async def get(self, atom: Atom, *, now_ms: int) -> str | None:
        entry = self._entries.get(atom)
        return None if entry is None or entry[1] <= now_ms else entry[0]

    async def put_if_absent(self, atom: Atom, value: str, *, now_ms: int, expires_at_ms: int) -> bool:
        if await self.get(atom, now_ms=now_ms) is not None:
            return False
        self._sweep(now_ms)
        self._entries[atom] = (value, expires_at_ms)
        return True

    async def compare_and_put(self, atom: Atom, expected: str, value: str, *, now_ms: int, expires_at_ms: int) -> bool:
        if await self.get(atom, now_ms=now_ms) != expected:
            return False
        self._entries[atom] = (value, expires_at_ms)
        return True

    async def take(self, atom: Atom, *, now_ms: int) -> str | None:
        found = await self.get(atom, now_ms=now_ms)
        self._entries.pop(atom, None)
        return found

    async def close(self) -> None:
        self._entries.clear()

    def _sweep(self, now_ms: int) -> None:
        """The oldest entries, as far as they have expired: most entries of one use live equally long."""
        for atom in list(self._entries)[:_SWEPT_AT_ONCE]:
            if self._entries[atom][1] <= now_ms:
                del self._entries[atom]


class SQLiteAtoms:
    """In `state.sqlite` of a data directory; exact between processes, because each call is one SQLite statement.

    A call that was answered survives a power cut: else a code that was used could be used again after one. The file is
    opened at the first call, in a thread of its own that does all the work.
    """

    def __init__(self, directory: Path) -> None:
        self._path = directory / FILE_NAME
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="atoms")
        self._connection: sqlite3.Connection | None = None

    async def get(self, atom: Atom, *, now_ms: int) -> str | None:
        def read(connection: sqlite3.Connection) -> str | None:
            row = connection.execute(_GET, (atom.space, atom.key, now_ms)).fetchone()
            return None if row is None else str(row[0])

        return await self._run(read)

    async def put_if_absent(self, atom: Atom, value: str, *, now_ms: int, expires_at_ms: int) -> bool:
        def put(connection: sqlite3.Connection) -> bool:
            row = (atom.space, atom.key, value, expires_at_ms, now_ms)
            done = connection.execute(_PUT_IF_ABSENT, row).rowcount == 1
            if done:
                connection.execute(_SWEEP, (now_ms, _SWEPT_AT_ONCE))
            return done

        return await self._run(put)

    async def compare_and_put(self, atom: Atom, expected: str, value: str, *, now_ms: int, expires_at_ms: int) -> bool:
        def put(connection: sqlite3.Connection) -> bool:
            row = (value, expires_at_ms, atom.space, atom.key, expected, now_ms)
            return connection.execute(_COMPARE_AND_PUT, row).rowcount == 1

        return await self._run(put)

    async def take(self, atom: Atom, *, now_ms: int) -> str | None:
        def take(connection: sqlite3.Connection) -> str | None:
            rows = connection.execute(_TAKE, (atom.space, atom.key)).fetchall()
            return str(rows[0][0]) if rows and rows[0][1] > now_ms else None

        return await self._run(take)

    async def close(self) -> None:
        # By hand and not with run_in_executor, so that it also works where no loop runs any more.
        self._thread.submit(self._close).result()
        self._thread.shutdown()

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    async def _run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        def run() -> T:
            try:
                return work(self._opened())
            except (sqlite3.Error, OSError) as error:
                raise StoreError(f"{self._path}: {error}") from error

        return await asyncio.get_running_loop().run_in_executor(self._thread, run)

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # SQLite gives its own files the rights of the database, so these are the rights of all of them.
            os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
            # Without transactions of Python's: each statement is one, and takes the write lock as its first step.
            connection = sqlite3.connect(self._path, timeout=_BUSY_TIMEOUT_SECONDS, isolation_level=None)
            try:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = FULL")
                connection.execute(_TABLE)
                connection.execute(_INDEX)
            except sqlite3.Error:
                connection.close()
                raise
            self._connection = connection
        return self._connection
