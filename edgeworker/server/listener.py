"""Sockets with a handler behind them."""

import asyncio
import contextlib
import errno
import logging
import os
import socket as sockets
import ssl
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from email.utils import formatdate
from typing import Final

from edgeworker.admission import Refusal
from edgeworker.clock import Clock
from edgeworker.config import Limits, Socket
from edgeworker.errors import ConfigError, SocketError
from edgeworker.handler import Handler
from edgeworker.messages import Headers, Request, Response, Upgrade
from edgeworker.server import proxies, received_request, response_writer, upgraded
from edgeworker.server.client_body import BodyRefused
from edgeworker.server.client_connection import ClientConnection
from edgeworker.server.client_tls import NO_TLS
from edgeworker.server.http1.request_parser import RequestHead
from edgeworker.server.listener_state import ListenerState
from edgeworker.server.received_request import ReceivedRequest
from edgeworker.server.upgraded import ClientStream

_log = logging.getLogger(__name__)

_BACKLOG: Final = 1024
_NO_HANDSHAKE: Final = Refusal(426, "This URL speaks WebSocket: ask for an upgrade with a key and version 13.")
_CUT_SECONDS: Final = 1.0  # for handlers to notice that they were cancelled


@dataclass(frozen=True, slots=True)
class AccessLogRecord:
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


AccessLogger = Callable[[AccessLogRecord], None]


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
    ) -> None:
        """Use `listen`."""
        self.handler = handler
        self.host = ""
        self.port = 0
        self._limits = limits
        self._state = ListenerState(
            limits,
            self._serve,
            self._log_refusal,
            proxies.parse_networks(socket.trusted_proxies, source="trusted_proxies"),
            socket.proxy_protocol,
        )
        self._clock = clock
        self._access_logger = access_logger
        self._tls = tls
        self._scheme = "http" if tls is None else "https"
        self._listening: asyncio.Server | None = None
        self._address: sockets.socket | None = None
        self._upgrades: set[Upgrade] = set()
        self._sessions: set[asyncio.Task[object]] = set()
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
        if self._state.closing or context is self._tls:
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
        self._state.closing = True
        if self._listening is not None:
            self._listening.close()
        if self._address is not None:
            self._address.close()
        connections = self._state.connections
        for connection in list(connections):
            connection.close_when_idle()
        # A WebSocket has no end of its own to wait for.
        for upgrade in self._upgrades:
            upgrade.close()
        for session in self._sessions:
            session.cancel()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(drain_seconds):
                while tasks := self._tasks():
                    await asyncio.wait(tasks)
                for connection in list(connections):
                    await connection.wait_flushed()
        tasks = self._tasks()
        for connection in list(connections):
            connection.abort()
        if tasks:
            await asyncio.wait(tasks, timeout=_CUT_SECONDS)

    def _tasks(self) -> "set[asyncio.Task[None]]":
        """What serves the requests that are under way."""
        return {connection.task for connection in self._state.connections if connection.task is not None}

    def connection(self) -> ClientConnection:
        """The server's side of a new connection, to be connected to something other than a socket."""
        return ClientConnection(self._state)

    async def _serve(self, request: ReceivedRequest) -> None:
        keep_alive = False
        try:
            keep_alive = await self._answer(request)
        except asyncio.CancelledError:
            request.connection.abort()
            raise
        except Exception:  # noqa: BLE001  # a bug of ours; part of an answer may be written, so there is no other
            _log.exception("a request could not be served")
            request.connection.abort()
        finally:
            request.connection.finish_request(keep_alive=keep_alive)

    async def _answer(self, request: ReceivedRequest) -> bool:
        """Whether the connection can go on."""
        begun = 0.0 if self._access_logger is None else self._clock.monotonic()
        head, connection = request.head, request.connection
        client, scheme = connection.client, self._scheme
        if connection.trusted:
            client, scheme = received_request.resolve_forwarded_client(head.fields, client, scheme, self._state.trusted)
        # What a proxy's own connection says is nothing that its client said.
        cf = connection.tls.cf if client is connection.client else NO_TLS.cf
        arrived = received_request.build_request(
            head, request.body, scheme=scheme, client=client, limits=self._limits, cf=cf
        )
        keep_alive = head.keep_alive
        if isinstance(arrived, Refusal):
            response, keep_alive = _page(arrived), False
        else:
            response = await self._fetch(arrived)
            refusal = None if request.body is None else request.body.refusal
            if refusal is not None:
                await response.close()
                response, keep_alive = _page(refusal), False
            elif response.upgrade is not None and response.status == 101 and head.websocket:
                return await self._switch(request, arrived, response, response.upgrade, begun)
            elif response.web_socket is not None:
                # Its library takes a while to load, and few workers answer with a WebSocket.
                from edgeworker.server import websocket

                handshake = websocket.accept_handshake(head)
                if handshake is not None:
                    session = websocket.relay_messages(
                        response, response.web_socket, handshake, connection, self._http_date()
                    )
                    return await self._relay_session(session, arrived, response, begun)
                await response.close()
                response, keep_alive = _page(_NO_HANDSHAKE), False
        keep_alive = (
            keep_alive and connection.request_complete and not connection.is_last_request and not self._state.closing
        )
        framed = self._frame(response, head, keep_alive=keep_alive)
        if request.body is not None:
            request.body.answer_begins(streamed=framed.body is not None and framed.body.complete is None)
        sent, complete = 0, True
        try:
            sent = await response_writer.write_response(
                framed, connection, timeout_seconds=self._limits.write_timeout_seconds
            )
        except response_writer.IncompleteResponse as error:
            place = "-" if isinstance(arrived, Refusal) else _place(arrived)
            _log.warning("%s %s: the answer was cut: %s", head.method, place, error, exc_info=error.__cause__)
            connection.abort(reset=framed.ends_with_connection)
            complete = False
        except ConnectionError:
            complete = False
        if framed.body is not response.body or not complete:
            await response.close()
        if self._access_logger is not None:
            host, path = ("-", "-") if isinstance(arrived, Refusal) else (arrived.url.host, arrived.url.path)
            seconds = self._clock.monotonic() - begun
            self._access_logger(
                AccessLogRecord(head.method, host, path, framed.status, seconds, sent, complete, response.served_by)
            )
        return framed.keep_alive and complete

    async def _switch(
        self, request: ReceivedRequest, arrived: Request, response: Response, upgrade: Upgrade, begun: float
    ) -> bool:
        """Carries bytes both ways until an end is done. The line for the log comes then."""
        stream: ClientStream | None = None
        complete = True
        self._upgrades.add(upgrade)
        try:
            stream = request.connection.switch_protocols()
            upgraded.write_head(response, stream, (), date=self._http_date())
            await upgraded.relay_bytes(stream, upgrade)
        except ConnectionError:
            complete = False
        finally:
            self._upgrades.discard(upgrade)
            upgrade.close()
            if self._access_logger is not None:
                seconds, url = self._clock.monotonic() - begun, arrived.url
                sent = 0 if stream is None else stream.sent
                self._access_logger(
                    AccessLogRecord("GET", url.host, url.path, 101, seconds, sent, complete, response.served_by)
                )
        return False

    async def _relay_session(
        self, session: Coroutine[object, object, None], arrived: Request, response: Response, begun: float
    ) -> bool:
        """Carries messages between client and script. The line for the log comes at the end."""
        task = asyncio.current_task()
        assert task is not None
        self._sessions.add(task)
        try:
            await session
        except asyncio.CancelledError:
            if not self._state.closing:
                raise  # the client has gone
        finally:
            self._sessions.discard(task)
            if self._access_logger is not None:
                seconds, url = self._clock.monotonic() - begun, arrived.url
                self._access_logger(
                    AccessLogRecord("GET", url.host, url.path, 101, seconds, 0, True, response.served_by)
                )
        return False

    def _frame(self, response: Response, head: RequestHead, *, keep_alive: bool) -> response_writer.FramedResponse:
        method, http10, date = head.method, head.http10, self._http_date()
        try:
            return response_writer.frame_response(
                response, method=method, date=date, keep_alive=keep_alive, http10=http10
            )
        except ValueError:
            _log.exception("%s: the handler made a response that cannot be written", method)
            page = _page(Refusal(500, "Internal Server Error"))
            return response_writer.frame_response(page, method=method, date=date, keep_alive=False, http10=http10)

    async def _fetch(self, request: Request) -> Response:
        try:
            return await self.handler.fetch(request)
        except BodyRefused as error:
            return _page(error.refusal)
        except Exception:  # noqa: BLE001  # whatever a handler does wrong, the client gets an answer
            _log.exception("%s %s: the handler failed", request.method, _place(request))
            return _page(Refusal(500, "Internal Server Error"))

    def _log_refusal(self, status: int) -> None:
        if self._access_logger is not None:
            self._access_logger(AccessLogRecord("-", "-", "-", status, 0.0, 0))

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
    access_logger: AccessLogger | None = None,
    tls: ssl.SSLContext | None = None,
) -> Listener:
    """Serves `handler` on `socket` until `close`, over TLS with a context (see edgeworker.server.tls).

    `access_logger` is called once for each finished request. Raises SocketError if the address cannot be listened on,
    ConfigError for a TLS socket behind the PROXY protocol, whose header comes before the handshake.
    """
    if tls is not None and socket.proxy_protocol:
        raise ConfigError(f"{socket.host}:{socket.port}: a https socket cannot speak the PROXY protocol; leave one out")
    listener = Listener(handler, socket, limits=limits, clock=clock, access_logger=access_logger, tls=tls)
    await listener.open(_bind(socket))
    return listener


async def listen_on(
    address: sockets.socket, handler: Handler, socket: Socket, *, limits: Limits, clock: Clock
) -> Listener:
    """Serves `handler` on a socket that is bound already; `socket` says the rest."""
    address.setblocking(False)
    listener = Listener(handler, socket, limits=limits, clock=clock, access_logger=None, tls=None)
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
