"""The KV and ATOMIC bindings of the workers; each of their errors becomes `Unavailable`. Durations are in seconds."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final, Protocol, TypeVar

from verifier.worker_bindings import KVStorage

_T = TypeVar("_T")
_TRIES: Final = 20  # of a compare-and-put that other writers interrupt


class Unavailable(Exception):
    """A store, or the publisher of split tokens, does not answer. Nothing is decided without it."""


class GuardedNamespace:
    """A KV namespace."""

    def __init__(self, namespace: KVStorage, name: str) -> None:
        self._namespace = namespace
        self._name = name

    @classmethod
    def bound(cls, env: object, name: str) -> "GuardedNamespace":
        namespace: KVStorage | None = getattr(env, name, None)
        if namespace is None:
            raise Unavailable(f"there is no KV binding {name}")
        return cls(namespace, name)

    async def get(self, key: str) -> str | None:
        return await self._guard("get", lambda: self._namespace.get(key))

    async def put(self, key: str, value: str, ttl_seconds: int | None = None) -> None:
        options = {} if ttl_seconds is None else {"expirationTtl": ttl_seconds}
        await self._guard("put", lambda: self._namespace.put(key, value, **options))

    async def delete(self, key: str) -> None:
        await self._guard("delete", lambda: self._namespace.delete(key))

    async def keys(self, prefix: str) -> list[str]:
        """All keys with that prefix."""
        found: list[str] = []
        options: dict[str, str] = {}
        while True:
            page = await self._guard("list", partial(self._namespace.list, prefix=prefix, **options))
            found += [entry.name for entry in page.keys]
            if page.list_complete:
                return found
            options = {"cursor": page.cursor}

    async def _guard(self, call: str, work: Callable[[], Awaitable[_T]]) -> _T:
        try:
            return await work()
        except Exception as error:  # noqa: BLE001  however KV fails, nothing may pass without it
            raise Unavailable(f"{self._name}.{call}: {error!r}") from None


class AtomicCalls(Protocol):
    """The service of scripts/atomic."""

    async def get(self, key: str, /) -> str | None: ...
    async def take(self, key: str, /) -> str | None: ...
    async def put_if_absent(self, key: str, value: str, ttl_seconds: int, /) -> bool: ...
    async def compare_and_put(self, key: str, expected: str, value: str, ttl_seconds: int, /) -> bool: ...


class GuardedAtomic:
    """What must happen exactly once (scripts/atomic)."""

    def __init__(self, service: AtomicCalls) -> None:
        self._service = service

    @classmethod
    def bound(cls, env: object) -> "GuardedAtomic | None":
        """None if the binding ATOMIC is missing."""
        service: AtomicCalls | None = getattr(env, "ATOMIC", None)
        return None if service is None else cls(service)

    async def get(self, key: str) -> str | None:
        return await _atomic("get", lambda: self._service.get(key))

    async def take(self, key: str) -> str | None:
        return await _atomic("take", lambda: self._service.take(key))

    async def put_if_absent(self, key: str, value: str, ttl_seconds: int) -> bool:
        return await _atomic("put_if_absent", lambda: self._service.put_if_absent(key, value, ttl_seconds))

    async def compare_and_put(self, key: str, expected: str, value: str, ttl_seconds: int) -> bool:
        return await _atomic(
            "compare_and_put", lambda: self._service.compare_and_put(key, expected, value, ttl_seconds)
        )

    async def replace(self, key: str, value: str, ttl_seconds: int) -> None:
        """Writes `value` whatever the key has now."""
        for _ in range(_TRIES):
            present = await self.get(key)
            if present is None:
                written = await self.put_if_absent(key, value, ttl_seconds)
            else:
                written = await self.compare_and_put(key, present, value, ttl_seconds)
            if written:
                return
        raise Unavailable(f"an entry of ATOMIC changed {_TRIES} times while it was replaced")


async def _atomic(call: str, work: Callable[[], Awaitable[_T]]) -> _T:
    try:
        return await work()
    except Exception as error:  # noqa: BLE001  without its answer nothing is known to happen once
        raise Unavailable(f"ATOMIC.{call}: {error!r}") from None
