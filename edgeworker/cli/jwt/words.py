"""Moments in words: "2026-03-01 12:00:00 UTC, in 4 minutes". Pure."""

from datetime import UTC, datetime
from typing import Final

_UNITS: Final = (("year", 31_557_600), ("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))


def moment(at: float, *, now: int) -> str:
    """`at` and `now` are epoch seconds."""
    try:
        date = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (ValueError, OverflowError, OSError):
        return "no date that a calendar has"
    return f"{date}, {distance(at - now)}"


def distance(seconds: float) -> str:
    """ "in 4 minutes", "2 days ago", "now": the largest unit of which there is at least one, rounded down."""
    size = abs(seconds)
    for name, length in _UNITS:
        count = int(size // length)
        if count:
            text = f"{count} {name}{'' if count == 1 else 's'}"
            return f"in {text}" if seconds > 0 else f"{text} ago"
    return "now"
