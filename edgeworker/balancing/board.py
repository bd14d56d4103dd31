"""What one process knows of every origin: its health, its requests under way and how they ended."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from edgeworker.balancing.health import UNKNOWN, CheckResult, OriginHealth
from edgeworker.balancing.settings import LoadBalancer
from edgeworker.durations import Durations
from edgeworker.shared_counts import CountedName, SharedCounts

_MOST_RECORDS: Final = 1000
_LONGEST_ERROR: Final = 300


@dataclass(slots=True)
class OriginRecord:
    """`balancer` is "" for an origin that stands alone. Errors name the origin and never what a client sent. `in_use`
    are the requests of this process; those of all that have a bound are in `shared`, where there are several.
    """

    balancer: str
    url: str
    health: OriginHealth = UNKNOWN
    in_use: int = 0
    requests: int = 0
    failures: int = 0
    retries: int = 0
    durations: Durations = field(default_factory=Durations)  # up to the head of an answer
    last_error: str = ""
    last_error_at: int = 0  # epoch seconds
    shared: SharedCounts | None = field(default=None, repr=False, compare=False)

    @property
    def in_use_by_all(self) -> int:
        return self.in_use if self.shared is None else self.shared.present(self._name(self.shared))

    def change_in_use(self, amount: int, *, is_bounded: bool) -> None:
        """Requests to the origin begin or end."""
        self.in_use += amount
        if is_bounded and self.shared is not None:
            self.shared.change(self._name(self.shared), amount)

    def add_failure(self, error: str, *, now: int) -> None:
        self.failures += 1
        self.last_error, self.last_error_at = error[:_LONGEST_ERROR], now

    def _name(self, shared: SharedCounts) -> CountedName:
        return shared.name("requests to origins", self.balancer.encode(), self.url.encode())


@dataclass(frozen=True, slots=True)
class CheckedOrigin:
    """What checks found of one origin, as one process tells the others. See OriginHealth."""

    balancer: str
    url: str
    healthy: bool
    valid_until: float
    in_row: int
    check: CheckResult


@dataclass(slots=True)
class OriginBoard:
    """Outlives a reload: an origin that stays keeps what is known of it. `shared` counts for several processes."""

    records: dict[tuple[str, str], OriginRecord] = field(default_factory=dict)
    shared: SharedCounts | None = None
    _removed: set[tuple[str, str]] = field(default_factory=set)  # by a reload, while requests are under way

    def record(self, balancer: str, url: str) -> OriginRecord:
        found = self.records.get((balancer, url))
        self._removed.discard((balancer, url))  # a later reload has it again
        if found is None:
            if len(self.records) >= _MOST_RECORDS:
                self._forget_idle()
            found = self.records[balancer, url] = OriginRecord(balancer, url, shared=self.shared)
        return found

    def keep_only(self, balancers: Iterable[LoadBalancer]) -> None:
        """After a reload: forgets the origins of load balancers that are no longer configured, when their last request
        has ended."""
        wanted = {(balancer.name, server.url) for balancer in balancers for server in balancer.origins}
        self._removed = {key for key in self.records if key[0] and key not in wanted}
        self.forget_removed()

    def forget_removed(self) -> None:
        """Those that a reload removed and that have no more requests under way."""
        for key in list(self._removed):
            record = self.records.get(key)
            if record is None or not record.in_use:
                self.records.pop(key, None)
                self._removed.discard(key)

    def set_healthy(self, url: str, healthy: bool | None) -> None:
        """By hand, in every load balancer that has this origin; None: as checks and requests say.

        Raises LookupError where no load balancer has it.
        """
        for record in self.of_origin(url):
            record.health = replace(record.health, set_healthy=healthy)

    def of_origin(self, url: str) -> list[OriginRecord]:
        """Its records in all load balancers. Raises LookupError where no load balancer has it."""
        found = [record for record in self.records.values() if record.balancer and record.url == url]
        if not found:
            known = ", ".join(sorted({record.url for record in self.records.values() if record.balancer})) or "none"
            raise LookupError(f'no load balancer has the origin "{url}"; there are: {known}')
        return found

    def learn_checks(self, checked: Iterable[CheckedOrigin]) -> None:
        """Takes what another process found by its checks, for the origins that are known here."""
        for one in checked:
            record = self.records.get((one.balancer, one.url))
            if record is not None:
                record.health = replace(
                    record.health,
                    checked_healthy=one.healthy,
                    checks_valid_until=one.valid_until,
                    in_row=one.in_row,
                    last_check=one.check,
                )

    def _forget_idle(self) -> None:
        for key, record in list(self.records.items()):
            if not record.in_use:
                del self.records[key]
                return
