"""How many wrong tokens an address may try before it has to wait, in all processes together.

Only different ones count: a publisher whose token was revoked sends the same one again and again, which guesses nothing
and must not keep those away who share its address (a NAT, a reverse proxy).
"""

from typing import Final

from edgeworker.messages.client_network import client_network
from edgeworker.shared_counts import CountedName, SharedCounts

MAX_WRONG_TOKENS: Final = 20
WINDOW_SECONDS: Final = 600


class Attempts:
    """Addresses and tokens are groups of their own in `counts`: a flood of tokens pushes out no address."""

    def __init__(self, counts: SharedCounts) -> None:
        self._counts = counts

    def wait_seconds(self, ip: str, *, now: int) -> int:
        """0: a token of this client may be looked at."""
        counted = self._counts.look(self._address(ip), seconds=WINDOW_SECONDS, now=now)
        return counted.ends_at - now if counted.total >= MAX_WRONG_TOKENS else 0

    def failed(self, ip: str, token: str, *, now: int) -> bool:
        """`token` was wrong. Returns whether the client has to wait from now on."""
        address = self._address(ip)
        tried = self._counts.look(address, seconds=WINDOW_SECONDS, now=now)
        ends_at = tried.ends_at or now + WINDOW_SECONDS
        name = self._counts.name("wrong API tokens", address.content, token.encode("utf-8", "surrogateescape"))
        if not self._counts.look(name, seconds=WINDOW_SECONDS, now=now).total:
            self._counts.add(name, seconds=WINDOW_SECONDS, now=now, ends_at=ends_at)
            tried = self._counts.add(address, seconds=WINDOW_SECONDS, now=now, ends_at=ends_at)
        return tried.total >= MAX_WRONG_TOKENS

    def _address(self, ip: str) -> CountedName:
        return self._counts.name("addresses of wrong API tokens", client_network(ip).encode("utf-8", "surrogateescape"))
