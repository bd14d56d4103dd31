"""What is known of one origin's health, and how checks and requests change it. Pure.

All moments are monotonic seconds, which processes of one machine share: no jump of the wall clock makes an origin sick.
"""

from dataclasses import dataclass, replace
from typing import Final

from edgeworker.balancing.settings import HealthMonitor, LoadBalancer


@dataclass(frozen=True, slots=True)
class CheckResult:
    """`error` is None for a good check. `at` is in epoch seconds, for people only."""

    at: int
    seconds: float
    error: str | None


@dataclass(frozen=True, slots=True)
class OriginHealth:
    """`checked_healthy` is what active checks found, None before the first one; it counts until `checks_valid_until`.

    `in_row` is how many of the last checks said the opposite of it. `failures` are failed requests in a row; until
    `left_alone_until` a process sends no more. `set_healthy` is what a person said, which counts more than all else.
    """

    checked_healthy: bool | None = None
    checks_valid_until: float = 0.0
    in_row: int = 0
    last_check: CheckResult | None = None
    failures: int = 0
    left_alone_until: float = 0.0
    set_healthy: bool | None = None

    def is_healthy(self, now: float) -> bool:
        if self.set_healthy is not None:
            return self.set_healthy
        checked = self.checked_healthy if now < self.checks_valid_until else None
        return checked is not False and now >= self.left_alone_until

    def reason(self, now: float) -> str:
        """Why it is healthy or not, in a few words."""
        if self.set_healthy is not None:
            return "set by hand"
        if self.checked_healthy is False and now < self.checks_valid_until:
            return "checks failed"
        if now < self.left_alone_until:
            return "requests failed"
        return "checks are good" if self.checked_healthy and now < self.checks_valid_until else "nothing failed"


UNKNOWN: Final = OriginHealth()


def after_check(health: OriginHealth, result: CheckResult, monitor: HealthMonitor, *, now: float) -> OriginHealth:
    """The first check decides at once; later ones when enough of them in a row say the other thing."""
    is_good = result.error is None
    before = health.checked_healthy if now < health.checks_valid_until else None
    valid_until = now + validity_seconds(monitor)
    needed = monitor.consecutive_up if is_good else monitor.consecutive_down
    in_row = 0 if before is is_good else health.in_row + 1
    if before is None or before is is_good or in_row >= needed:
        before, in_row = is_good, 0
    return replace(health, checked_healthy=before, in_row=in_row, last_check=result, checks_valid_until=valid_until)


def validity_seconds(monitor: HealthMonitor) -> float:
    """How long a check's result counts: where the process that checks has ended, the others stop relying on it."""
    return 3 * monitor.interval_seconds + monitor.timeout_seconds


def after_request(health: OriginHealth, balancer: LoadBalancer, *, failed: bool, now: float) -> OriginHealth:
    if not failed:
        return replace(health, failures=0, left_alone_until=0.0) if health.failures else health
    failures = health.failures + 1
    # After its time alone one more failure is enough: it stays at the limit until a request succeeds.
    alone = balancer.max_failures and failures >= balancer.max_failures
    return replace(
        health,
        failures=min(failures, balancer.max_failures or failures),
        left_alone_until=now + balancer.fail_seconds if alone else health.left_alone_until,
    )
