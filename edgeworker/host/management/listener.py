"""A socket of the management plane."""

import asyncio
import contextlib
import socket as sockets
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from edgeworker.admission import Refusal
from edgeworker.config import Limits, Socket
from edgeworker.errors import ConfigError
from edgeworker.host.management.connection import ManagementConnection, Shared
from edgeworker.server import proxies
from edgeworker.server.access_log import AccessLogger, build_unread_record
from edgeworker.server.listener import bind
from edgeworker.server.listener_state import ListenerState
from edgeworker.server.open_connections import OpenConnections

if TYPE_CHECKING:
    from aiohttp.web import Application
    from aiohttp.web_protocol import RequestHandler

    from edgeworker.host.management.running import Running

MOST_CONNECTIONS: Final = 256  # of one socket; those that only wait make room
_BACKLOG: Final = 128
_CUT_SECONDS: Final = 1.0  # for handlers to notice that they were cancelled


class ManagementListener:
    """Serves an application, which is made when the first request has come in."""

    def __init__(
        self,
        make: "Callable[[], Application]",
        socket: Socket,
        address: sockets.socket,
        *,
        limits: Limits,
        tls: ssl.SSLContext | None,
        refusal_recorder: AccessLogger | None,
    ) -> None:
        """Use `listen_management`."""
        self.host, self.port = address.getsockname()[:2]
        self._make = make
        self._address = address
        self._tls = tls
        self._listening: asyncio.Server | None = None
        self._running: Running | None = None
        self._loading: asyncio.Task[Running] | None = None
        trusted = proxies.parse_networks(socket.trusted_proxies, source="trusted_proxies")
        # Not those of the edge: those who look after it get in while clients have used up limits.connections.
        state = ListenerState(
            limits,
            trusted,
            proxy_protocol=socket.proxy_protocol,
            open_connections=OpenConnections(MOST_CONNECTIONS),
        )

        def log_refusal(refusal: Refusal, ip: str, ray: str) -> None:
            if refusal_recorder is not None:
                refusal_recorder(build_unread_record(refusal, client=ip, ray=ray))

        state.log_refusal = log_refusal
        self._shared = Shared(state, "http" if tls is None else "https", self._protocol, record=refusal_recorder)

    @property
    def url(self) -> str:
        return f"{self._shared.scheme}://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"

    async def accept(self) -> None:
        """Begins to accept. What was accepting before may do so for a moment longer: both take from one queue."""
        self._listening = await asyncio.get_running_loop().create_server(
            lambda: ManagementConnection(self._shared),
            sock=self._address.dup(),
            backlog=_BACKLOG,
            ssl=self._tls,
            ssl_handshake_timeout=None
            if self._tls is None
            else self._shared.state.limits.tls_handshake_timeout_seconds,
        )

    async def replace_tls(self, context: ssl.SSLContext) -> None:
        """New connections are served with `context`; those that are there stay as they are."""
        if self._shared.state.closing or context is self._tls:
            return
        self._tls = context
        before = self._listening
        await self.accept()
        if before is not None:
            before.close()

    async def close(self, drain_seconds: float) -> None:
        """Stops accepting, lets the requests under way finish for that long, then cuts what is left."""
        self._shared.state.closing = True
        if self._listening is not None:
            self._listening.close()
        self._address.close()
        if self._running is not None:
            self._running.stopping.set()
        connections = self._shared.connections
        for connection in list(connections):
            connection.close_when_idle()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(drain_seconds):
                for connection in list(connections):
                    await connection.response_finished()
        for connection in list(connections):
            connection.abort()
        if self._running is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_CUT_SECONDS):
                    await self._running.close()

    async def _protocol(self) -> "RequestHandler":
        if self._running is None:
            if self._loading is None:
                self._loading = asyncio.get_running_loop().create_task(self._load())
            # Several connections may wait; one that goes away must not cancel it for the others.
            self._running = await asyncio.shield(self._loading)
        return self._running.protocol()

    async def _load(self) -> "Running":
        from edgeworker.host.management.loading import load_running

        return await load_running(self._make)


async def listen_management(
    make: "Callable[[], Application]",
    socket: Socket,
    *,
    limits: Limits,
    tls: ssl.SSLContext | None = None,
    refusal_recorder: AccessLogger | None = None,
) -> ManagementListener:
    """Serves the application that `make` gives; `refusal_recorder` gets each request that was refused.

    Raises SocketError, and ConfigError as `server.listen` does.
    """
    if tls is not None and socket.proxy_protocol:
        raise ConfigError(f"{socket.host}:{socket.port}: a https socket cannot speak the PROXY protocol; leave one out")
    listener = ManagementListener(make, socket, bind(socket), limits=limits, tls=tls, refusal_recorder=refusal_recorder)
    await listener.accept()
    return listener
