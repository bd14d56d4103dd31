"""The sockets of a running edge: which there are, what stands behind them, and how they follow a new configuration."""

import logging
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Protocol, Self

from edgeworker.clock import Clock
from edgeworker.config import Config, Socket
from edgeworker.errors import EdgeworkerError
from edgeworker.handler import Handler
from edgeworker.host.assembly import Assembly
from edgeworker.host.datadir import DataDir
from edgeworker.host.file_states import LOOK_EVERY_SECONDS, States, origin_files, states
from edgeworker.routing import ServedHosts
from edgeworker.server import Listener, listen
from edgeworker.server.access_log import AccessLogger
from edgeworker.server.redirect import RedirectToHTTPS

if TYPE_CHECKING:
    from edgeworker.host.tls.live_tls import LiveTLS

_log = logging.getLogger(__name__)

_API_BODY_BYTES: Final = 5 * 1024**3


class ManagementApi(Handler, Protocol):
    """The handler behind the API socket; `config` is replaced at each reload."""

    config: Config


@dataclass(frozen=True, slots=True)
class Behind:
    """What answers on the sockets. `access_logger` is told every request of the edge's own."""

    assembly: Assembly
    edge: Handler
    api: "ManagementApi"
    access_logger: AccessLogger | None


@dataclass(slots=True)
class Sockets:
    """`urls` has "url" and "api_url", and where there are such sockets "https_url", "api_https_url" and
    "redirect_url". `tls` is None where nothing is served over https."""

    _behind: Behind
    urls: dict[str, str] = field(default_factory=dict)
    tls: "LiveTLS | None" = None
    _redirect: RedirectToHTTPS | None = None
    _origins: States = ()

    @classmethod
    async def open(cls, config: Config, behind: Behind, data: DataDir, clock: Clock, stack: AsyncExitStack) -> Self:
        """Listens until `stack` is closed. Raises SocketError, ConfigError or StoreError."""
        sockets = cls(behind, _origins=states(origin_files(config)))
        drain = config.limits.drain_timeout_seconds

        async def serve(name: str, handler: Handler, socket: Socket, *, over_tls: bool = False) -> Listener:
            is_api = handler is behind.api
            tls = sockets.tls if over_tls else None
            listener = await listen(
                handler,
                socket,
                # The API bounds the body of each of its calls itself, and answers too much with its own code.
                limits=replace(config.limits, body_bytes=_API_BODY_BYTES) if is_api else config.limits,
                clock=clock,
                access_logger=None if is_api else behind.access_logger,
                tls=None if tls is None else tls.api if is_api else tls.edge,
            )
            stack.push_async_callback(listener.close, drain)
            if tls is not None:
                tls.serves(listener, api=is_api)
            sockets.urls[name] = listener.url
            return listener

        https, api_https, redirect = config.https_socket, config.api_https_socket, config.redirect_socket
        if https is not None or api_https is not None:
            # Its libraries take a while to load, and most runs have no https.
            from edgeworker.host.tls.live_tls import LiveTLS

            sockets.tls = LiveTLS(config, clock, data=data.path)
        await serve("api_url", behind.api, config.api_socket)
        if api_https is not None:
            await serve("api_https_url", behind.api, api_https, over_tls=True)
        await serve("url", behind.edge, config.edge_socket)
        if https is not None:
            listener = await serve("https_url", behind.edge, https, over_tls=True)
            if redirect is not None:
                sockets._redirect = RedirectToHTTPS(ServedHosts(config), port=listener.port)
                await serve("redirect_url", sockets._redirect, redirect)
        return sockets

    @property
    def config(self) -> Config:
        """The one that is served now."""
        return self._behind.assembly.config

    async def reload(self, config: Config) -> None:
        """What is behind the sockets and what they show follows the configuration; where they listen does not.

        Raises ConfigError, ScriptError or StoreError, and then nothing has changed.
        """
        prepared = None if self.tls is None else self.tls.prepared(config)
        await self._behind.assembly.reload(config)
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
        try:
            await self._behind.assembly.reload(self.config)
        except EdgeworkerError as error:
            _log.error("%s\nWhat was read before this change stays in use.", error)
            return
        _log.info("reloaded (the TLS files of origins)")
