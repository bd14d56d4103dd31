"""Where cached answers are kept: what is asked for and found, and what every store can do."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Final, Protocol

from edgeworker.cache.rules import varies_by
from edgeworker.messages import Headers

# What one answer may be on Cloudflare: https://developers.cloudflare.com/workers/platform/limits/#cache-api-limits
MAX_ENTRY_BYTES: Final = 512 * 1024 * 1024
# For one URL, the oldest given up first: each look-up compares a request with all of them.
MAX_VARIANTS: Final = 64
ENTRY_BYTES: Final = 1024  # what an entry without content is counted as

Selecting = tuple[tuple[str, str | None], ...]  # the fields of the request that the answer varies by


@dataclass(frozen=True, slots=True)
class CachedHead:
    """An answer without its content. Times are epoch seconds. `encoding` is what a reader has to undo."""

    status: int
    headers: Headers
    kept_at: int
    expires_at: int
    encoding: str | None = None


@dataclass(frozen=True, slots=True)
class CachedResponse:
    """`length` is in bytes. `read(start, end)` gives those bytes, in pieces; it may be called again. `content` is
    all of it where it is there already."""

    head: CachedHead
    length: int
    read: Callable[[int, int], AsyncIterator[bytes]]
    content: bytes | None = None


class CacheStore(Protocol):
    """`cache` is the name of one of many caches. No method raises for what goes wrong with the store itself: what
    cannot be kept is not kept, what cannot be read is not there, and the log says why."""

    async def find(self, cache: str, url: str, request: Headers, *, now: int) -> CachedResponse | None:
        """What was kept for requests with these fields and has not expired."""
        ...

    async def put(
        self, cache: str, url: str, request: Headers, head: CachedHead, content: AsyncIterator[bytes]
    ) -> None:
        """Reads the content to its end, or to where it is too large. What reading raises is raised."""
        ...

    async def delete(self, cache: str, url: str, *, now: int) -> bool:
        """Every form of it. Whether there was something that had not expired."""
        ...

    async def close(self) -> None: ...


def selecting(head: CachedHead, request: Headers) -> Selecting:
    return tuple((name, request.get(name)) for name in varies_by(head.headers))


def suits(fields: Selecting, request: Headers) -> bool:
    return all(request.get(name) == value for name, value in fields)
