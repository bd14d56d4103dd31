"""The counts of one process. Plain numbers: a request costs two dictionary look-ups.

Labels are bounded: methods are the known ones, workers the first of each name up to a limit;
hosts and paths are never labels.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from edgeworker.durations import Durations
from edgeworker.metrics.origin_report import OriginReport
from edgeworker.server.access_log import AccessLogRecord

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"})
_MOST_NAMES: Final = 200
_MOST_RESULTS: Final = 30
OTHER: Final = "other"


@dataclass(slots=True)
class Counters:
    """`requests` by (method, status, served by), `durations` by what served, `tokens` by their result. Bytes are
    of response bodies. Of moments (epoch seconds) 0 is none: the end of the certificate that ends first, and since when
    the oldest signing key in use signs."""

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
    tokens: Counter[str] = field(default_factory=Counter)
    kv_found: int = 0
    kv_missing: int = 0
    certificate_ends: int = 0
    signs_since: int = 0

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
        if record.token:
            known = record.token in self.tokens or len(self.tokens) < _MOST_RESULTS
            self.tokens[record.token if known else OTHER] += 1

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
        self.started_at = _earlier(self.started_at, other.started_at)
        self.tokens.update(other.tokens)
        self.kv_found += other.kv_found
        self.kv_missing += other.kv_missing
        if is_alive:
            self.certificate_ends = _earlier(self.certificate_ends, other.certificate_ends)
            self.signs_since = _earlier(self.signs_since, other.signs_since)
        for key, report in other.origins.items():
            known = self.origins.get(key)
            current = report if is_alive else report.of_ended_process()
            self.origins[key] = current if known is None else known.joined_with(current)


def _earlier(one: int, two: int) -> int:
    """Of two moments; 0 is none."""
    return min(filter(None, (one, two)), default=0)
