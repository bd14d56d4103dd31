"""Counts requests by what their verified tokens claim. Each process counts for itself. Pure, but for what it counts.

A characteristic without a value (no valid token) is one value like another: such requests share one counter, as on
Cloudflare.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from edgeworker.expressions import RequestFacts
from edgeworker.products.api_shield.compiled import CompiledRateLimit

MAX_COUNTERS: Final = 100_000
_Key = tuple[bytes | None, ...]


@dataclass(slots=True)
class _Counter:
    period: int
    count: int = 0
    blocked_until: int = 0


@dataclass(frozen=True, slots=True)
class OverLimit:
    limit: CompiledRateLimit
    retry_after_seconds: int


class RequestCounters:
    """The counters of one process. Each limit has a bound of its own: random tokens cannot push out the counters of
    networks."""

    def __init__(self) -> None:
        self._of_limit: dict[str, dict[_Key, _Counter]] = {}

    def count(self, limits: Sequence[CompiledRateLimit], facts: RequestFacts, *, now: int) -> OverLimit | None:
        """Counts the request for every limit that applies; the first that is exceeded is the answer."""
        exceeded: OverLimit | None = None
        for limit in limits:
            if limit.applies is not None and not limit.applies(facts):
                continue
            retry_after = self._count(limit, facts, now)
            if retry_after is not None and exceeded is None:
                exceeded = OverLimit(limit, retry_after)
        return exceeded

    def _count(self, compiled: CompiledRateLimit, facts: RequestFacts, now: int) -> int | None:
        limit = compiled.limit
        key = tuple(read(facts) for read in compiled.characteristics)
        period = now // limit.period_seconds
        counters = self._of_limit.setdefault(limit.id, {})
        counter = counters.get(key)
        if counter is None:
            if len(counters) >= MAX_COUNTERS:
                _forget(counters, period, now)
            counter = counters[key] = _Counter(period)
        left = counter.blocked_until - now
        # More than a limit ever blocks: the clock was set back since.
        if 0 < left <= max(limit.period_seconds, limit.mitigation_seconds):
            return left
        if counter.period != period:
            counter.period, counter.count = period, 0
        counter.count += 1
        if counter.count <= limit.requests:
            return None
        end_of_period = (period + 1) * limit.period_seconds
        counter.blocked_until = max(end_of_period, now + limit.mitigation_seconds)
        return max(1, counter.blocked_until - now)


def _forget(counters: dict[_Key, _Counter], period: int, now: int) -> None:
    """Those that no longer count; where these are few, a tenth in the order in which they were made."""
    ended = [key for key, one in counters.items() if one.period != period and one.blocked_until <= now]
    for key in ended if len(ended) >= MAX_COUNTERS // 10 else list(counters)[: MAX_COUNTERS // 10]:
        del counters[key]
