"""Eventual consistency as an edge deployment shows it: a write is seen where it was made, and elsewhere later.

Cloudflare tells: a write is visible at once where it was made and elsewhere after up to 60 seconds, and that a key is
missing is remembered too. Source: https://developers.cloudflare.com/kv/concepts/how-kv-works/#consistency
"""

import hashlib
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from edgeworker.clock import Clock
from edgeworker.kv.store import LATER, DataVersion, Entry, EntryStream, KVStore, Later, ListedKey, NamespaceRegistry
from edgeworker.messages.body import one_piece

_Name = tuple[str, str]  # namespace id, key

# How many keys a location has an older answer for before it looks which of those are out of date.
_TIDY_AFTER: Final = 1000


@dataclass(frozen=True, slots=True)
class _Before:
    """What was there before a write that is seen from the second `until` on; None: the key was missing."""

    entry: Entry | None
    until: int


class EventualStores:
    """The same entries seen from several locations: what `at("api")` writes, `at("edge")` sees later.

    The delay of a write, 1 to `delay_seconds` (0: none), is drawn from `seed`, its namespace and how many writes the
    namespace has had, so that a test can be repeated even where its keys are random, as tokens are. What was there
    before is held in memory for so long. The locations belong to this process: another process's writes are seen at
    once.
    """

    def __init__(self, store: KVStore, clock: Clock, *, seed: int, delay_seconds: int) -> None:
        self._store = store
        self._clock = clock
        self._seed = seed
        self._delay_seconds = delay_seconds
        self._locations: dict[str, EventualStore] = {}
        self._writes: Counter[str] = Counter()  # by namespace id

    def at(self, location: str) -> "EventualStore":
        """The same object for the same name."""
        if location not in self._locations:
            self._locations[location] = EventualStore(self, self._store, missing_seconds=self._delay_seconds)
        return self._locations[location]

    async def hide(self, namespace_id: str, keys: Iterable[str], *, writer: "EventualStore") -> None:
        """To be called before a write: the other locations go on with what is there now."""
        now = self._clock.now()
        for key in keys:
            name = (namespace_id, key)
            writer.forget(name)
            delay_seconds = self._draw_delay(namespace_id)
            before = _Before(await self._store.get(namespace_id, key, now=now), now + delay_seconds)
            for location in self._locations.values():
                if location is not writer:
                    location.keep(name, before, now=now)

    def _draw_delay(self, namespace_id: str) -> int:
        if not self._delay_seconds:
            return 0
        self._writes[namespace_id] += 1
        write = (self._seed, namespace_id, self._writes[namespace_id])
        drawn = hashlib.blake2b(repr(write).encode(), digest_size=8).digest()
        return 1 + int.from_bytes(drawn) % self._delay_seconds


class EventualStore:
    """The store as one location sees it. Made by `EventualStores.at`."""

    def __init__(self, stores: EventualStores, store: KVStore, *, missing_seconds: int) -> None:
        """`missing_seconds` is how long it is remembered that a key is missing."""
        self._stores = stores
        self._store = store
        self._missing_seconds = missing_seconds
        self._missing: dict[_Name, int] = {}
        self._before: dict[_Name, list[_Before]] = {}  # in the order of the writes

    @property
    def namespaces(self) -> NamespaceRegistry:
        return self._store.namespaces

    def peek(self, namespace_id: str, key: str, *, now: int) -> bytes | Later | None:
        return LATER

    def peek_entry(self, namespace_id: str, key: str, *, now: int) -> Entry | Later | None:
        return LATER

    def data_version(self) -> DataVersion | None:
        return None

    async def get(self, namespace_id: str, key: str, *, now: int) -> Entry | None:
        older = self._older((namespace_id, key), now)
        if older is not None:
            return older.entry
        entry = await self._store.get(namespace_id, key, now=now)
        self._remember_missing((namespace_id, key), entry is None, now)
        return entry

    async def stream(self, namespace_id: str, key: str, *, now: int) -> EntryStream | None:
        older = self._older((namespace_id, key), now)
        if older is not None:
            entry = older.entry
            if entry is None:
                return None
            return EntryStream(len(entry.value), one_piece(entry.value), entry.expires_at, entry.metadata)
        found = await self._store.stream(namespace_id, key, now=now)
        self._remember_missing((namespace_id, key), found is None, now)
        return found

    async def put(self, namespace_id: str, key: str, entry: Entry) -> None:
        await self._stores.hide(namespace_id, [key], writer=self)
        await self._store.put(namespace_id, key, entry)

    async def put_stream(
        self,
        namespace_id: str,
        key: str,
        pieces: AsyncIterator[bytes],
        *,
        expires_at: int | None = None,
        metadata: str | None = None,
    ) -> None:
        await self._stores.hide(namespace_id, [key], writer=self)
        await self._store.put_stream(namespace_id, key, pieces, expires_at=expires_at, metadata=metadata)

    async def put_many(self, namespace_id: str, entries: Sequence[tuple[str, Entry]]) -> None:
        await self._stores.hide(namespace_id, dict(entries), writer=self)
        await self._store.put_many(namespace_id, entries)

    async def delete(self, namespace_id: str, keys: Sequence[str]) -> None:
        await self._stores.hide(namespace_id, dict.fromkeys(keys), writer=self)
        await self._store.delete(namespace_id, keys)

    async def list_keys(self, namespace_id: str, *, prefix: str, after: str, limit: int, now: int) -> list[ListedKey]:
        older: dict[str, _Before] = {}
        for owner, key in [*self._before, *self._missing]:
            if owner == namespace_id and key.startswith(prefix) and key.encode() > after.encode():
                answer = self._older((owner, key), now)
                if answer is not None:
                    older[key] = answer
        # As many more as may have to be left out.
        wanted = limit + len(older)
        listed = await self._store.list_keys(namespace_id, prefix=prefix, after=after, limit=wanted, now=now)
        seen = [key for key in listed if key.name not in older]
        for name, before in older.items():
            if before.entry is not None:
                seen.append(ListedKey(name, before.entry.expires_at, before.entry.metadata))
        return sorted(seen, key=lambda key: key.name.encode())[:limit]

    async def sweep(self, *, now: int, limit: int = 500) -> int:
        return await self._store.sweep(now=now, limit=limit)

    async def close(self) -> None:
        await self._store.close()

    def forget(self, name: _Name) -> None:
        """This location writes the key itself, and sees its own writes."""
        self._before.pop(name, None)
        self._missing.pop(name, None)

    def keep(self, name: _Name, before: _Before, *, now: int) -> None:
        """Another location is about to write the key."""
        if len(self._before) >= _TIDY_AFTER:
            self._before = {key: writes for key, writes in self._before.items() if writes[-1].until > now}
        self._before.setdefault(name, []).append(before)

    def _older(self, name: _Name, now: int) -> _Before | None:
        """What is answered here instead of what the store has, if that is so."""
        if self._missing.get(name, now) > now:
            return _Before(None, self._missing[name])
        writes = self._before.get(name, ())
        # The last write that has arrived decides; what is there after it is what was there before the next one.
        arrived = max((place for place, write in enumerate(writes) if write.until <= now), default=-1)
        if arrived == len(writes) - 1:
            self._before.pop(name, None)
            return None
        before = writes[arrived + 1]
        return before if _alive(before.entry, now) else _Before(None, before.until)

    def _remember_missing(self, name: _Name, missing: bool, now: int) -> None:
        if missing:
            if len(self._missing) >= _TIDY_AFTER:
                self._missing = {key: until for key, until in self._missing.items() if until > now}
            self._missing[name] = now + self._missing_seconds


def _alive(entry: Entry | None, now: int) -> bool:
    """Expiry always wins over what is remembered."""
    return entry is not None and (entry.expires_at is None or entry.expires_at > now)
