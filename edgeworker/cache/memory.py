"""Cached answers in memory, the least recently used ones given up first."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from edgeworker.cache.rules import varies_by
from edgeworker.messages import Headers

MAX_BYTES: Final = 64 * 1024 * 1024
MAX_ENTRY_BYTES: Final = 8 * 1024 * 1024
# For one URL, the oldest given up first: each look-up compares a request with all of them.
MAX_VARIANTS: Final = 64
_ENTRY_BYTES: Final = 1024  # what an entry without content is counted as


@dataclass(frozen=True, slots=True)
class Cached:
    """`kept_at` and `expires_at` are epoch seconds. `encoding` is what a reader has to undo."""

    status: int
    headers: Headers
    content: bytes
    kept_at: int
    expires_at: int
    encoding: str | None = None

    @property
    def size(self) -> int:
        return len(self.content) + _ENTRY_BYTES


_Selecting = tuple[tuple[str, str | None], ...]  # the fields of the request that the answer varies by
_Key = tuple[str, str]


class MemoryCache:
    """Every cache of one process: a URL in it has one answer for each choice of the fields that it varies by."""

    def __init__(self, *, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._size = 0
        self._entries: OrderedDict[_Key, dict[_Selecting, Cached]] = OrderedDict()

    def get(self, cache: str, url: str, request: Headers, *, now: int) -> Cached | None:
        key = (cache, url)
        for selecting, entry in list(self._entries.get(key, {}).items()):
            if entry.expires_at <= now:
                self._drop(key, selecting)
            elif all(request.get(name) == value for name, value in selecting):
                self._entries.move_to_end(key)
                return entry
        return None

    def put(self, cache: str, url: str, request: Headers, entry: Cached) -> None:
        """`entry` is at most MAX_ENTRY_BYTES long."""
        key = (cache, url)
        selecting = tuple((name, request.get(name)) for name in varies_by(entry.headers))
        self._drop(key, selecting)
        variants = self._entries.setdefault(key, {})
        if len(variants) >= MAX_VARIANTS:
            oldest_variant = next(iter(variants))
            self._size -= variants.pop(oldest_variant).size
        variants[selecting] = entry
        self._entries.move_to_end(key)
        self._size += entry.size
        while self._size > self._max_bytes:
            oldest = next(iter(self._entries))
            self._drop(oldest, next(iter(self._entries[oldest])))

    def delete(self, cache: str, url: str, *, now: int) -> bool:
        """Whether there was something that had not expired."""
        key = (cache, url)
        found = list(self._entries.get(key, {}).items())
        for selecting, _ in found:
            self._drop(key, selecting)
        return any(entry.expires_at > now for _, entry in found)

    def _drop(self, key: _Key, selecting: _Selecting) -> None:
        entries = self._entries.get(key, {})
        entry = entries.pop(selecting, None)
        if entry is not None:
            self._size -= entry.size
        if not entries:
            self._entries.pop(key, None)
