"""How often a client may begin something that is written down before anyone logged in."""

from typing import Final

_MAX_CLIENTS: Final = 4096


class ClientLimit:
    """`limit` times in `seconds`, in this process; beyond 4096 clients the one that is known longest is forgotten."""

    def __init__(self, limit: int, seconds: int) -> None:
        self._limit = limit
        self._seconds = seconds
        self._counts: dict[str, tuple[int, int]] = {}

    def allows(self, ip: str, now: int) -> bool:
        since, count = self._counts.get(ip, (now, 0))
        if now >= since + self._seconds:
            since, count = now, 0
        if ip not in self._counts and len(self._counts) >= _MAX_CLIENTS:
            del self._counts[next(iter(self._counts))]
        self._counts[ip] = (since, count + 1)
        return count < self._limit
