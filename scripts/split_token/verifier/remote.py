"""The issuer's keys behind a URL: fetched with bounds, kept, followed when they change. Needs PyJWT.

On Cloudflare a request must not wait for what another request began: the runtime refuses to let one continue the
other. It may look at what the other one left behind. So requests that need the same fetch look again and again, each
with a timer of its own, and only where the fetch does not end in time does one of them begin another.
"""

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable
from typing import Any, Final

from verifier.claims import ALGORITHMS
from verifier.keys import MAX_DOCUMENT_LENGTH, BadKeySet, KeySet, KeysUnavailable, parse

_log = logging.getLogger("verifier")

MAX_AGE_SECONDS: Final = 600  # then a set is fetched again, so that a withdrawn key goes
REFETCH_SECONDS: Final = 60  # at most one fetch for unknown key ids in this time, whatever clients send
RETRY_SECONDS: Final = 5  # after a failure
FETCH_SECONDS: Final = 10  # a fetch may take as long
PATIENCE_SECONDS: Final = 15  # one that has not ended by then never will: its request was cancelled

_FIRST_LOOK_SECONDS: Final = 0.005
_LAST_LOOK_SECONDS: Final = 0.25

# What `fetch` of the SDK or of a service binding is, and the Response that it answers: Python's or JavaScript's.
Fetch = Callable[..., Awaitable[Any]]


class RemoteKeys:
    """The key set that `get` gives. The last good one is kept for as long as no newer one can be had."""

    def __init__(
        self,
        get: Callable[[], Awaitable[str]],
        allowed: frozenset[str],
        *,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        """`get` fetches the document's text, and raises OSError where that fails. `sleep` takes seconds."""
        self._get = get
        self._allowed = allowed
        self._sleep = sleep
        self._keys: KeySet | None = None
        self._stale_at = -math.inf
        self._not_before = -math.inf
        self._fetching: _Fetching | None = None

    async def current(self, *, now: float) -> KeySet:
        """Raises KeysUnavailable where there has never been a good set."""
        if self._keys is None:
            return await self._first(now)
        if now < self._stale_at or now < self._not_before or self._under_way(now) is not None:
            return self._keys
        self._not_before = now + REFETCH_SECONDS
        return await self._fetch(now)

    async def newer(self, *, now: float) -> KeySet | None:
        """What the issuer publishes now, because a token names a key that is not known; None where it is too early."""
        under_way = self._under_way(now)
        if under_way is not None:
            await self._end_of(under_way)
            return self._keys
        if now < self._not_before:
            return None
        self._not_before = now + REFETCH_SECONDS
        return await self._fetch(now)

    async def _first(self, now: float) -> KeySet:
        """Waits for the fetch that another request began; begins one where there is none."""
        for _ in range(2):  # the second time is for a fetch that was lost
            under_way = self._under_way(now)
            if under_way is None:
                if now < self._not_before:
                    raise KeysUnavailable("the last fetch failed", retry_after_seconds=RETRY_SECONDS)
                return await self._fetch(now)
            await self._end_of(under_way)
            if self._keys is not None:
                return self._keys
        raise KeysUnavailable("the issuer's keys are on their way", retry_after_seconds=1)

    def _under_way(self, now: float) -> "_Fetching | None":
        if self._fetching is not None and now < self._fetching.began + PATIENCE_SECONDS:
            return self._fetching
        return None

    async def _end_of(self, fetching: "_Fetching") -> None:
        """Returns when that fetch has ended, or will not any more."""
        slept, pause = 0.0, _FIRST_LOOK_SECONDS
        while self._fetching is fetching:
            if slept >= PATIENCE_SECONDS:
                self._fetching = None
                return
            await self._sleep(pause)
            slept, pause = slept + pause, min(2 * pause, _LAST_LOOK_SECONDS)

    async def _fetch(self, now: float) -> KeySet:
        fetching = self._fetching = _Fetching(now)
        try:
            self._keys = parse(await self._get(), self._allowed)
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


class _Fetching:
    """A fetch that began at `began`. Two that began in the same second are not the same."""

    def __init__(self, began: float) -> None:
        self.began = began


def keys_at(url: str, fetch: Fetch, allowed: frozenset[str] = frozenset(ALGORITHMS)) -> RemoteKeys:
    """The keys at `url`. `fetch` is the SDK's, or a service binding's (`env.ISSUER.fetch`)."""
    return RemoteKeys(lambda: document(url, fetch), allowed)


async def document(
    url: str, fetch: Fetch, *, limit: int = MAX_DOCUMENT_LENGTH, timeout_seconds: float = FETCH_SECONDS
) -> str:
    """The text at `url`, of at most `limit` bytes; redirects are not followed. Raises OSError."""

    async def get() -> str:
        response = await fetch(url, redirect="manual")
        if response.status != 200:
            raise OSError(f"{url} answered {response.status}")
        return (await bounded(response, limit)).decode("utf-8", "replace")

    try:
        return await asyncio.wait_for(get(), timeout_seconds)
    except TimeoutError:
        raise OSError(f"{url} did not answer within {timeout_seconds:g} seconds") from None
    except OSError:
        raise
    except Exception as error:
        raise OSError(f"{url} cannot be fetched: {error}") from error


async def bounded(message: Any, limit: int) -> bytes:
    """The body of a request or response. Raises OSError where it is longer; `text()` would take in whatever comes."""
    content = b""
    if message.body is not None:
        reader = message.body.getReader()
        while not (piece := await reader.read()).done:
            content += piece.value.to_bytes()
            if len(content) > limit:
                await reader.cancel()
                raise OSError(f"the document is larger than {limit} bytes")
    return content
