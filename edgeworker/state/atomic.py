"""What must happen exactly once: entries that are put if absent, replaced if unchanged, and taken.

The service `edgeworker-atomic` as scripts/atomic/worker.js defines it. Times are epoch milliseconds; an entry is gone
from `expires_at_ms` on.
"""

from dataclasses import dataclass
from typing import Final, Protocol

from edgeworker.state.database import StateDatabase

_SWEPT_AT_ONCE: Final = 20

_GET: Final = "SELECT value FROM atoms WHERE space = ? AND key = ? AND expires_at_ms > ?"
_PUT_IF_ABSENT: Final = """
INSERT INTO atoms VALUES (?, ?, ?, ?)
ON CONFLICT (space, key) DO UPDATE SET value = excluded.value, expires_at_ms = excluded.expires_at_ms
WHERE atoms.expires_at_ms <= ?
RETURNING 1
"""
_COMPARE_AND_PUT: Final = """
UPDATE atoms SET value = ?, expires_at_ms = ? WHERE space = ? AND key = ? AND value = ? AND expires_at_ms > ?
RETURNING 1
"""
_TAKE: Final = "DELETE FROM atoms WHERE space = ? AND key = ? RETURNING value, expires_at_ms"
_SWEEP: Final = "DELETE FROM atoms WHERE rowid IN (SELECT rowid FROM atoms WHERE expires_at_ms <= ? LIMIT ?)"


@dataclass(frozen=True, slots=True)
class AtomicKey:
    """Which entry: `key` within `space`."""

    space: str
    key: str


class AtomicStore(Protocol):
    """Each call happens as a whole, before or after every other one. All raise StoreError if they cannot happen."""

    async def get(self, key: AtomicKey, *, now_ms: int) -> str | None: ...

    async def put_if_absent(self, key: AtomicKey, value: str, *, now_ms: int, expires_at_ms: int) -> bool:
        """Whether it was absent."""
        ...

    async def compare_and_put(
        self, key: AtomicKey, expected: str, value: str, *, now_ms: int, expires_at_ms: int
    ) -> bool:
        """Whether the value was `expected`."""
        ...

    async def take(self, key: AtomicKey, *, now_ms: int) -> str | None:
        """The value, which is then gone."""
        ...


class MemoryAtomicStore:
    """For one process, as long as it lasts."""

    def __init__(self) -> None:
        self._entries: dict[AtomicKey, tuple[str, int]] = {}

    async def get(self, key: AtomicKey, *, now_ms: int) -> str | None:
        entry = self._entries.get(key)
        return None if entry is None or entry[1] <= now_ms else entry[0]

    async def put_if_absent(self, key: AtomicKey, value: str, *, now_ms: int, expires_at_ms: int) -> bool:
        if await self.get(key, now_ms=now_ms) is not None:
            return False
        # The oldest entries, if they have expired: most entries of one use live equally long.
        for old in list(self._entries)[:_SWEPT_AT_ONCE]:
            if self._entries[old][1] <= now_ms:
                del self._entries[old]
        self._entries[key] = (value, expires_at_ms)
        return True

    async def compare_and_put(
        self, key: AtomicKey, expected: str, value: str, *, now_ms: int, expires_at_ms: int
    ) -> bool:
        if await self.get(key, now_ms=now_ms) != expected:
            return False
        self._entries[key] = (value, expires_at_ms)
        return True

    async def take(self, key: AtomicKey, *, now_ms: int) -> str | None:
        value = await self.get(key, now_ms=now_ms)
        self._entries.pop(key, None)
        return value


class SQLiteAtomicStore:
    """In `state.sqlite`; exact between processes, because each call is one SQLite statement.

    A call that was answered survives a power cut: else a code that was used could be used again after one.
    """

    def __init__(self, database: StateDatabase) -> None:
        self._database = database

    async def get(self, key: AtomicKey, *, now_ms: int) -> str | None:
        rows = await self._database.read(_GET, (key.space, key.key, now_ms))
        return str(rows[0][0]) if rows else None

    async def put_if_absent(self, key: AtomicKey, value: str, *, now_ms: int, expires_at_ms: int) -> bool:
        row = (key.space, key.key, value, expires_at_ms, now_ms)
        done = bool(await self._database.write(_PUT_IF_ABSENT, row))
        if done:
            await self._database.write(_SWEEP, (now_ms, _SWEPT_AT_ONCE))
        return done

    async def compare_and_put(
        self, key: AtomicKey, expected: str, value: str, *, now_ms: int, expires_at_ms: int
    ) -> bool:
        row = (value, expires_at_ms, key.space, key.key, expected, now_ms)
        return bool(await self._database.write(_COMPARE_AND_PUT, row))

    async def take(self, key: AtomicKey, *, now_ms: int) -> str | None:
        rows = await self._database.write(_TAKE, (key.space, key.key))
        return next((str(value) for value, expires_at_ms in rows if int(expires_at_ms or 0) > now_ms), None)
