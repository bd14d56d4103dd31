"""Cached answers in memory, the least recently used ones given up first."""

from collections import OrderedDict
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from edgeworker.cache.store import ENTRY_BYTES, MAX_VARIANTS, CachedHead, CachedResponse, Selecting, selecting, suits
from edgeworker.messages import Headers

MAX_BYTES: Final = 64 * 1024 * 1024
MAX_ENTRY_BYTES: Final = 8 * 1024 * 1024
_Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _StoredEntry:
    """A cached answer with its body."""

    head: CachedHead
    content: bytes

    @property
    def size(self) -> int:
        return len(self.content) + ENTRY_BYTES

    async def read(self, start: int, end: int) -> AsyncIterator[bytes]:
        if part := self.content[start:end]:
            yield part


class MemoryCache:
    """A CacheStore for one process, as long as it lasts."""

    def __init__(self, *, max_bytes: int = MAX_BYTES, max_entry_bytes: int = MAX_ENTRY_BYTES) -> None:
        self._max_bytes = max_bytes
        self._max_entry_bytes = min(max_entry_bytes, max_bytes - ENTRY_BYTES)
        self._size = 0
        self._entries: OrderedDict[_Key, dict[Selecting, _StoredEntry]] = OrderedDict()

    async def find(self, cache: str, url: str, request: Headers, *, now: int) -> CachedResponse | None:
        key = (cache, url)
        for fields, kept in list(self._entries.get(key, {}).items()):
            if kept.head.expires_at <= now:
                self._drop(key, fields)
            elif suits(fields, request):
                self._entries.move_to_end(key)
                return CachedResponse(kept.head, len(kept.content), kept.read, kept.content)
        return None

    async def put(
        self, cache: str, url: str, request: Headers, head: CachedHead, content: AsyncIterator[bytes]
    ) -> None:
        pieces: list[bytes] = []
        length = 0
        async for piece in content:
            length += len(piece)
            if length > self._max_entry_bytes:
                return
            pieces.append(piece)
        key, fields = (cache, url), selecting(head, request)
        self._drop(key, fields)
        variants = self._entries.setdefault(key, {})
        if len(variants) >= MAX_VARIANTS:
            self._size -= variants.pop(next(iter(variants))).size
        kept = variants[fields] = _StoredEntry(head, b"".join(pieces))
        self._entries.move_to_end(key)
        self._size += kept.size
        while self._size > self._max_bytes:
            oldest = next(iter(self._entries))
            self._drop(oldest, next(iter(self._entries[oldest])))

    async def delete(self, cache: str, url: str, *, now: int) -> bool:
        key = (cache, url)
        found = list(self._entries.get(key, {}).items())
        for fields, _ in found:
            self._drop(key, fields)
        return any(kept.head.expires_at > now for _, kept in found)

    async def close(self) -> None:
        """Nothing is open."""

    def _drop(self, key: _Key, fields: Selecting) -> None:
        entries = self._entries.get(key, {})
        kept = entries.pop(fields, None)
        if kept is not None:
            self._size -= kept.size
        if not entries:
            self._entries.pop(key, None)
