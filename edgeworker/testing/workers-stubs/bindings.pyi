"""What `env` holds, for type checkers alone: `edgeworker types` writes a class `Env` of these.

There is no such module at run time, so a script imports from it under `if TYPE_CHECKING:`.

Sources: https://developers.cloudflare.com/kv/api/, https://developers.cloudflare.com/workers/runtime-apis/bindings/
"""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Literal, overload

from _typeshed import Incomplete
from typing_extensions import Unpack  # of typing from 3.11 on; checkers know both

from workers import FetchKwargs, Request, Response

_Keys = list[str] | tuple[str, ...]  # a text is a sequence of texts too

class KVListKey:
    name: str
    expiration: int
    metadata: Incomplete
    def __getitem__(self, name: str) -> Incomplete: ...

class KVListResult:
    keys: list[KVListKey]
    list_complete: bool
    cursor: str
    def __getitem__(self, name: str) -> Incomplete: ...

class KVValueWithMetadata:
    value: Incomplete
    metadata: Incomplete
    def __getitem__(self, name: str) -> Incomplete: ...

class KVNamespace:
    @overload
    async def get(self, key: str, type: Literal["text"] = "text", *, cacheTtl: int | None = None) -> str | None: ...
    @overload
    async def get(
        self, key: str, type: Literal["arrayBuffer"], *, cacheTtl: int | None = None
    ) -> memoryview | None: ...
    @overload
    async def get(self, key: str, type: Literal["json", "stream"], *, cacheTtl: int | None = None) -> Incomplete: ...
    @overload
    async def get(
        self, key: _Keys, type: Literal["text", "json"] = "text", *, cacheTtl: int | None = None
    ) -> dict[str, Incomplete]: ...
    @overload
    async def get(self, key: str | _Keys, type: Mapping[str, object]) -> Incomplete: ...
    async def getWithMetadata(
        self,
        key: str | _Keys,
        type: Literal["text", "json", "arrayBuffer", "stream"] | Mapping[str, object] = "text",
        *,
        cacheTtl: int | None = None,
    ) -> KVValueWithMetadata: ...
    async def put(
        self,
        key: str,
        value: str | bytes | bytearray | memoryview,
        options: Mapping[str, object] | None = None,
        *,
        expiration: int | None = None,
        expirationTtl: int | None = None,
        metadata: object = None,
    ) -> None: ...
    async def delete(self, key: str) -> None: ...
    async def list(
        self,
        options: Mapping[str, object] | None = None,
        *,
        prefix: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> KVListResult: ...

class Fetcher:
    async def fetch(self, resource: str | Request | Incomplete, **options: Unpack[FetchKwargs]) -> Response: ...

class Service(Fetcher):
    """Another worker: its public methods can be awaited."""

    def __getattr__(self, name: str) -> Callable[..., Coroutine[object, object, Incomplete]]: ...

class RateLimitOutcome:
    success: bool
    def __getitem__(self, name: str) -> Incomplete: ...

class RateLimit:
    async def limit(self, options: Mapping[str, str] | None = None, *, key: str = ...) -> RateLimitOutcome: ...

class AnalyticsEngineDataset:
    def writeDataPoint(
        self,
        event: Mapping[str, object] | None = None,
        *,
        blobs: Sequence[object] = ...,
        doubles: Sequence[float] = ...,
        indexes: Sequence[object] = ...,
    ) -> None: ...

class SecretsStoreSecret:
    async def get(self) -> str: ...
