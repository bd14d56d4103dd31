"""What all connections of a listener share, and what can be said at the door, without a request."""

import asyncio
import os
import struct
from asyncio.trsock import TransportSocket
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import IPv6Address, IPv6Network
from socket import SO_LINGER, SOL_SOCKET
from typing import TYPE_CHECKING, Final

from edgeworker.admission import Refusal
from edgeworker.config import Limits
from edgeworker.messages import Client
from edgeworker.server import proxies, wire
from edgeworker.server.client_body import ClientBody
from edgeworker.server.request_parser import Head

if TYPE_CHECKING:
    from edgeworker.server.protocol import ClientConnection

# 414 is one of the statuses that a cache may keep by itself: RFC 9110, section 15.1.
_PLAIN: Final = ((b"Content-Type", b"text/plain; charset=utf-8"), (b"Cache-Control", b"no-store"))


class Incoming:
    """A request that is being served. `body` is None where it has none."""

    __slots__ = ("body", "connection", "head")

    def __init__(self, connection: "ClientConnection", head: Head, body: ClientBody | None) -> None:
        self.connection = connection
        self.head = head
        self.body = body


@dataclass(slots=True)
class Door:
    """What all connections of a listener share.

    `serve` answers a request and calls `finished` of its connection at last. `refused` is told the status of what was
    refused unread. Once it is `closing`, no connection waits for another request.
    """

    limits: Limits
    serve: Callable[[Incoming], Coroutine[object, object, None]]
    refused: Callable[[int], None]
    trusted: Sequence[proxies.Network] = ()
    proxy_protocol: bool = False
    closing: bool = False
    connections: "set[ClientConnection]" = field(default_factory=set)
    _by_address: "Counter[str]" = field(default_factory=Counter)

    def enters(self, ip: str) -> bool:
        """Counts a connection from `ip`; False where it has too many already, and then it is not counted."""
        one = _network(ip)
        if self._by_address[one] >= self.limits.connections_per_address:
            return False
        self._by_address[one] += 1
        return True

    def leaves(self, ip: str) -> None:
        one = _network(ip)
        self._by_address[one] -= 1
        if not self._by_address[one]:
            del self._by_address[one]


@lru_cache(maxsize=1024)
def _network(ip: str) -> str:
    """Of IPv6 the first 64 bits: one client has all of the rest."""
    return ip if ":" not in ip else str(IPv6Network((int(IPv6Address(ip)) >> 64 << 64, 64)))


def refusal_bytes(refusal: Refusal) -> bytes:
    """A whole answer, after which the connection is closed."""
    content = refusal.text.encode() + b"\n"
    fields = [*_PLAIN, (b"Content-Length", b"%d" % len(content)), (b"Connection", b"close")]
    return wire.head(wire.status_line(refusal.status), fields) + content


def peer(transport: asyncio.Transport) -> Client:
    address: object = transport.get_extra_info("peername")
    match address:
        case (str(ip), int(port), *_):
            return Client(ip.partition("%")[0].removeprefix("::ffff:"), port)
        case _:
            return Client("")


def reset_when_closed(transport: asyncio.Transport) -> None:
    """Has the client see an error in place of the end: what is on its way is lost, and the connection reset."""
    socket: object = transport.get_extra_info("socket")
    if isinstance(socket, TransportSocket):
        # The two numbers of struct linger: on, for no time.
        socket.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("hh" if os.name == "nt" else "ii", 1, 0))
