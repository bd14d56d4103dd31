"""Accepts connections on a https socket: the handshake, or an answer for a client that speaks plain HTTP to it.

asyncio's own server ends a connection whose handshake fails without a word, to the client and to the log.
"""

import asyncio
import errno
import logging
import socket as sockets
import ssl
from typing import Final

from edgeworker.admission import Refusal
from edgeworker.server.client_connection import ClientConnection
from edgeworker.server.listener_state import ListenerState, address_of

_log = logging.getLogger(__name__)

_IS_PLAIN: Final = Refusal(400, "The client speaks plain HTTP, and this port speaks TLS; use https://.")
_NO_RESOURCES: Final = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM))
_RETRY_SECONDS: Final = 1.0  # as asyncio's server


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
            handshake = loop.create_task(self._shake_hands(connection))
            self._handshakes.add(handshake)
            handshake.add_done_callback(self._handshakes.discard)

    async def _shake_hands(self, connection: sockets.socket) -> None:
        loop, client = asyncio.get_running_loop(), address_of(_peer_name(connection)).ip
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
                await loop.connect_accepted_socket(lambda: ClientConnection(self._state, refusal=_IS_PLAIN), connection)
                return
            await loop.connect_accepted_socket(
                lambda: ClientConnection(self._state),
                connection,
                ssl=self.context,
                ssl_handshake_timeout=self._handshake_seconds,
            )
        except ssl.SSLError as error:
            _log.info("TLS handshake failed: %s", error.reason or error, extra={"fields": {"client": client}})
        except OSError:
            pass  # the client has gone, or was too slow


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
