"""Counts requests by what their verified tokens claim, in all processes together. Pure, but for what it counts.

A characteristic without a value (no valid token) is one value like another: such requests share one counter, as on
Cloudflare.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from edgeworker.expressions import RequestFacts
from edgeworker.products.api_shield.compiled import CompiledRateLimit
from edgeworker.shared_counts import SharedCounts


@dataclass(frozen=True, slots=True)
class OverLimit:
    limit: CompiledRateLimit
    retry_after_seconds: int


class RequestCounters:
    """Each limit is a group of its own in `counts`: random tokens cannot push out the counters of networks."""

    def __init__(self, counts: SharedCounts) -> None:
        self._counts = counts

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
        limit, counts = compiled.limit, self._counts
        name = counts.name(f"rate limit {limit.id}", *(read(facts) for read in compiled.characteristics))
        seconds = limit.period_seconds
        longest = max(seconds, limit.mitigation_seconds)
        blocked_until = counts.look(name, seconds=seconds, now=now, longest_block=longest).blocked_until
        if blocked_until:
            return blocked_until - now
        end_of_period = (now // seconds + 1) * seconds
        if counts.add(name, seconds=seconds, now=now, ends_at=end_of_period).total <= limit.requests:
            return None
        until = max(end_of_period, now + limit.mitigation_seconds)
        counts.block(name, until=until, now=now)
        return max(1, until - now)
