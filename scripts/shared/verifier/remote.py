"""Fetches and caches the issuer's keys, with bounds on time, size and frequency. Needs PyJWT.

On Cloudflare a request must not await I/O of another request: the runtime stops it. It may read what the other request
stored. So requests that need the same fetch poll, each with its own timer, and one of them starts another fetch only if
the first does not end in time.
"""

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from verifier.claims import ALGORITHMS
from verifier.keys import MAX_DOCUMENT_LENGTH, BadKeySet, KeysUnavailable, PublicKeySet, parse_key_set

_log = logging.getLogger("verifier")

MAX_AGE_SECONDS: Final = 600  # then the set is fetched again, so that a withdrawn key is dropped
REFETCH_SECONDS: Final = 60  # at most one fetch for unknown key ids in this time, whatever clients send
RETRY_SECONDS: Final = 5  # after a failure
FETCH_SECONDS: Final = 10  # the timeout of one fetch
PATIENCE_SECONDS: Final = 15  # a fetch that has not ended by then never will: its request was cancelled

_FIRST_LOOK_SECONDS: Final = 0.005
_LAST_LOOK_SECONDS: Final = 0.25


class BodyCarrier(Protocol):
    """What is used of a request or response of the SDK: its body, a stream of JavaScript's."""

    @property
    def body(self) -> "ByteStream | None": ...


class ByteStream(Protocol):
    def getReader(self) -> "StreamReader": ...


class StreamReader(Protocol):
    def read(self) -> Awaitable["StreamResult"]: ...
    def cancel(self) -> Awaitable[object]: ...


class StreamResult(Protocol):
    """An object of JavaScript's with `done` and `value`."""

    def __getattr__(self, name: str, /) -> object: ...


class FetchedResponse(BodyCarrier, Protocol):
    @property
    def status(self) -> int: ...


class FetchFunction(Protocol):
    """`fetch` of the SDK, or of a service binding."""

    def __call__(self, url: str, /, *, redirect: str) -> Awaitable[FetchedResponse]: ...


class RemoteKeySource:
    """The key set that `get` returns. The last good set stays in use until a newer one can be fetched."""

    def __init__(
        self,
        get: Callable[[], Awaitable[str]],
        allowed: frozenset[str],
        *,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        """`get` fetches the document's text and raises OSError on failure. `sleep` takes seconds."""
        self._get = get
        self._allowed = allowed
        self._sleep = sleep
        self._keys: PublicKeySet | None = None
        self._stale_at = -math.inf
        self._not_before = -math.inf
        self._fetching: _FetchInProgress | None = None

    async def current(self, *, now: float) -> PublicKeySet:
        """Raises KeysUnavailable if no good set was ever fetched."""
        if self._keys is None:
            return await self._first(now)
        if now < self._stale_at or now < self._not_before or self._under_way(now) is not None:
            return self._keys
        self._not_before = now + REFETCH_SECONDS
        return await self._fetch(now)

    async def newer(self, *, now: float) -> PublicKeySet | None:
        """The issuer's current set, for a token with an unknown key; None if the last fetch was too recent."""
        under_way = self._under_way(now)
        if under_way is not None:
            await self._end_of(under_way)
            return self._keys
        if now < self._not_before:
            return None
        self._not_before = now + REFETCH_SECONDS
        return await self._fetch(now)

    async def _first(self, now: float) -> PublicKeySet:
        """Waits for the fetch that another request started, or starts one."""
        for _ in range(2):  # the second time replaces a fetch that never ended
            under_way = self._under_way(now)
            if under_way is None:
                if now < self._not_before:
                    raise KeysUnavailable("the last fetch failed", retry_after_seconds=RETRY_SECONDS)
                return await self._fetch(now)
            await self._end_of(under_way)
            if self._keys is not None:
                return self._keys
        raise KeysUnavailable("the issuer's keys are being fetched", retry_after_seconds=1)

    def _under_way(self, now: float) -> "_FetchInProgress | None":
        if self._fetching is not None and now < self._fetching.began + PATIENCE_SECONDS:
            return self._fetching
        return None

    async def _end_of(self, fetching: "_FetchInProgress") -> None:
        """Returns when that fetch has ended or is overdue."""
        slept, pause = 0.0, _FIRST_LOOK_SECONDS
        while self._fetching is fetching:
            if slept >= PATIENCE_SECONDS:
                self._fetching = None
                return
            await self._sleep(pause)
            slept, pause = slept + pause, min(2 * pause, _LAST_LOOK_SECONDS)

    async def _fetch(self, now: float) -> PublicKeySet:
        fetching = self._fetching = _FetchInProgress(now)
        try:
            self._keys = parse_key_set(await self._get(), self._allowed)
        except (OSError, BadKeySet) as error:
            self._not_before = max(self._not_before, now + RETRY_SECONDS)
            _log.warning(
                "the issuer's keys cannot be used%s: %s", " (the last good ones stay)" * bool(self._keys), error
            )
            if self._keys is None:
                raise KeysUnavailable(str(error), retry_after_seconds=RETRY_SECONDS) from error
        else:
            self._stale_at = now + MAX_AGE_SECONDS
        finally:
            if self._fetching is fetching:
                self._fetching = None
        return self._keys


class _FetchInProgress:
    """A fetch that started at `began`. Compared by identity: two may start in the same second."""

    def __init__(self, began: float) -> None:
        self.began = began


def remote_keys(url: str, fetch: FetchFunction, allowed: frozenset[str] = frozenset(ALGORITHMS)) -> RemoteKeySource:
    """The keys at `url`. `fetch` is the SDK's, or that of a service binding (`env.ISSUER.fetch`)."""
    return RemoteKeySource(lambda: fetch_document(url, fetch), allowed)


async def fetch_document(
    url: str, fetch: FetchFunction, *, limit: int = MAX_DOCUMENT_LENGTH, timeout_seconds: float = FETCH_SECONDS
) -> str:
    """The text at `url`, at most `limit` bytes; redirects are not followed. Raises OSError."""

    async def get() -> str:
        response = await fetch(url, redirect="manual")
        if response.status != 200:
            raise OSError(f"{url} answered {response.status}")
        return (await read_bounded(response, limit)).decode("utf-8", "replace")

    try:
        return await asyncio.wait_for(get(), timeout_seconds)
    except TimeoutError:
        raise OSError(f"{url} did not answer within {timeout_seconds:g} seconds") from None
    except OSError:
        raise
    except Exception as error:
        raise OSError(f"{url} cannot be fetched: {error}") from error


async def read_bounded(message: BodyCarrier, limit: int) -> bytes:
    """The body of a request or response. Raises OSError if it is longer than `limit`; `text()` has no limit."""
    content = b""
    if message.body:  # null of JavaScript is not None in newer runtimes, and false in all
        reader = message.body.getReader()
        while not (result := await reader.read()).done:
            content += bytes_of(result.value)
            if len(content) > limit:
                await reader.cancel()
                raise OSError(f"the document is larger than {limit} bytes")
    return content


def bytes_of(chunk: object) -> bytes:
    """The content of a Uint8Array of JavaScript. Raises OSError for anything else."""
    convert = getattr(chunk, "to_bytes", None)
    content: object = convert() if callable(convert) else None
    if not isinstance(content, bytes):
        raise OSError("the body does not consist of bytes")
    return content
