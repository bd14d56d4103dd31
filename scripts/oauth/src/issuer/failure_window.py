"""Counts failed client authentications in windows of a minute. Pure: `now` is in seconds. One per isolate."""

from typing import Final

WINDOW_SECONDS: Final = 60
_MAX_NAMES: Final = 10_000  # more than this push out the oldest, which only makes the limit milder


class FailureWindow:
    """At most `limit` failures of one name in a window."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._windows: dict[str, tuple[float, int]] = {}

    def seconds_to_wait(self, name: str, *, now: float) -> int:
        """0 if the name may try."""
        began, count = self._windows.get(name, (now, 0))
        if count < self._limit or not began <= now < began + WINDOW_SECONDS:
            return 0
        return max(1, round(began + WINDOW_SECONDS - now))

    def count(self, name: str, *, now: float) -> None:
        began, count = self._windows.pop(name, (now, 0))
        if not began <= now < began + WINDOW_SECONDS:
            began, count = now, 0
        while len(self._windows) >= _MAX_NAMES:
            del self._windows[next(iter(self._windows))]
        self._windows[name] = (began, count + 1)
