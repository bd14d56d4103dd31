"""Sockets with a handler behind them, over aiohttp's low-level server."""

import asyncio
import errno
import logging
import os
import socket as sockets
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import formatdate
from typing import Final

from aiohttp import HttpVersion10, web

from edgeworker.admission import Refusal
from edgeworker.clock import Clock
from edgeworker.config import Limits, Socket
from edgeworker.errors import ConfigError, SocketError
from edgeworker.handler import Handler
from edgeworker.messages import Headers, Request, Response, Upgrade, WebSocketEnd
from edgeworker.server import incoming, outgoing, proxies, upgraded, websocket
from edgeworker.server.client_tls import NO_TLS
from edgeworker.server.incoming import BodyRefused, Incoming
from edgeworker.server.protocol import ClientConnection, Door

_log = logging.getLogger(__name__)

_BACKLOG: Final = 1024
_NO_HANDSHAKE: Final = Refusal(426, "This URL speaks WebSocket: ask for an upgrade with a key and version 13.")
_CUT_SECONDS: Final = 1.0  # for handlers to notice that they were cancelled


@dataclass(frozen=True, slots=True)
class Summary:
    """One finished request, for one log line. `host` and `path` are "-" where the request was refused unread.

    `seconds` runs from the head of the request to the last byte of the answer given to the system; `sent_bytes` counts
    the answer's body. `complete` is False where the answer was cut or the client had gone.
    """

    method: str
    host: str
    path: str
    status: int
    seconds: float
    sent_bytes: int
    complete: bool = True
    served_by: str = ""  # see Response.served_by


OnRequest = Callable[[Summary], None]


class Listener:
    """A socket that is served. `handler` may be replaced at any time: each request takes the one that is there."""

    def __init__(
        self,
        handler: Handler,
        socket: Socket,
        *,
        limits: Limits,
        clock: Clock,
        on_request: OnRequest | None,
        tls: ssl.SSLContext | None,
    ) -> None:
        """Use `listen`."""
        self.handler = handler
        self.host = ""
        self.port = 0
        self._limits = limits
        self._door = Door(
            limits,
            self._refused,
            proxies.parse_networks(socket.trusted_proxies, source="trusted_proxies"),
            socket.proxy_protocol,
        )
        self._clock = clock
        self._on_request = on_request
        self._tls = tls
        self._scheme = "http" if tls is None else "https"
        self._server = web.Server(self._serve, request_factory=Incoming, handler_cancellation=True)
        self._listening: asyncio.Server | None = None
        self._address: sockets.socket | None = None
        self._closing = False
        self._under_way = 0
        self._all_done: asyncio.Future[None] | None = None
        self._upgrades: set[Upgrade] = set()
        self._talks: set[asyncio.Task[object]] = set()
        self._date = (0, b"")

    @property
    def url(self) -> str:
        return f"{self._scheme}://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"

    async def open(self, address: sockets.socket) -> None:
        """Use `listen`."""
        self.host, self.port = address.getsockname()[:2]
        self._address = address
        await self._accept()

    async def replace_tls(self, context: ssl.SSLContext) -> None:
        """New connections are served with `context`; those that are there stay as they are."""
        if self._tls is None:
            raise ValueError(f"{self.url} is not served over TLS")
        if self._closing or context is self._tls:
            return
        self._tls = context
        before = self._listening
        await self._accept()
        if before is not None:
            before.close()

    async def _accept(self) -> None:
        """Begins to accept. What was accepting before may do so for a moment longer: both take from one queue."""
        assert self._address is not None
        self._listening = await asyncio.get_running_loop().create_server(
            self.connection,
            sock=self._address.dup(),
            backlog=_BACKLOG,
            ssl=self._tls,
            ssl_handshake_timeout=None if self._tls is None else self._limits.tls_handshake_timeout_seconds,
        )

    async def close(self, drain_seconds: float) -> None:
        """Stops accepting, lets the requests under way finish for that long, then cuts what is left."""
        self._closing = True
        if self._listening is not None:
            self._listening.close()
        if self._address is not None:
            self._address.close()
        self._server.pre_shutdown()
        # A WebSocket has no end of its own to wait for.
        for upgrade in self._upgrades:
            upgrade.close()
        for talk in self._talks:
            talk.cancel()
        if self._under_way:
            self._all_done = asyncio.get_running_loop().create_future()
            await asyncio.wait([self._all_done], timeout=drain_seconds)
        for connection in self._server.connections:
            if isinstance(connection, ClientConnection):
                connection.cut()
        await self._server.shutdown(timeout=_CUT_SECONDS)

    def connection(self) -> ClientConnection:
        """The server's side of a new connection, for whoever connects it to something else than a socket."""
        return ClientConnection(self._server, self._door)

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        assert isinstance(request, Incoming)
        connection = request.connection
        self._under_way += 1
        try:
            return await self._answer(request, connection)
        finally:
            connection.ends()
            self._under_way -= 1
            if self._all_done is not None and not self._under_way and not self._all_done.done():
                self._all_done.set_result(None)

    async def _answer(self, request: Incoming, connection: ClientConnection) -> web.StreamResponse:
        begun = 0.0 if self._on_request is None else self._clock.monotonic()
        message = request.parsed
        client, scheme = connection.client, self._scheme
        if connection.trusted:
            client, scheme = incoming.behind_proxies(message, client, scheme, self._door.trusted)
        # What a proxy's own connection says is nothing that its client said.
        cf = connection.tls.cf if client is connection.client else NO_TLS.cf
        arrived = incoming.read(request, scheme=scheme, client=client, limits=self._limits, cf=cf)
        keep_alive = not message.should_close and not self._closing
        if isinstance(arrived, Refusal):
            response, keep_alive = _page(arrived), False
        else:
            response = await self._fetch(arrived)
            refusal = None if request.client_body is None else request.client_body.refusal
            if refusal is not None:
                await response.close()
                response, keep_alive = _page(refusal), False
        if isinstance(arrived, Request) and response.upgrade is not None and response.status == 101 and message.upgrade:
            return await self._switch(request, arrived, response, response.upgrade, begun)
        if isinstance(arrived, Request) and response.web_socket is not None:
            if websocket.understood(request):
                return await self._converse(request, arrived, response, response.web_socket, begun)
            await response.close()
            response, keep_alive = _page(_NO_HANDSHAKE), False
        unread = not request.payload.is_eof()
        if message.chunked and connection.may_hold_trailers:
            keep_alive = False
        framed = self._frame(response, request, keep_alive=keep_alive and not unread)
        sent, complete = 0, True
        try:
            sent = await outgoing.write(framed, request, timeout_seconds=self._limits.write_timeout_seconds)
        except outgoing.Unfinished as error:
            place = "-" if isinstance(arrived, Refusal) else _place(arrived)
            _log.warning("%s %s: the answer was cut: %s", message.method, place, error, exc_info=error.__cause__)
            self._cut(request)
            complete = False
        except ConnectionError:
            complete = False
        if framed.body is not response.body or not complete:
            await response.close()
        if self._on_request is not None:
            host, path = ("-", "-") if isinstance(arrived, Refusal) else (arrived.url.host, arrived.url.path)
            seconds = self._clock.monotonic() - begun
            self._on_request(
                Summary(message.method, host, path, framed.status, seconds, sent, complete, response.served_by)
            )
        if unread and complete and not request.payload.is_eof():
            connection.hang_up()
            await connection.lingered()
        return outgoing.GOES_ON if framed.keep_alive and complete else outgoing.ENDS

    async def _switch(
        self, request: Incoming, arrived: Request, response: Response, upgrade: Upgrade, begun: float
    ) -> web.StreamResponse:
        """Carries bytes both ways until an end is done. The line for the log comes then."""
        sent, complete = 0, True
        self._upgrades.add(upgrade)
        try:
            timeout = self._limits.write_timeout_seconds
            sent = await upgraded.switch(response, upgrade, request, date=self._http_date(), timeout_seconds=timeout)
        except ConnectionError:
            complete = False
        finally:
            self._upgrades.discard(upgrade)
            upgrade.close()
            if self._on_request is not None:
                seconds, url = self._clock.monotonic() - begun, arrived.url
                self._on_request(Summary("GET", url.host, url.path, 101, seconds, sent, complete, response.served_by))
        return outgoing.ENDS

    async def _converse(
        self, request: Incoming, arrived: Request, response: Response, end: WebSocketEnd, begun: float
    ) -> web.StreamResponse:
        """Carries messages between client and script. The line for the log comes at the end."""
        talk = asyncio.current_task()
        assert talk is not None
        self._talks.add(talk)
        try:
            await websocket.converse(response, end, request)
        except asyncio.CancelledError:
            if not self._closing:
                raise  # the client has gone
        finally:
            self._talks.discard(talk)
            if self._on_request is not None:
                seconds, url = self._clock.monotonic() - begun, arrived.url
                self._on_request(Summary("GET", url.host, url.path, 101, seconds, 0, True, response.served_by))
        return outgoing.ENDS

    def _frame(self, response: Response, request: Incoming, *, keep_alive: bool) -> outgoing.Framed:
        message = request.parsed
        http10 = message.version <= HttpVersion10
        date = self._http_date()
        try:
            return outgoing.frame(response, method=message.method, date=date, keep_alive=keep_alive, http10=http10)
        except ValueError:
            _log.exception("%s: the handler made a response that cannot be written", message.method)
            page = _page(Refusal(500, "Internal Server Error"))
            return outgoing.frame(page, method=message.method, date=date, keep_alive=False, http10=http10)

    async def _fetch(self, request: Request) -> Response:
        try:
            return await self.handler.fetch(request)
        except BodyRefused as error:
            return _page(error.refusal)
        except Exception:  # noqa: BLE001  # whatever a handler does wrong, the client gets an answer
            _log.exception("%s %s: the handler failed", request.method, _place(request))
            return _page(Refusal(500, "Internal Server Error"))

    def _refused(self, status: int) -> None:
        if self._on_request is not None:
            self._on_request(Summary("-", "-", "-", status, 0.0, 0))

    def _cut(self, request: Incoming) -> None:
        if request.transport is not None:
            request.transport.abort()

    def _http_date(self) -> bytes:
        now = self._clock.now()
        if self._date[0] != now:
            self._date = (now, formatdate(now, usegmt=True).encode("ascii"))
        return self._date[1]


async def listen(
    handler: Handler,
    socket: Socket,
    *,
    limits: Limits,
    clock: Clock,
    on_request: OnRequest | None = None,
    tls: ssl.SSLContext | None = None,
) -> Listener:
    """Serves `handler` on `socket` until `close`, over TLS with a context (see edgeworker.server.tls).

    `on_request` is called once for each finished request. Raises SocketError where the address cannot be listened on,
    ConfigError for a TLS socket behind the PROXY protocol, whose header comes before the handshake.
    """
    if tls is not None and socket.proxy_protocol:
        raise ConfigError(f"{socket.host}:{socket.port}: a https socket cannot speak the PROXY protocol; leave one out")
    listener = Listener(handler, socket, limits=limits, clock=clock, on_request=on_request, tls=tls)
    await listener.open(_bind(socket))
    return listener


async def listen_on(
    address: sockets.socket, handler: Handler, socket: Socket, *, limits: Limits, clock: Clock
) -> Listener:
    """Serves `handler` on a socket that is bound already; `socket` says the rest."""
    address.setblocking(False)
    listener = Listener(handler, socket, limits=limits, clock=clock, on_request=None, tls=None)
    await listener.open(address)
    return listener


def _bind(socket: Socket) -> sockets.socket:
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
                text = "the port is in use; stop who uses it, or take another port (0 is any free one)"
            case OSError(errno=errno.EACCES):
                text = "not allowed; ports below 1024 need more rights, so take a higher one"
            case OSError(errno=errno.EADDRNOTAVAIL):
                text = "no such address; use one of this machine, or 127.0.0.1"
            case _:
                text = f"{error}"
        raise SocketError(f"cannot listen on {place}: {text}") from error
    bound.setblocking(False)
    return bound


def _page(refusal: Refusal) -> Response:
    headers = Headers({"Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store"})
    return Response(refusal.status, headers, refusal.text.encode() + b"\n")


def _place(request: Request) -> str:
    return f"{request.url.origin}{request.url.path}"
