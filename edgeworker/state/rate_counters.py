"""How often something was done for a key in the present period. In memory, for one process."""


class RateCounters:
    """Only the present period is held."""

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
