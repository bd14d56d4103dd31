"""How often a client may begin something that is written down before anyone logged in."""

from edgeworker.messages.client_network import client_network
from edgeworker.shared_counts import SharedCounts


class ClientLimit:
    """`limit` times in `seconds` for one client network, in all processes together. `name` is what is begun."""

    def __init__(self, name: str, limit: int, seconds: int, counts: SharedCounts) -> None:
        self._name = name
        self._limit = limit
        self._seconds = seconds
        self._counts = counts

    def allows(self, ip: str, now: int) -> bool:
        name = self._counts.name(f"Access: {self._name}", client_network(ip).encode("utf-8", "surrogateescape"))
        return self._counts.add(name, seconds=self._seconds, now=now, ends_at=now + self._seconds).total <= self._limit
