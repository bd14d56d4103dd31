"""The sockets of a running edge: which there are, what stands behind them, and how they follow a new configuration."""

import asyncio
import logging
import socket as sockets
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol, Self

from edgeworker.clock import Clock
from edgeworker.config import Config, Socket
from edgeworker.errors import EdgeworkerError, SocketError
from edgeworker.handler import Handler
from edgeworker.host.assembly import Assembly
from edgeworker.host.file_states import LOOK_EVERY_SECONDS, States, origin_files, states
from edgeworker.host.management import listen_management
from edgeworker.routing import ServedHosts
from edgeworker.server import Listener, listen
from edgeworker.server.access_log import AccessLogger
from edgeworker.server.listener import listen_on
from edgeworker.server.open_connections import OpenConnections
from edgeworker.server.redirect import RedirectToHTTPS

if TYPE_CHECKING:
    from aiohttp.web import Application

    from edgeworker.host.tls.live_tls import LiveTLS

_log = logging.getLogger(__name__)

_API_BODY_BYTES: Final = 5 * 1024**3


class ManagementApi(Handler, Protocol):
    """The handler behind the API socket; `config` is replaced at each reload."""

    config: Config


@dataclass(frozen=True, slots=True)
class ManagementSocket:
    """A socket of the management plane beside the API's. `make` is called when aiohttp is loaded."""

    make: "Callable[[], Application]"
    socket: Socket


@dataclass(frozen=True, slots=True)
class Behind:
    """What answers on the sockets. `access_logger` gets every request to the edge's own sockets.

    Without an `api` there is no API socket. `assembly` is what a new configuration goes to, and None where the edge has
    only one. `work` runs as long as the sockets are open. `others` are more sockets of the management plane, by the
    name of their URL. `refusal_recorder` gets each request to the management plane that was refused.
    `connections` bounds those of the edge's own sockets; None: as the configuration says.
    """

    edge: Handler
    api: ManagementApi | None = None
    access_logger: AccessLogger | None = None
    assembly: Assembly | None = None
    work: Callable[[], Coroutine[object, object, None]] | None = None
    others: Mapping[str, ManagementSocket] = field(default_factory=dict)
    refusal_recorder: AccessLogger | None = None
    connections: OpenConnections | None = None


@dataclass(slots=True)
class Sockets:
    """`urls` has "url", and where there are such sockets "api_url", "https_url", "api_https_url" and "redirect_url".
    `tls` is None where nothing is served over https."""

    config: Config  # the one that is served now
    _behind: Behind
    urls: dict[str, str] = field(default_factory=dict)
    tls: "LiveTLS | None" = None
    _redirect: RedirectToHTTPS | None = None
    _origins: States = ()
    _reloading: asyncio.Lock = field(default_factory=asyncio.Lock)

    @classmethod
    async def open(
        cls,
        config: Config,
        behind: Behind,
        clock: Clock,
        stack: AsyncExitStack,
        *,
        data: Path | None,
        drain_seconds: float,
        address: sockets.socket | None = None,
        tls_clock: Clock | None = None,
    ) -> Self:
        """Listens until `stack` is closed. Raises SocketError, ConfigError or StoreError.

        `address` is bound already and takes the place of `config.edge_socket`. `tls_clock` is the time that clients of
        https go by, where `clock` is another.
        """
        opened = cls(config, behind, _origins=states(origin_files(config)))
        https, api_https, redirect = config.https_socket, config.api_https_socket, config.redirect_socket
        if https is not None or api_https is not None or config.edge_socket.tls:
            # Its libraries take a while to load, and most runs have no https.
            from edgeworker.host.tls.live_tls import LiveTLS

            if data is None:
                raise ValueError("https needs a folder for the local authority")
            opened.tls = LiveTLS(config, tls_clock or clock, data=data)
        # The API bounds the body of each of its calls itself, and answers too much with its own code.
        api_limits = replace(config.limits, body_bytes=_API_BODY_BYTES)

        connections = behind.connections  # empty ones are false
        if connections is None:
            connections = OpenConnections(config.limits.connections)

        async def serve(name: str, handler: Handler, socket: Socket, *, over_tls: bool = False) -> Listener:
            tls = opened.tls if over_tls else None
            with _naming(name):
                listener = await listen(
                    handler,
                    socket,
                    limits=config.limits,
                    clock=clock,
                    access_logger=behind.access_logger,
                    tls=None if tls is None else tls.edge,
                    open_connections=connections,
                )
            stack.push_async_callback(listener.close, drain_seconds)
            if tls is not None:
                tls.serves(listener)
            opened.urls[name] = _reachable(listener.url)
            return listener

        async def serve_management(
            name: str, make: "Callable[[], Application]", socket: Socket, *, over_tls: bool = False
        ) -> None:
            tls = opened.tls if over_tls else None
            context = None if tls is None else tls.api
            with _naming(name):
                listener = await listen_management(
                    make, socket, limits=api_limits, tls=context, refusal_recorder=behind.refusal_recorder
                )
            stack.push_async_callback(listener.close, drain_seconds)
            if tls is not None:
                tls.serves(listener, api=True)
            opened.urls[name] = _reachable(listener.url)

        def api_application(api: ManagementApi) -> "Application":
            from edgeworker.host.management.application import management_application

            return management_application(api, api_limits)

        if (api := behind.api) is not None:
            await serve_management("api_url", lambda: api_application(api), config.api_socket)
            if api_https is not None:
                await serve_management("api_https_url", lambda: api_application(api), api_https, over_tls=True)
        for name, other in behind.others.items():
            await serve_management(name, other.make, other.socket)
        if address is None:
            await serve("url", behind.edge, config.edge_socket, over_tls=config.edge_socket.tls)
        else:
            edge = await listen_on(address, behind.edge, config.edge_socket, limits=config.limits, clock=clock)
            stack.push_async_callback(edge.close, drain_seconds)
            opened.urls["url"] = edge.url
        if https is not None:
            listener = await serve("https_url", behind.edge, https, over_tls=True)
            if redirect is not None:
                from edgeworker.host.acme.files import ACMEFiles

                assert data is not None  # https has its authority there
                opened._redirect = RedirectToHTTPS(
                    ServedHosts(config), port=listener.port, find_challenge=ACMEFiles.of(data).find_challenge
                )
                await serve("redirect_url", opened._redirect, redirect)
        return opened

    async def reload(self, config: Config) -> None:
        """What is behind the sockets and what they show follows the configuration; where they listen does not.

        Raises ConfigError, ScriptError or StoreError, and then nothing has changed.
        """
        async with self._reloading:
            prepared = None if self.tls is None else await self.tls.prepare(config)
            if self._behind.assembly is not None:
                await self._behind.assembly.reload(config)
            self.config = config
            if self._behind.api is not None:
                self._behind.api.config = config
            self._origins = states(origin_files(config))
            if self.tls is not None and prepared is not None:
                await self.tls.use(prepared)
            if self._redirect is not None:
                self._redirect.hosts = ServedHosts(config)

    async def watch(self, clock: Clock) -> None:
        """Follows the files that TLS is made of, until it is cancelled."""
        while True:
            await clock.sleep(LOOK_EVERY_SECONDS)
            if self.tls is not None:
                await self.tls.check()
            now = states(origin_files(self.config))
            if now != self._origins:
                self._origins = now
                await self._reload_origins()

    async def _reload_origins(self) -> None:
        if self._behind.assembly is None:
            return
        try:
            async with self._reloading:  # not what a reload meanwhile replaces
                await self._behind.assembly.reload(self.config)
        except EdgeworkerError as error:
            _log.error("%s\nWhat was read before this change stays in use.", error)
            return
        _log.info("reloaded (the TLS files of origins)")


def _reachable(url: str) -> str:
    """A URL that answers: nothing can be called at the address that stands for all of a machine's."""
    return url.replace("://0.0.0.0:", "://127.0.0.1:").replace("://[::]:", "://[::1]:")


@contextmanager
def _naming(name: str) -> Iterator[None]:
    """Names the socket in a SocketError."""
    try:
        yield
    except SocketError as error:
        raise SocketError(str(error), socket=name) from error
