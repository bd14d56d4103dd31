"""The counts of one process. Plain numbers: a request costs two dictionary look-ups.

Labels are bounded: methods are the known ones, workers the first of each name up to a limit, hosts and paths are none.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from edgeworker.durations import Durations
from edgeworker.metrics.origin_report import OriginReport
from edgeworker.server.access_log import AccessLogRecord

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"})
_MOST_NAMES: Final = 200
OTHER: Final = "other"


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
    origins: dict[tuple[str, str], OriginReport] = field(default_factory=dict)

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

    def merge(self, other: "Counters", *, is_alive: bool = True) -> None:
        """Adds what another process counted; of one that has ended only what adds up."""
        self.requests.update(other.requests)
        for name, durations in other.durations.items():
            self.durations.setdefault(name, Durations()).merge(durations)
        self.sent_bytes += other.sent_bytes
        self.cut += other.cut
        self.reloads += other.reloads
        self.failed_reloads += other.failed_reloads
        self.last_reload_at = max(self.last_reload_at, other.last_reload_at)
        self.started_at = min(filter(None, (self.started_at, other.started_at)), default=0)
        for key, report in other.origins.items():
            known = self.origins.get(key)
            mine = report if is_alive else report.of_ended_process()
            self.origins[key] = mine if known is None else known.joined_with(mine)
