"""How often something was done for a key in the present period, in all processes. In memory."""

from edgeworker.shared_counts import SharedCounts

_GROUP = "rate limit bindings "


class RateCounters:
    def __init__(self, counts: SharedCounts | None = None) -> None:
        """Without `counts` they are those of this process alone."""
        self._counts = SharedCounts() if counts is None else counts

    def count(self, namespace: str, key: str, *, limit: float, period_seconds: int, now: int) -> bool:
        """Whether there was room; only then it is counted. `now` is in epoch seconds."""
        counts = self._counts
        name = counts.name(f"{_GROUP}{namespace}", b"%d" % period_seconds, key.encode("utf-8", "surrogatepass"))
        if counts.look(name, seconds=period_seconds, now=now).total >= limit:
            return False
        ends_at = (now // period_seconds + 1) * period_seconds
        return counts.add(name, seconds=period_seconds, now=now, ends_at=ends_at).total - 1 < limit
