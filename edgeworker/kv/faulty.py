"""A store that fails or is slow now and then, by seed: for trying out what a worker does about it."""

import hashlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from edgeworker.clock import Clock
from edgeworker.errors import StoreError
from edgeworker.kv.store import LATER, DataVersion, Entry, EntryStream, KVStore, Later, ListedKey, NamespaceRegistry


@dataclass(frozen=True, slots=True)
class FaultRates:
    """Of all calls, the share `failing` raises StoreError, and the share `slow` takes `delay_seconds` longer.

    Shares are from 0 to 1. The same `seed` gives the same faults for the same calls in the same order.
    """

    failing: float = 0.0
    slow: float = 0.0
    delay_seconds: float = 1.0
    seed: int = 0


class FaultyStore:
    """`faults` may be replaced at any time. Namespaces and sweeping work as ever."""

    def __init__(self, store: KVStore, clock: Clock, faults: FaultRates) -> None:
        self._store = store
        self._clock = clock
        self._calls = 0
        self.faults = faults

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
        await self._trouble("get")
        return await self._store.get(namespace_id, key, now=now)

    async def stream(self, namespace_id: str, key: str, *, now: int) -> EntryStream | None:
        await self._trouble("stream")
        return await self._store.stream(namespace_id, key, now=now)

    async def put(self, namespace_id: str, key: str, entry: Entry) -> None:
        await self._trouble("put")
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
        await self._trouble("put_stream")
        await self._store.put_stream(namespace_id, key, pieces, expires_at=expires_at, metadata=metadata)

    async def put_many(self, namespace_id: str, entries: Sequence[tuple[str, Entry]]) -> None:
        await self._trouble("put_many")
        await self._store.put_many(namespace_id, entries)

    async def delete(self, namespace_id: str, keys: Sequence[str]) -> None:
        await self._trouble("delete")
        await self._store.delete(namespace_id, keys)

    async def list_keys(self, namespace_id: str, *, prefix: str, after: str, limit: int, now: int) -> list[ListedKey]:
        await self._trouble("list_keys")
        return await self._store.list_keys(namespace_id, prefix=prefix, after=after, limit=limit, now=now)

    async def sweep(self, *, now: int, limit: int = 500) -> int:
        return await self._store.sweep(now=now, limit=limit)

    async def close(self) -> None:
        await self._store.close()

    async def _trouble(self, call: str) -> None:
        self._calls += 1
        if self._drawn("slow") < self.faults.slow:
            await self._clock.sleep(self.faults.delay_seconds)
        if self._drawn("failing") < self.faults.failing:
            raise StoreError(f"KV failed on purpose: call {self._calls} ({call}), seed {self.faults.seed}.")

    def _drawn(self, what: str) -> float:
        """From 0 to below 1."""
        drawn = hashlib.blake2b(f"{self.faults.seed} {what} {self._calls}".encode(), digest_size=4).digest()
        return int.from_bytes(drawn) / 2**32
