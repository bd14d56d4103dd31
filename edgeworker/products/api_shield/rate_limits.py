"""Counts requests by client network, token, claim or any other value. Pure, but for what it counts.

Each process counts for itself.

A characteristic without a value (no valid token) is one value like another: such requests share one counter, as on
Cloudflare.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from edgeworker.expressions import RequestFacts
from edgeworker.products.api_shield.compiled import CompiledRateLimit

MAX_COUNTERS: Final = 100_000
_Key = tuple[str, tuple[bytes | None, ...]]


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
    """The counters of one process."""

    def __init__(self) -> None:
        self._counters: dict[_Key, _Counter] = {}

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
        key = (limit.id, tuple(read(facts) for read in compiled.characteristics))
        period = now // limit.period_seconds
        counter = self._counters.get(key)
        if counter is None:
            if len(self._counters) >= MAX_COUNTERS:
                self._forget_oldest()
            counter = self._counters[key] = _Counter(period)
        if now < counter.blocked_until:
            return counter.blocked_until - now
        if counter.period != period:
            counter.period, counter.count = period, 0
        counter.count += 1
        if counter.count <= limit.requests:
            return None
        end_of_period = (period + 1) * limit.period_seconds
        counter.blocked_until = max(end_of_period, now + limit.mitigation_seconds)
        return max(1, counter.blocked_until - now)

    def _forget_oldest(self) -> None:
        """A tenth, in the order in which they were made."""
        for key in list(self._counters)[: MAX_COUNTERS // 10]:
            del self._counters[key]
