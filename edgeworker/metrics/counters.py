"""The counts of one process. Plain numbers: a request costs two dictionary look-ups.

Labels are bounded: methods are the known ones, workers the first of each name up to a limit, hosts and paths are none.
"""

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from edgeworker.server.access_log import AccessLogRecord

# Seconds, as Prometheus clients have them by default.
BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"})
_MOST_NAMES: Final = 200
OTHER: Final = "other"


@dataclass(slots=True)
class Durations:
    """A histogram: how many in each bucket (the last one is without bound), and their sum in seconds."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS) + 1))
    total: float = 0.0

    def add(self, seconds: float) -> None:
        self.counts[bisect_left(BUCKETS, seconds)] += 1
        self.total += seconds


@dataclass(slots=True)
class Counters:
    """`requests` by (method, status, served by), `durations` by what served. Bytes are of response bodies."""

    requests: Counter[tuple[str, int, str]] = field(default_factory=Counter)
    durations: dict[str, Durations] = field(default_factory=dict)
    sent_bytes: int = 0
    cut: int = 0
    reloads: int = 0
    failed_reloads: int = 0
    last_reload_at: int = 0  # epoch seconds
    started_at: int = 0
    in_flight: int = 0

    def add_request(self, record: AccessLogRecord) -> None:
        method = record.method if record.method in _METHODS else OTHER
        name = record.served_by or "edge"
        durations = self.durations.get(name)
        if durations is None:
            if len(self.durations) >= _MOST_NAMES:
                name = OTHER
            durations = self.durations.setdefault(name, Durations())
        self.requests[method, record.status, name] += 1
        durations.add(record.seconds)
        self.sent_bytes += record.sent_bytes
        self.cut += not record.complete

    def merge(self, other: "Counters") -> None:
        """Adds what another process counted."""
        self.requests.update(other.requests)
        for name, durations in other.durations.items():
            mine = self.durations.setdefault(name, Durations())
            mine.counts = [one + two for one, two in zip(mine.counts, durations.counts, strict=True)]
            mine.total += durations.total
        self.sent_bytes += other.sent_bytes
        self.cut += other.cut
        self.reloads += other.reloads
        self.failed_reloads += other.failed_reloads
        self.last_reload_at = max(self.last_reload_at, other.last_reload_at)
        self.started_at = min(filter(None, (self.started_at, other.started_at)), default=0)
