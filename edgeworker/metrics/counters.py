"""The counts of one process. Plain numbers: a request costs two dictionary look-ups.

Labels are bounded: methods are the known ones, workers the first of each name up to a limit;
hosts and paths are never labels.
"""

import operator
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Final

from edgeworker.durations import Durations
from edgeworker.metrics.origin_report import OriginReport
from edgeworker.server.access_log import AccessLogRecord

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"})
_MOST_NAMES: Final = 200
_MOST_RESULTS: Final = 30
OTHER: Final = "other"
_JOINING: Final = "edgeworker.metrics"


def _earlier(one: int, two: int) -> int:
    """Of two moments; 0 is none."""
    return min(filter(None, (one, two)), default=0)


@dataclass(frozen=True, slots=True)
class Joining:
    """`of_running`: the number of a process that has ended does not count."""

    join: Callable[[int, int], int]
    of_running: bool = False


SUM: Final = {_JOINING: Joining(operator.add)}
SUM_OF_RUNNING: Final = {_JOINING: Joining(operator.add, of_running=True)}
LATEST: Final = {_JOINING: Joining(max)}
EARLIEST: Final = {_JOINING: Joining(_earlier)}
EARLIEST_OF_RUNNING: Final = {_JOINING: Joining(_earlier, of_running=True)}


@dataclass(slots=True)
class Counters:
    """`requests` by (method, status, served by), `durations` by what served, `tokens` by their result. Bytes are
    of response bodies. Of moments (epoch seconds) 0 is none: the end of the certificate that ends first, and since when
    the oldest signing key in use signs. `key_imports` by zone and name of a set of keys that verify."""

    requests: Counter[tuple[str, int, str]] = field(default_factory=Counter)
    durations: dict[str, Durations] = field(default_factory=dict)
    sent_bytes: int = field(default=0, metadata=SUM)
    cut: int = field(default=0, metadata=SUM)
    reloads: int = field(default=0, metadata=SUM)
    failed_reloads: int = field(default=0, metadata=SUM)
    last_reload_at: int = field(default=0, metadata=LATEST)  # epoch seconds
    started_at: int = field(default=0, metadata=EARLIEST)
    processes: int = field(default=0, metadata=SUM_OF_RUNNING)  # that serve: 1, or 0 in the parent of several
    in_flight: int = field(default=0, metadata=SUM_OF_RUNNING)
    origins: dict[tuple[str, str], OriginReport] = field(default_factory=dict)
    tokens: Counter[str] = field(default_factory=Counter)
    kv_found: int = field(default=0, metadata=SUM)
    kv_missing: int = field(default=0, metadata=SUM)
    certificate_ends: int = field(default=0, metadata=EARLIEST_OF_RUNNING)
    signs_since: int = field(default=0, metadata=EARLIEST_OF_RUNNING)
    key_imports: dict[tuple[str, str], int] = field(default_factory=dict)

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
        self.tokens.update(other.tokens)
        for name, joining in NUMBERS.items():
            if is_alive or not joining.of_running:
                setattr(self, name, joining.join(getattr(self, name), getattr(other, name)))
        if is_alive:
            for name_of_keys, imported_at in other.key_imports.items():
                # A process that had no request since an import knows the one before.
                self.key_imports[name_of_keys] = max(imported_at, self.key_imports.get(name_of_keys, 0))
        for key, report in other.origins.items():
            known = self.origins.get(key)
            current = report if is_alive else report.of_ended_process()
            self.origins[key] = current if known is None else known.joined_with(current)


# How each number of several processes becomes one; snapshots write and read these.
NUMBERS: Final[Mapping[str, Joining]] = {
    item.name: item.metadata[_JOINING] for item in fields(Counters) if _JOINING in item.metadata
}
