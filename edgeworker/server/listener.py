"""Serves a handler on a listening socket."""

import asyncio
import contextlib
import errno
import os
import socket as sockets
import ssl
from collections.abc import Callable
from typing import Final

from edgeworker.clock import Clock
from edgeworker.config import Limits, Socket
from edgeworker.errors import ConfigError, SocketError
from edgeworker.handler import Handler
from edgeworker.server import proxies
from edgeworker.server.access_log import AccessLogger
from edgeworker.server.client_connection import ClientConnection
from edgeworker.server.listener_state import ListenerState
from edgeworker.server.open_connections import OpenConnections
from edgeworker.server.responder import Responder
from edgeworker.server.tls_accepting import TLSAcceptor

_BACKLOG: Final = 1024
_CUT_SECONDS: Final = 1.0  # for handlers to notice that they were cancelled


class Listener:
    """A socket that is served. `handler` may be replaced at any time: each request takes the one that is there."""

    def __init__(
        self,
        handler: Handler,
        socket: Socket,
        *,
        limits: Limits,
        clock: Clock,
        access_logger: AccessLogger | None,
        tls: ssl.SSLContext | None,
        adds_ray: bool = True,
        open_connections: OpenConnections | None = None,
    ) -> None:
        """Use `listen`."""
        self.host = ""
        self.port = 0
        self._limits = limits
        self._state = ListenerState(
            limits,
            proxies.parse_networks(socket.trusted_proxies, source="trusted_proxies"),
            proxy_protocol=socket.proxy_protocol,
            open_connections=open_connections,
        )
        self._scheme = "http" if tls is None else "https"
        self._responder = Responder(
            handler, self._state, scheme=self._scheme, clock=clock, access_logger=access_logger, adds_ray=adds_ray
        )
        self._state.serve = self._responder.serve
        self._state.log_refusal = self._responder.log_refusal
        self._tls = tls
        self._server: asyncio.Server | TLSAcceptor | None = None

    @property
    def handler(self) -> Handler:
        return self._responder.handler

    @handler.setter
    def handler(self, handler: Handler) -> None:
        self._responder.handler = handler

    @property
    def url(self) -> str:
        return f"{self._scheme}://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"

    async def open(self, address: sockets.socket) -> None:
        """Use `listen`."""
        self.host, self.port = address.getsockname()[:2]
        if self._tls is None:
            loop = asyncio.get_running_loop()
            self._server = await loop.create_server(self.connection, sock=address, backlog=_BACKLOG)
        else:
            address.listen(_BACKLOG)
            self._server = TLSAcceptor(
                address, self._tls, self._state, handshake_seconds=self._limits.tls_handshake_timeout_seconds
            )

    async def replace_tls(self, context: ssl.SSLContext) -> None:
        """New connections are served with `context`; those that are there stay as they are."""
        if self._tls is None:
            raise ValueError(f"{self.url} is not served over TLS")
        if self._state.closing or context is self._tls:
            return
        self._tls = context
        if isinstance(self._server, TLSAcceptor):
            self._server.context = context

    async def close(self, drain_seconds: float) -> None:
        """Stops accepting, lets the requests under way finish for that long, then cuts what is left."""
        self._state.closing = True
        if self._server is not None:
            self._server.close()
        connections = self._state.connections
        for connection in list(connections):
            connection.close_when_idle()
        self._responder.end_sessions()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(drain_seconds):
                while tasks := self._request_tasks():
                    await asyncio.wait(tasks)
                for connection in list(connections):
                    await connection.wait_flushed()
        tasks = self._request_tasks()
        for connection in list(connections):
            connection.abort()
        if tasks:
            await asyncio.wait(tasks, timeout=_CUT_SECONDS)

    def _request_tasks(self) -> "set[asyncio.Task[None]]":
        """The tasks that serve the requests under way."""
        return {connection.task for connection in self._state.connections if connection.task is not None}

    def answer_at_once(self, answer: Callable[[bytes], bytes | None]) -> None:
        """`answer` is shown requests as bytes before they are read, see ListenerState."""
        self._state.answer_at_once = answer

    def connection(self) -> ClientConnection:
        """The server's side of a new connection, to be connected to something other than a socket."""
        return ClientConnection(self._state)


async def listen(
    handler: Handler,
    socket: Socket,
    *,
    limits: Limits,
    clock: Clock,
    access_logger: AccessLogger | None = None,
    tls: ssl.SSLContext | None = None,
    open_connections: OpenConnections | None = None,
) -> Listener:
    """Serves `handler` on `socket` until `close`, over TLS with a context (see edgeworker.server.tls).

    `open_connections` are those of all listeners that share the bound `limits.connections`.

    `access_logger` is called once for each finished request. Raises SocketError if the address cannot be listened on,
    ConfigError for a TLS socket behind the PROXY protocol, whose header comes before the handshake.
    """
    if tls is not None and socket.proxy_protocol:
        raise ConfigError(f"{socket.host}:{socket.port}: a https socket cannot speak the PROXY protocol; leave one out")
    listener = Listener(
        handler,
        socket,
        limits=limits,
        clock=clock,
        access_logger=access_logger,
        tls=tls,
        open_connections=open_connections,
    )
    await listener.open(bind(socket))
    return listener


async def listen_on(
    address: sockets.socket, handler: Handler, socket: Socket, *, limits: Limits, clock: Clock
) -> Listener:
    """Serves `handler` on a socket that is bound already; `socket` says the rest."""
    address.setblocking(False)
    listener = Listener(handler, socket, limits=limits, clock=clock, access_logger=None, tls=None)
    await listener.open(address)
    return listener


def bind(socket: Socket) -> sockets.socket:
    """A socket that is bound to its address. Raises SocketError, which says what would be right."""
    if socket.descriptor is not None:
        inherited = sockets.socket(fileno=os.dup(socket.descriptor))
        inherited.setblocking(False)
        return inherited
    place = f"{socket.host}:{socket.port}"
    try:
        family, kind, protocol, _, address = sockets.getaddrinfo(
            socket.host, socket.port, type=sockets.SOCK_STREAM, flags=sockets.AI_PASSIVE
        )[0]
    except (sockets.gaierror, UnicodeError, OverflowError) as error:
        raise SocketError(
            f"cannot listen on {place}: no such address; use one of this machine, or 127.0.0.1"
        ) from error
    bound = sockets.socket(family, kind, protocol)
    try:
        if os.name == "posix":
            bound.setsockopt(sockets.SOL_SOCKET, sockets.SO_REUSEADDR, 1)
        bound.bind(address)
    except (OSError, OverflowError) as error:
        bound.close()
        match error:
            case OSError(errno=errno.EADDRINUSE):
                text = "the port is in use; stop the program that uses it, or take another port (0 is any free one)"
            case OSError(errno=errno.EACCES):
                text = "not allowed; ports below 1024 need more rights, so take a higher one"
            case OSError(errno=errno.EADDRNOTAVAIL):
                text = "no such address; use one of this machine, or 127.0.0.1"
            case _:
                text = f"{error}"
        raise SocketError(f"cannot listen on {place}: {text}") from error
    bound.setblocking(False)
    return bound
