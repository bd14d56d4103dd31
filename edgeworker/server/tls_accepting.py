"""Accepts connections on a https socket: the handshake, or an answer for a client that speaks plain HTTP to it.

asyncio's own server ends a connection whose handshake fails without a word, to the client and to the log.
"""

import asyncio
import errno
import logging
import socket as sockets
import ssl
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Final

from edgeworker.admission import Refusal
from edgeworker.messages.client_network import client_network
from edgeworker.rays import new_ray
from edgeworker.server import proxies
from edgeworker.server.client_connection import ClientConnection
from edgeworker.server.listener_state import ListenerState, address_of
from edgeworker.server.tls_alerts import HANDSHAKING

_log = logging.getLogger(__name__)

_IS_PLAIN: Final = Refusal(400, "The client speaks plain HTTP, and this port speaks TLS; use https://.")
_NO_RESOURCES: Final = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM))
_RETRY_SECONDS: Final = 1.0  # as asyncio's server
_TOO_MANY_OF_NETWORK: Final = Refusal(429, "There are too many TLS handshakes under way from this address.")
_TOO_MANY: Final = Refusal(503, "There are too many connections; their TLS handshakes were not begun.")
# When there is room for no more connections, so many clients at a time may finish the handshake and be told so.
_REFUSED_AT_A_TIME: Final = 16


class _Handshake:
    """A connection before it is one of the listener's. It counts as one that waits: where there is no more room, those
    that wait longest are closed first."""

    __slots__ = ("_end", "_task", "has_begun", "idle_since", "is_counted")

    def __init__(self, end: "Callable[[_Handshake], None]") -> None:
        self.idle_since: float | None = asyncio.get_running_loop().time()
        self.is_counted = False  # in the bound of all connections
        self.has_begun = False
        self._end: Callable[[_Handshake], None] | None = end
        self._task: asyncio.Task[None] | None = None

    def run(self, work: "asyncio.Task[None]") -> None:
        self._task = work

    def close_when_idle(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def end(self) -> None:
        """It counts no more. May be called again."""
        end, self._end = self._end, None
        if end is not None:
            end(self)


class TLSAcceptor:
    """`context` may be replaced at any time: each handshake takes the one that is there."""

    def __init__(
        self,
        address: sockets.socket,
        context: ssl.SSLContext,
        state: ListenerState,
        *,
        handshake_seconds: float,
    ) -> None:
        """`address` listens; it is closed with the acceptor."""
        self.context = context
        self._address = address
        self._state = state
        self._handshake_seconds = handshake_seconds
        self._handshakes: set[asyncio.Task[None]] = set()
        self._by_network: Counter[str] = Counter()
        self._refused = 0  # handshakes after which the client is told that there is no room
        self._accepting = asyncio.get_running_loop().create_task(self._accept())

    def close(self) -> None:
        """Accept no more, and end what has not finished its handshake."""
        self._accepting.cancel()
        asyncio.get_running_loop().remove_reader(self._address)
        self._address.close()
        for handshake in self._handshakes:
            handshake.cancel()

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, _ = await loop.sock_accept(self._address)
            except OSError as error:
                is_full = error.errno in _NO_RESOURCES
                if is_full:  # told as asyncio's server tells it, and `serve` makes one line of that
                    told = {"message": "socket.accept() out of system resource", "exception": error}
                    loop.call_exception_handler(told)
                await asyncio.sleep(_RETRY_SECONDS if is_full else 0)  # else the client has gone
                continue
            ip = address_of(_peer_name(connection)).ip
            begun = self._begin(ip)
            if isinstance(begun, Refusal):
                connection.close()
                self._state.log_refusal(begun, ip, new_ray())
                continue
            work = loop.create_task(self._shake_hands(connection, ip, begun))
            begun.run(work)
            self._handshakes.add(work)
            work.add_done_callback(partial(self._forget, connection, begun))

    def _forget(self, connection: sockets.socket, handshake: _Handshake, work: "asyncio.Task[None]") -> None:
        self._handshakes.discard(work)
        handshake.end()
        if not handshake.has_begun:  # cancelled before its first step, which would have closed it
            connection.close()

    def _begin(self, ip: str) -> _Handshake | Refusal:
        """Count a handshake, for its network and among all connections."""
        network, limits = client_network(ip), self._state.limits
        is_bounded = not proxies.is_trusted(ip, self._state.trusted)
        if is_bounded and self._by_network[network] >= limits.connections_per_address:
            return _TOO_MANY_OF_NETWORK
        handshake = _Handshake(lambda ended: self._end(ended, network if is_bounded else None))
        handshake.is_counted = self._state.open_connections.admit(handshake)
        if not handshake.is_counted:
            if self._refused >= _REFUSED_AT_A_TIME:
                return _TOO_MANY
            self._refused += 1
        if is_bounded:
            self._by_network[network] += 1
        return handshake

    def _end(self, handshake: _Handshake, network: str | None) -> None:
        if handshake.is_counted:
            self._state.open_connections.release(handshake)
        else:
            self._refused -= 1
        if network is not None:
            self._by_network[network] -= 1
            if not self._by_network[network]:
                del self._by_network[network]

    async def _shake_hands(self, connection: sockets.socket, client: str, handshake: _Handshake) -> None:
        loop, state = asyncio.get_running_loop(), self._state
        handshake.has_begun = True
        try:
            async with asyncio.timeout(self._handshake_seconds):
                first = await _peek(connection)
        except BaseException as error:
            connection.close()
            if isinstance(error, OSError):  # TimeoutError among them
                return
            raise
        if not first:  # a check whether the port is open
            connection.close()
            return
        try:
            if first.isalpha() and first.isascii():  # a method; every TLS record begins with a control character
                await loop.connect_accepted_socket(
                    lambda: ClientConnection(state, refusal=_IS_PLAIN, end_handshake=handshake.end), connection
                )
                return
            HANDSHAKING.set(connection)
            await loop.connect_accepted_socket(
                lambda: ClientConnection(state, end_handshake=handshake.end),
                connection,
                ssl=self.context,
                ssl_handshake_timeout=self._handshake_seconds,
            )
        except ssl.SSLError as error:
            fields = {"client": client}
            _log.info("TLS handshake with %s failed: %s", client, _describe_failure(error), extra={"fields": fields})
        except OSError:
            pass  # the client has gone, or was too slow


def _describe_failure(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the client's certificate is refused: {error.verify_message}"
    return error.reason or str(error)


async def _peek(connection: sockets.socket) -> bytes:
    """The first byte that a client sends, which stays unread; b"" if it sends none. Raises OSError."""
    loop = asyncio.get_running_loop()
    while True:
        try:
            return connection.recv(1, sockets.MSG_PEEK)
        except BlockingIOError:
            pass
        readable = loop.create_future()
        loop.add_reader(connection, _set_readable, readable)
        try:
            await readable
        finally:
            loop.remove_reader(connection)


def _set_readable(readable: "asyncio.Future[None]") -> None:
    if not readable.done():
        readable.set_result(None)


def _peer_name(connection: sockets.socket) -> object:
    try:
        return connection.getpeername()
    except OSError:
        return None
