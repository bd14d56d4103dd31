"""What all connections of a listener share, and the answers that are given without a request."""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Final

from edgeworker.admission import ALLOW, Refusal
from edgeworker.config import Limits
from edgeworker.messages import Client
from edgeworker.messages.client_network import client_network
from edgeworker.server import proxies
from edgeworker.server.deadline_turns import DeadlineTurns
from edgeworker.server.http1 import heads
from edgeworker.server.open_connections import OpenConnections
from edgeworker.server.received_request import ReceivedRequest

if TYPE_CHECKING:
    from edgeworker.server.client_connection import ClientConnection

# 414 is one of the statuses that a cache may keep by itself: RFC 9110, section 15.1.
_REFUSAL_FIELDS: Final = ((b"Content-Type", b"text/plain; charset=utf-8"), (b"Cache-Control", b"no-store"))


class ListenerState:
    """What all connections of a listener share.

    `serve` answers a request and in the end calls `finish_request` of its connection; `log_refusal` is called with each
    answer that was given without a request, the client's address and the ray id. Both are set by the listener. Once
    `closing` is set, no connection waits for another request. `answer_at_once` is shown what comes on a connection
    without a request under way, and may answer it with bytes; what it leaves is read as usual.
    """

    __slots__ = (
        "_by_network",
        "answer_at_once",
        "closing",
        "connections",
        "deadline_turns",
        "limits",
        "log_refusal",
        "open_connections",
        "proxy_protocol",
        "serve",
        "trusted",
    )

    serve: Callable[[ReceivedRequest], Coroutine[object, object, None]]
    log_refusal: Callable[[Refusal, str, str], None]

    def __init__(
        self,
        limits: Limits,
        trusted: Sequence[proxies.Network] = (),
        *,
        proxy_protocol: bool = False,
        open_connections: OpenConnections | None = None,
    ) -> None:
        """`open_connections` are those of all listeners that share a bound."""
        self.limits = limits
        self.open_connections = OpenConnections(limits.connections) if open_connections is None else open_connections
        self.trusted = trusted
        self.proxy_protocol = proxy_protocol
        self.closing = False
        self.answer_at_once: Callable[[bytes], bytes | None] | None = None
        self.connections: set[ClientConnection] = set()
        self.deadline_turns = DeadlineTurns()
        self._by_network: Counter[str] = Counter()

    def admit_connection(self, ip: str) -> bool:
        """Count a connection from `ip`; False, and not counted, if it has too many already."""
        network = client_network(ip)
        if self._by_network[network] >= self.limits.connections_per_address:
            return False
        self._by_network[network] += 1
        return True

    def release_connection(self, ip: str) -> None:
        network = client_network(ip)
        self._by_network[network] -= 1
        if not self._by_network[network]:
            del self._by_network[network]


def refusal_bytes(refusal: Refusal, ray: str) -> bytes:
    """A complete response, after which the connection is closed."""
    content = refusal.text.encode() + b"\n"
    fields = [
        *_REFUSAL_FIELDS,
        *([(b"Allow", ALLOW.encode("ascii"))] if refusal.status == 405 else []),
        (b"CF-Ray", ray.encode("ascii")),
        (b"Content-Length", b"%d" % len(content)),
        (b"Connection", b"close"),
    ]
    return heads.serialize_head(heads.status_line(refusal.status), fields) + content


def peer_of(transport: asyncio.Transport) -> Client:
    return address_of(transport.get_extra_info("peername"))


def address_of(peer_name: object) -> Client:
    """The client of a socket's peer name."""
    match peer_name:
        case (str(ip), int(port), *_):
            return Client(ip.partition("%")[0].removeprefix("::ffff:"), port)
        case _:
            return Client("")
