"""Durations as Prometheus counts them: how many were at most so long. Pure."""

from dataclasses import dataclass, field
from typing import Final

# Seconds, as Prometheus clients have them by default.
BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


@dataclass(slots=True)
class Durations:
    """A histogram: how many in each bucket (the last one is without bound), and their sum in seconds."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS) + 1))
    total: float = 0.0

    def add(self, seconds: float) -> None:
        bucket = 0
        for bound in BUCKETS:  # most end at one of the first; bisect costs more, and three times as much compiled
            if seconds <= bound:
                break
            bucket += 1
        self.counts[bucket] += 1
        self.total += seconds

    def merge(self, other: "Durations") -> None:
        self.counts = [one + two for one, two in zip(self.counts, other.counts, strict=True)]
        self.total += other.total
