"""Counts calls of one key in fixed periods, over all processes.

Texts and periods: recorded from miniflare's rate limiter, which counts in the same way.
https://developers.cloudflare.com/workers/runtime-apis/bindings/rate-limit/
"""

from collections.abc import Mapping
from typing import Final

from edgeworker.bindings.rate_limit.binding import RateLimitBinding
from edgeworker.bindings.refusal import CallRefused
from edgeworker.clock import Clock
from edgeworker.state.rate_counters import RateCounters

_KEYS: Final = ("key", "limit", "period")
_PERIODS_SECONDS: Final = (10, 60)


class RateLimiter:
    def __init__(self, binding: RateLimitBinding, counters: RateCounters, clock: Clock) -> None:
        self._binding = binding
        self._counters = counters
        self._clock = clock

    def count(self, options: Mapping[str, object]) -> bool:
        """Whether there was room for one more. Raises CallRefused for invalid options."""
        unknown = [name for name in options if name not in _KEYS]
        if unknown:
            raise CallRefused("Error", f"bad rate limit options: [{','.join(unknown)}]")
        key, limit = options.get("key", ""), options.get("limit", self._binding.limit)
        if not isinstance(key, str):
            raise CallRefused("Error", f"invalid key: {key}")
        if isinstance(limit, bool) or not isinstance(limit, int | float):
            raise CallRefused("Error", f"limit must be a number: {limit}")
        period = options.get("period")
        seconds = self._binding.period_seconds if period is None else period
        if isinstance(seconds, bool) or not isinstance(seconds, int | float):
            raise CallRefused("Error", f"period must be a number: {seconds}")
        if seconds not in _PERIODS_SECONDS:
            raise CallRefused("Error", f"unsupported period: {seconds}")
        return self._counters.count(
            self._binding.namespace_id, key, limit=limit, period_seconds=int(seconds), now=self._clock.now()
        )
