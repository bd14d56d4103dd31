"""`env.X` of a rate limit: counts calls of one key in fixed periods, for this process alone.

Texts and periods: recorded from miniflare's rate limiter, which counts in the same way.
https://developers.cloudflare.com/workers/runtime-apis/bindings/rate-limit/
"""

from collections.abc import Mapping
from typing import Final

from edgeworker.clock import Clock
from edgeworker.runtime.webapi.base import options
from edgeworker.runtime.webapi.ffi import JsDict, JsException

_KEYS: Final = ("key", "limit", "period")
_PERIODS_SECONDS: Final = (10, 60)


class RateCounters:
    """How often each key was counted in the present period. Only the present period is held in memory."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, int], tuple[int, dict[str, int]]] = {}

    def count(self, namespace: str, key: str, *, limit: float, period_seconds: int, now: int) -> bool:
        """Whether there was room; only then it is counted. `now` is in epoch seconds."""
        period = now // period_seconds
        began, counts = self._counts.get((namespace, period_seconds), (period, {}))
        if began != period:
            counts = {}
        self._counts[namespace, period_seconds] = (period, counts)
        found = counts.get(key, 0)
        if found >= limit:
            return False
        counts[key] = found + 1
        return True


class RateLimitView:
    def __init__(
        self,
        counters: RateCounters,
        clock: Clock,
        *,
        name: str,
        namespace: str,
        limit: int,
        period_seconds: int,
    ) -> None:
        """`name` is the binding's; what has the same `namespace` counts together."""
        self._counters = counters
        self._clock = clock
        self._name = name
        self._namespace = namespace
        self._limit = limit
        self._period_seconds = period_seconds

    async def limit(self, init: object = None, /, **keywords: object) -> JsDict:
        """`{"success": bool}`. Raises JsException for options that cannot be meant."""
        if init is None and not keywords:
            raise JsException("Error", "invalid rate limit options")
        given: Mapping[str, object] = options(init, keywords)
        unknown = [name for name in given if name not in _KEYS]
        if unknown:
            raise JsException("Error", f"bad rate limit options: [{','.join(unknown)}]")
        key, limit, period = given.get("key", ""), given.get("limit", self._limit), given.get("period")
        if not isinstance(key, str):
            raise JsException("Error", f"invalid key: {key}")
        if isinstance(limit, bool) or not isinstance(limit, int | float):
            raise JsException("Error", f"limit must be a number: {limit}")
        seconds = self._period_seconds if period is None else period
        if isinstance(seconds, bool) or not isinstance(seconds, int | float):
            raise JsException("Error", f"period must be a number: {seconds}")
        if seconds not in _PERIODS_SECONDS:
            raise JsException("Error", f"unsupported period: {seconds}")
        success = self._counters.count(
            self._namespace, key, limit=limit, period_seconds=int(seconds), now=self._clock.now()
        )
        return JsDict(success=success)

    def __repr__(self) -> str:
        return f"<rate limit {self._name}>"
