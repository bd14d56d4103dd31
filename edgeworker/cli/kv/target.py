"""Where the `kv` commands work: a data directory, or the API of a running edge (see remote.py)."""

import secrets
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Final, Protocol, Self

from edgeworker.clock import Clock
from edgeworker.config import JSON, Namespace
from edgeworker.errors import StoreError
from edgeworker.kv.namespace import KeyListPage, KeyValuePair, KVNamespace
from edgeworker.kv.sqlite import SQLiteStore
from edgeworker.kv.store import KVStore

KV_FILE: Final = "kv.sqlite"


class KVTarget(Protocol):
    """Where `kv` works: a data directory or a remote account.

    Every method raises an EdgeworkerError: KVError for a broken rule, otherwise what is wrong with the target.
    """

    async def namespaces(self) -> list[Namespace]: ...

    async def create(self, title: str) -> Namespace: ...

    async def rename(self, namespace_id: str, title: str) -> None: ...

    async def remove(self, namespace_id: str) -> None: ...

    async def get(self, namespace_id: str, key: str) -> AsyncIterator[bytes] | None:
        """The value in pieces."""
        ...

    async def values(self, namespace_id: str, keys: Sequence[str]) -> dict[str, bytes | None]: ...

    async def put(
        self,
        namespace_id: str,
        key: str,
        value: bytes | AsyncIterator[bytes],
        *,
        expiration: int | None,
        expiration_ttl: int | None,
        metadata: JSON,
    ) -> None: ...

    async def put_many(self, namespace_id: str, pairs: Sequence[KeyValuePair]) -> None:
        """Up to the limits of one bulk call; all or none."""
        ...

    async def delete_many(self, namespace_id: str, keys: Sequence[str]) -> None:
        """Up to the limits of one bulk call."""
        ...

    async def page(self, namespace_id: str, *, prefix: str, cursor: str | None) -> KeyListPage: ...

    async def close(self) -> None: ...


class DataDirectory:
    """The KV database of a data directory; an edge that runs on it sees each change at once.

    As with a binding, a namespace that does not exist is created by its first write.
    """

    def __init__(self, store: KVStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    @classmethod
    def open(cls, directory: Path, clock: Clock) -> Self:
        """Raises StoreError."""
        return cls(SQLiteStore.open(directory / KV_FILE, durability="full"), clock)

    async def namespaces(self) -> list[Namespace]:
        return await self._store.namespaces.all()

    async def create(self, title: str) -> Namespace:
        namespace = Namespace(secrets.token_hex(16), title)
        await self._store.namespaces.create(namespace)
        return namespace

    async def rename(self, namespace_id: str, title: str) -> None:
        await self._store.namespaces.rename(namespace_id, title)

    async def remove(self, namespace_id: str) -> None:
        await self._store.namespaces.delete(namespace_id)

    async def get(self, namespace_id: str, key: str) -> AsyncIterator[bytes] | None:
        found = await self._namespace(namespace_id).get_stream(key)
        return None if found is None else found.pieces

    async def values(self, namespace_id: str, keys: Sequence[str]) -> dict[str, bytes | None]:
        namespace = self._namespace(namespace_id)
        return {key: await namespace.get(key) for key in keys}

    async def put(
        self,
        namespace_id: str,
        key: str,
        value: bytes | AsyncIterator[bytes],
        *,
        expiration: int | None,
        expiration_ttl: int | None,
        metadata: JSON,
    ) -> None:
        await self._namespace(namespace_id).put(
            key, value, expiration=expiration, expiration_ttl=expiration_ttl, metadata=metadata
        )

    async def put_many(self, namespace_id: str, pairs: Sequence[KeyValuePair]) -> None:
        await self._namespace(namespace_id).put_many(pairs)

    async def delete_many(self, namespace_id: str, keys: Sequence[str]) -> None:
        await self._namespace(namespace_id).delete_many(keys)

    async def page(self, namespace_id: str, *, prefix: str, cursor: str | None) -> KeyListPage:
        return await self._namespace(namespace_id).list(prefix=prefix, cursor=cursor)

    async def close(self) -> None:
        await self._store.close()

    def _namespace(self, namespace_id: str) -> KVNamespace:
        return KVNamespace(self._store, namespace_id, self._clock)


async def every_page(place: KVTarget, namespace_id: str, *, prefix: str = "") -> AsyncIterator[KeyListPage]:
    """The whole list, page by page."""
    cursor: str | None = None
    while True:
        page = await place.page(namespace_id, prefix=prefix, cursor=cursor)
        yield page
        cursor = page.cursor
        if cursor is None:
            return


def existing_database(directory: Path) -> Path:
    """Raises StoreError where the data directory has no KV database: a reader would make an empty one."""
    file = directory / KV_FILE
    if not file.exists():
        raise StoreError(f"{file}: there is no KV database; name the data directory with --persist-to")
    return file
