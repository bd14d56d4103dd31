"""The parts of KV bindings and requests that the scripts use, as types. Pure; needs no package."""

from collections.abc import Sequence
from typing import Protocol


class KVReader(Protocol):
    async def get(self, key: str, /) -> str | None: ...


class KVListedKey(Protocol):
    @property
    def name(self) -> str: ...


class KVListPage(Protocol):
    """`cursor` exists only if `list_complete` is false."""

    @property
    def keys(self) -> Sequence[KVListedKey]: ...
    @property
    def list_complete(self) -> bool: ...
    @property
    def cursor(self) -> str: ...


class KVStorage(KVReader, Protocol):
    """`expirationTtl` is in seconds, `expiration` in epoch seconds."""

    async def put(self, key: str, value: str, /, **options: int) -> None: ...
    async def delete(self, key: str, /) -> None: ...
    async def list(self, **options: str | int) -> KVListPage: ...


class MethodCarrier(Protocol):
    @property
    def method(self) -> str: ...


def request_method(request: MethodCarrier) -> str:
    """The method, or "" for one that Python's http.HTTPMethod does not know."""
    try:
        return str(request.method)
    except KeyError:
        return ""
