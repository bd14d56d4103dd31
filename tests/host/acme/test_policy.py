"""When a certificate is ordered."""

import pytest

from edgeworker.host.acme.policy import Failures, Validity, is_due, renew_at
from edgeworker.tls_settings import ACME

DAY = 86_400


def settings(days: int | None = None) -> ACME:
    return ACME("https://acme.test/dir", ("a.test",), True, renew_before_days=days)


@pytest.mark.parametrize(
    ("life_days", "before_days", "day"),
    [(90, None, 60), (6, None, 4), (90, 30, 60), (90, 10, 80), (6, 30, 2), (1, 1, 1 / 3)],
)
def test_it_is_renewed_before_its_end_and_not_all_the_time(life_days: int, before_days: int | None, day: float) -> None:
    assert renew_at(Validity(0, life_days * DAY), settings(before_days)) == pytest.approx(day * DAY, abs=1)


@pytest.mark.parametrize(
    ("validity", "failures", "now", "due"),
    [
        (None, None, 0, True),
        (Validity(0, 90 * DAY), None, 59 * DAY, False),
        (Validity(0, 90 * DAY), None, 60 * DAY, True),
        (None, Failures(1, 1000), 1599, False),
        (None, Failures(1, 1000), 1600, True),
        (None, Failures(2, 1000), 1600, False),
        (None, Failures(2, 1000), 2200, True),
        (None, Failures(50, 1000), 1000 + 43_199, False),
        (None, Failures(50, 1000), 1000 + 43_200, True),
        (None, Failures(50, 9000), 1000, True),
    ],
    ids=str,
)
def test_a_failure_makes_the_next_attempt_wait_longer(
    validity: Validity | None, failures: Failures | None, now: int, due: bool
) -> None:
    assert is_due(validity, failures, settings(), now=now) is due
