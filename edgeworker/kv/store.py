"""What a place that keeps KV entries can do. Stores know no rules of KV; the rules know no store."""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, Protocol

from edgeworker.config import Namespace


class Later(Enum):
    LATER = "only `get` can tell"


LATER: Final = Later.LATER
DataVersion = tuple[bytes, int]


@dataclass(frozen=True, slots=True)
class Entry:
    """`expires_at` is the first epoch second at which the entry is gone; `metadata` is JSON text."""

    value: bytes = field(repr=False)
    expires_at: int | None = None
    metadata: str | None = None


@dataclass(frozen=True, slots=True)
class EntryStream:
    """An entry whose value comes in pieces, read as they are asked for. `size` is the whole value's, in bytes.

    The pieces are those of one write, also when the key is written again meanwhile.
    """

    size: int
    pieces: AsyncIterator[bytes]
    expires_at: int | None = None
    metadata: str | None = None


@dataclass(frozen=True, slots=True)
class ListedKey:
    """`metadata` is JSON text."""

    name: str
    expires_at: int | None = None
    metadata: str | None = None


class NamespaceRegistry(Protocol):
    """The namespaces of a store, by id. Titles are unique among those that are created or renamed here."""

    async def all(self) -> list[Namespace]:
        """In the order of creation."""
        ...

    async def get(self, namespace_id: str) -> Namespace | None: ...

    async def create(self, namespace: Namespace) -> None:
        """Raises KVError ("title taken") when another one has that title or id."""
        ...

    async def register(self, namespaces: Iterable[Namespace]) -> None:
        """Creates those whose id is not there yet and leaves the others as they are. For what a configuration names."""
        ...

    async def rename(self, namespace_id: str, title: str) -> None:
        """Raises KVError ("namespace not found", "title taken")."""
        ...

    async def delete(self, namespace_id: str) -> None:
        """With all its entries. Raises KVError ("namespace not found")."""
        ...


class KVStore(Protocol):
    """Entries by namespace and key. Every method raises StoreError if the storage cannot be read or written.

    A write is acknowledged by returning; what raised may be repeated. An entry whose `expires_at` is at or before `now`
    is not there. The first write to a namespace that was never created makes it, with its id as title.
    """

    @property
    def namespaces(self) -> NamespaceRegistry: ...

    def peek(self, namespace_id: str, key: str, *, now: int) -> bytes | Later | None:
        """The value that `get` would find, where that takes no waiting, else LATER; never raises StoreError.

        A coroutine and an Entry cost as much as the read itself, which is why there is this way around them.
        """
        ...

    def peek_entry(self, namespace_id: str, key: str, *, now: int) -> Entry | Later | None:
        """As `peek`, with the metadata."""
        ...

    def data_version(self) -> DataVersion | None:
        """Another one after each write of any process, as soon as that was acknowledged; None if it cannot tell."""
        ...

    async def get(self, namespace_id: str, key: str, *, now: int) -> Entry | None: ...

    async def stream(self, namespace_id: str, key: str, *, now: int) -> EntryStream | None:
        """Like `get`, for a value that should not be in memory as a whole."""
        ...

    async def put(self, namespace_id: str, key: str, entry: Entry) -> None:
        """Replaces value, expiry and metadata."""
        ...

    async def put_stream(
        self,
        namespace_id: str,
        key: str,
        pieces: AsyncIterator[bytes],
        *,
        expires_at: int | None = None,
        metadata: str | None = None,
    ) -> None:
        """Like `put`; nothing is replaced before the last piece was stored, and nothing if `pieces` raises."""
        ...

    async def put_many(self, namespace_id: str, entries: Sequence[tuple[str, Entry]]) -> None:
        """All or none. Of two entries with one key the later one stays."""
        ...

    async def delete(self, namespace_id: str, keys: Sequence[str]) -> None:
        """All or none; a missing key is not an error."""
        ...

    async def list_keys(self, namespace_id: str, *, prefix: str, after: str, limit: int, now: int) -> list[ListedKey]:
        """Up to `limit` keys that begin with `prefix` and come after `after`, in the order of their UTF-8 bytes."""
        ...

    async def sweep(self, *, now: int, limit: int = 500) -> int:
        """Gives back the room of up to about `limit` things that are gone already; returns how many those were.

        Nothing that can be read changes. 0 means that there was nothing to do.
        """
        ...

    async def close(self) -> None: ...
