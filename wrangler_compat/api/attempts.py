"""How many wrong tokens an address may try before it has to wait. Pure.

Only different ones count: a publisher whose token was revoked sends the same one again and again, which guesses nothing
and must not keep those away who share its address (a NAT, a reverse proxy).
"""

import hashlib
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

from edgeworker.messages.client_network import client_network

MAX_WRONG_TOKENS: Final = 20
WINDOW_SECONDS: Final = 600
MAX_ADDRESSES: Final = 4096  # remembered at a time; beyond that the one that is known longest is forgotten


@dataclass(slots=True)
class _Tried:
    """`since` is when the first of the window came, epoch seconds."""

    since: int
    hashes: set[bytes] = field(default_factory=set)


class Attempts:
    """What was tried in this process. Bounded: MAX_WRONG_TOKENS hashes for each of MAX_ADDRESSES."""

    def __init__(self) -> None:
        self._tried: OrderedDict[str, _Tried] = OrderedDict()

    def wait_seconds(self, ip: str, *, now: int) -> int:
        """0: a token of this client may be looked at."""
        tried = self._tried.get(client_network(ip))
        if tried is None or len(tried.hashes) < MAX_WRONG_TOKENS:
            return 0
        return max(0, tried.since + WINDOW_SECONDS - now)

    def failed(self, ip: str, token: str, *, now: int) -> bool:
        """`token` was wrong. Returns whether the client has to wait from now on."""
        network = client_network(ip)
        tried = self._tried.get(network)
        if tried is None or not tried.since <= now < tried.since + WINDOW_SECONDS:
            self._tried.pop(network, None)
            tried = self._tried[network] = _Tried(now)
            if len(self._tried) > MAX_ADDRESSES:
                self._tried.popitem(last=False)
        tried.hashes.add(hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest())
        return len(tried.hashes) >= MAX_WRONG_TOKENS
