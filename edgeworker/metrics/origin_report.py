"""The report on one origin: its health, checks, counts and durations, joined over processes. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from edgeworker.balancing.board import OriginRecord
from edgeworker.balancing.health import CheckResult
from edgeworker.durations import BUCKETS, Durations


@dataclass(frozen=True, slots=True)
class OriginReport:
    """`balancer` is "" for an origin that stands alone, which has no health of its own.

    `healthy` of `processes` send requests there; `reasons` are why, each once. `failures` were requests that the origin
    did not answer; `retries` those of them that another origin was asked for then.
    """

    balancer: str
    url: str
    processes: int = 1
    healthy: int = 1
    reasons: tuple[str, ...] = ()
    in_use: int = 0
    requests: int = 0
    failures: int = 0
    retries: int = 0
    last_error: str = ""
    last_error_at: int = 0
    last_check: CheckResult | None = None
    durations: Durations = field(default_factory=Durations)

    def joined_with(self, other: "OriginReport") -> "OriginReport":
        durations = Durations(list(self.durations.counts), self.durations.total)
        durations.merge(other.durations)
        later = other if other.last_error_at > self.last_error_at else self
        checks = [check for check in (self.last_check, other.last_check) if check is not None]
        return OriginReport(
            self.balancer,
            self.url,
            self.processes + other.processes,
            self.healthy + other.healthy,
            tuple(dict.fromkeys((*self.reasons, *other.reasons))),
            self.in_use + other.in_use,
            self.requests + other.requests,
            self.failures + other.failures,
            self.retries + other.retries,
            later.last_error,
            later.last_error_at,
            max(checks, key=lambda check: check.at, default=None),
            durations,
        )

    def of_ended_process(self) -> "OriginReport":
        return replace(self, processes=0, healthy=0, reasons=(), in_use=0)

    def as_json(self) -> dict[str, object]:
        """For people and programs, at `/origins`."""
        check = self.last_check
        document: dict[str, object] = {"origin": self.url}
        if self.balancer:
            document |= {
                "load_balancer": self.balancer,
                "healthy": self.healthy == self.processes,
                "healthy_processes": self.healthy,
                "processes": self.processes,
                "why": list(self.reasons),
                "last_check": None
                if check is None
                else {"at": check.at, "ms": round(check.seconds * 1000, 1), "error": check.error},
                "in_use": self.in_use,
            }
        return {
            **document,
            "requests": self.requests,
            "failures": self.failures,
            "retries": self.retries,
            "last_error": {"at": self.last_error_at, "text": self.last_error} if self.last_error else None,
        }


def report_of(record: OriginRecord, *, now: float) -> OriginReport:
    """`now` is monotonic."""
    health = record.health
    return OriginReport(
        record.balancer,
        record.url,
        1,
        int(health.is_healthy(now)),
        (health.reason(now),),
        record.in_use,
        record.requests,
        record.failures,
        record.retries,
        record.last_error,
        record.last_error_at,
        health.last_check,
        Durations(list(record.durations.counts), record.durations.total),
    )


def to_rows(reports: Iterable[OriginReport]) -> list[list[object]]:
    """As JSON has them, for `from_rows`."""
    return [
        [
            report.balancer,
            report.url,
            [report.processes, report.healthy, report.in_use, report.requests, report.failures, report.retries],
            list(report.reasons),
            [report.last_error, report.last_error_at],
            None if (check := report.last_check) is None else [check.at, check.seconds, check.error],
            [report.durations.counts, report.durations.total],
        ]
        for report in reports
    ]


def from_rows(rows: object) -> Mapping[tuple[str, str], OriginReport]:
    """Raises ValueError or TypeError for what no process of ours wrote."""
    found = {}
    if not isinstance(rows, list):
        raise TypeError("not a list of origins")
    for balancer, url, numbers, reasons, (error, error_at), check, (counts, total) in rows:
        processes, healthy, in_use, requests, failures, retries = map(int, numbers)
        if len(counts) != len(BUCKETS) + 1:
            raise ValueError("another number of buckets")
        found[str(balancer), str(url)] = OriginReport(
            str(balancer),
            str(url),
            processes,
            healthy,
            tuple(map(str, reasons)),
            in_use,
            requests,
            failures,
            retries,
            str(error),
            int(error_at),
            None if check is None else CheckResult(int(check[0]), float(check[1]), check[2]),
            Durations([int(count) for count in counts], float(total)),
        )
    return found
