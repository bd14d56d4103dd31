import pytest

from edgeworker.cli.jwt import words


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "now"),
        (0.5, "now"),
        (1, "in 1 second"),
        (-59, "59 seconds ago"),
        (60, "in 1 minute"),
        (119, "in 1 minute"),
        (-7200, "2 hours ago"),
        (86_400 * 3, "in 3 days"),
        (-31_557_600 * 56, "56 years ago"),
    ],
)
def test_a_distance_is_told_in_its_largest_unit(seconds: float, text: str) -> None:
    assert words.distance(seconds) == text


def test_a_moment_is_a_date_and_a_distance() -> None:
    assert words.moment(1_700_000_240, now=1_700_000_000) == "2023-11-14 22:17:20 UTC, in 4 minutes"


@pytest.mark.parametrize("at", [float("inf"), float("nan"), 1e300, -1e18])
def test_what_no_calendar_has_is_told(at: float) -> None:
    assert words.moment(at, now=0) == "no date that a calendar has"
