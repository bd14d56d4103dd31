"""When a certificate is ordered. Pure."""

from dataclasses import dataclass
from typing import Final

from edgeworker.tls_settings import ACME

_FIRST_DELAY_SECONDS: Final = 600
# Let's Encrypt forgives five failures an hour for one host, and recommends to ask twice a day.
_LONGEST_DELAY_SECONDS: Final = 43_200


@dataclass(frozen=True, slots=True)
class Validity:
    """Epoch seconds, both included."""

    not_before: int
    not_after: int


@dataclass(frozen=True, slots=True)
class Failures:
    """Attempts in a row that failed, and when the last one did (epoch seconds)."""

    count: int
    last_at: int


def renew_at(validity: Validity, settings: ACME) -> int:
    """Two thirds into its life, as Let's Encrypt recommends, or as configured; never before its first third is over."""
    life = validity.not_after - validity.not_before
    if settings.renew_before_days is None:
        return validity.not_before + life * 2 // 3
    return max(validity.not_after - settings.renew_before_days * 86_400, validity.not_before + life // 3)


def is_due(validity: Validity | None, failures: Failures | None, settings: ACME, *, now: int) -> bool:
    """Whether to order now: there is none or its time has come, and the last failure is long enough ago.

    A failure in the future is one from before the clock was set back: it counts no longer.
    """
    if validity is not None and now < renew_at(validity, settings):
        return False
    if failures is None or failures.last_at > now:
        return True
    delay = min(_FIRST_DELAY_SECONDS << min(failures.count - 1, 10), _LONGEST_DELAY_SECONDS)
    return now >= failures.last_at + delay
