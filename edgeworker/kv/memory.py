"""A store in memory: for tests, and the model that the other stores are compared with."""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import replace

from edgeworker.config import Namespace
from edgeworker.kv import rules
from edgeworker.kv.store import DataVersion, Entry, EntryStream, Later, ListedKey, NamespaceRegistry

PIECE_BYTES = 64 * 1024


class MemoryStore:
    """Nothing survives the process."""

    def __init__(self) -> None:
        self._entries: dict[str, dict[str, Entry]] = {}
        self._namespaces = _MemoryNamespaces(self._entries)

    @property
    def namespaces(self) -> NamespaceRegistry:
        return self._namespaces

    def peek(self, namespace_id: str, key: str, *, now: int) -> bytes | Later | None:
        entry = self._entries.get(namespace_id, {}).get(key)
        return None if entry is None or _is_expired(entry, now) else entry.value

    def peek_entry(self, namespace_id: str, key: str, *, now: int) -> Entry | Later | None:
        entry = self._entries.get(namespace_id, {}).get(key)
        return None if entry is None or _is_expired(entry, now) else entry

    def data_version(self) -> DataVersion | None:
        return None

    async def get(self, namespace_id: str, key: str, *, now: int) -> Entry | None:
        entry = self._entries.get(namespace_id, {}).get(key)
        return None if entry is None or _is_expired(entry, now) else entry

    async def stream(self, namespace_id: str, key: str, *, now: int) -> EntryStream | None:
        entry = await self.get(namespace_id, key, now=now)
        if entry is None:
            return None
        return EntryStream(len(entry.value), _pieces(entry.value), entry.expires_at, entry.metadata)

    async def put(self, namespace_id: str, key: str, entry: Entry) -> None:
        self._ensure_namespace(namespace_id)[key] = entry

    async def put_stream(
        self,
        namespace_id: str,
        key: str,
        pieces: AsyncIterator[bytes],
        *,
        expires_at: int | None = None,
        metadata: str | None = None,
    ) -> None:
        value = b"".join([piece async for piece in pieces])
        self._ensure_namespace(namespace_id)[key] = Entry(value, expires_at, metadata)

    async def put_many(self, namespace_id: str, entries: Sequence[tuple[str, Entry]]) -> None:
        if entries:
            self._ensure_namespace(namespace_id).update(entries)

    async def delete(self, namespace_id: str, keys: Sequence[str]) -> None:
        entries = self._entries.get(namespace_id, {})
        for key in keys:
            entries.pop(key, None)

    async def list_keys(self, namespace_id: str, *, prefix: str, after: str, limit: int, now: int) -> list[ListedKey]:
        found = sorted(
            (key.encode(), entry)
            for key, entry in self._entries.get(namespace_id, {}).items()
            if key.startswith(prefix) and key.encode() > after.encode() and not _is_expired(entry, now)
        )
        return [ListedKey(key.decode(), entry.expires_at, entry.metadata) for key, entry in found[:limit]]

    async def sweep(self, *, now: int, limit: int = 500) -> int:
        expired = [
            (entries, key)
            for entries in self._entries.values()
            for key, entry in entries.items()
            if _is_expired(entry, now)
        ]
        for entries, key in expired[:limit]:
            del entries[key]
        return min(len(expired), limit)

    async def close(self) -> None:
        self._entries.clear()

    def _ensure_namespace(self, namespace_id: str) -> dict[str, Entry]:
        self._namespaces.ensure_namespace(namespace_id)
        return self._entries.setdefault(namespace_id, {})


class _MemoryNamespaces:
    def __init__(self, entries: dict[str, dict[str, Entry]]) -> None:
        self._entries = entries
        self._by_id: dict[str, Namespace] = {}

    async def all(self) -> list[Namespace]:
        return list(self._by_id.values())

    async def get(self, namespace_id: str) -> Namespace | None:
        return self._by_id.get(namespace_id)

    async def create(self, namespace: Namespace) -> None:
        if namespace.id in self._by_id:
            raise rules.title_taken()
        self._check_title(namespace)
        self._by_id[namespace.id] = namespace

    async def register(self, namespaces: Iterable[Namespace]) -> None:
        for namespace in namespaces:
            self._by_id.setdefault(namespace.id, namespace)

    async def rename(self, namespace_id: str, title: str) -> None:
        if namespace_id not in self._by_id:
            raise rules.namespace_not_found()
        renamed = replace(self._by_id[namespace_id], title=title)
        self._check_title(renamed)
        self._by_id[namespace_id] = renamed

    async def delete(self, namespace_id: str) -> None:
        if self._by_id.pop(namespace_id, None) is None:
            raise rules.namespace_not_found()
        self._entries.pop(namespace_id, None)

    def ensure_namespace(self, namespace_id: str) -> None:
        if namespace_id not in self._by_id:
            self._by_id[namespace_id] = Namespace(namespace_id, namespace_id)

    def _check_title(self, wanted: Namespace) -> None:
        if any(other.title == wanted.title and other.id != wanted.id for other in self._by_id.values()):
            raise rules.title_taken()


def _is_expired(entry: Entry, now: int) -> bool:
    return entry.expires_at is not None and entry.expires_at <= now


async def _pieces(value: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(value), PIECE_BYTES):
        yield value[start : start + PIECE_BYTES]
