"""Counts unknown tokens per client, because each of them costs a KV read. Pure: `now` is in seconds."""

import ipaddress
from typing import Final

WINDOW_SECONDS: Final = 60

# As many clients are remembered; then the oldest are forgotten, which only makes the limit milder.
_CLIENTS: Final = 10_000


class Misses:
    """At most `limit` misses per client and window; 0 means no limit. One per isolate: it is a brake, not a quota."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._windows: dict[str, tuple[float, int]] = {}

    def seconds_to_wait(self, client: str | None, *, now: float) -> int:
        """0 for a client that may ask."""
        if not self._windows or client is None:
            return 0
        began, count = self._windows.get(_network(client), (now, 0))
        if count < self._limit or not began <= now < began + WINDOW_SECONDS:
            return 0
        return max(1, round(began + WINDOW_SECONDS - now))

    def count(self, client: str | None, *, now: float) -> None:
        if not self._limit or client is None:
            return
        network = _network(client)
        began, count = self._windows.pop(network, (now, 0))
        if not began <= now < began + WINDOW_SECONDS:
            began, count = now, 0
        while len(self._windows) >= _CLIENTS:
            del self._windows[next(iter(self._windows))]
        self._windows[network] = (began, count + 1)


def _network(client: str) -> str:
    """An IPv6 client has a whole /64 to choose its address from, so that counts as one."""
    if ":" not in client:
        return client
    try:
        return ipaddress.IPv6Address(client.partition("%")[0]).exploded[:19]
    except ValueError:
        return client
