"""Limits unknown tokens per client, because each of them costs a KV read. Pure: `now` is in seconds."""

from typing import Final

from client_network import network_of

WINDOW_SECONDS: Final = 60

# More clients than this push out the oldest, which only makes the limit milder.
_MAX_CLIENTS: Final = 10_000


class MissLimiter:
    """At most `limit` misses per client in each window; 0 means no limit. One per isolate."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._windows: dict[str, tuple[float, int]] = {}

    def seconds_to_wait(self, client: str | None, *, now: float) -> int:
        """0 for a client that may try."""
        if not self._windows or client is None:
            return 0
        began, count = self._windows.get(network_of(client), (now, 0))
        if count < self._limit or not began <= now < began + WINDOW_SECONDS:
            return 0
        return max(1, round(began + WINDOW_SECONDS - now))

    def count(self, client: str | None, *, now: float) -> None:
        if not self._limit or client is None:
            return
        network = network_of(client)
        began, count = self._windows.pop(network, (now, 0))
        if not began <= now < began + WINDOW_SECONDS:
            began, count = now, 0
        while len(self._windows) >= _MAX_CLIENTS:
            del self._windows[next(iter(self._windows))]
        self._windows[network] = (began, count + 1)
