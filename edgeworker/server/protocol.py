"""aiohttp's connection with a client, with the limits and answers that it does not have itself."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from aiohttp import web
from aiohttp.http_exceptions import BadHttpMethod, HttpProcessingError, LineTooLong

from edgeworker.admission import Refusal
from edgeworker.config import Limits
from edgeworker.messages import Client
from edgeworker.server import proxies, wire
from edgeworker.server.client_tls import NO_TLS, client_tls
from edgeworker.server.outgoing import Sent

_LINGER_SECONDS: Final = 1.0
_LAST_CHUNK: Final = b"\r\n0\r\n\r\n"  # a body without trailers ends so
_LAST_CHUNK_BYTES: Final = len(_LAST_CHUNK)
_PLAIN: Final = (b"Content-Type", b"text/plain; charset=utf-8")


@dataclass(frozen=True, slots=True)
class Door:
    """What all connections of a listener share. `refused` is told the status of what was refused unread."""

    limits: Limits
    refused: Callable[[int], None]
    trusted: Sequence[proxies.Network] = ()
    proxy_protocol: bool = False
    by_address: "Counter[str]" = field(default_factory=Counter)


def refusal_bytes(refusal: Refusal) -> bytes:
    """A whole answer, after which the connection is closed."""
    content = refusal.text.encode() + b"\n"
    fields = [_PLAIN, (b"Content-Length", b"%d" % len(content)), (b"Connection", b"close")]
    return wire.head(wire.status_line(refusal.status), fields) + content


class ClientConnection(web.RequestHandler):
    """`client` is who is at the other end; `trusted` says that it is a proxy that may name somebody else."""

    __slots__ = (
        "_announced",
        "_counted",
        "_discarding",
        "_door",
        "_early",
        "_gone",
        "_head_bytes",
        "_head_since",
        "_last",
        "_requests",
        "_stuck_since",
        "_tail",
        "_timer",
        "_wire",
        "client",
        "tls",
        "trusted",
    )

    def __init__(self, server: web.Server, door: Door) -> None:
        limits = door.limits
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            access_log=None,  # type: ignore[arg-type]  # aiohttp itself passes None to turn it off
            keepalive_timeout=limits.keepalive_timeout_seconds,
            max_line_size=limits.request_line_bytes,
            # One more, so that a LineTooLong says which of the two limits it met.
            max_field_size=limits.header_bytes + (limits.header_bytes == limits.request_line_bytes),
            max_headers=limits.headers,
            lingering_time=0,
            auto_decompress=False,
        )
        self.client = Client("")
        self.tls = NO_TLS
        self.trusted = False
        self._door = door
        self._wire: asyncio.Transport | None = None
        self._counted: str | None = None
        self._announced = not door.proxy_protocol
        self._early = b""  # of the PROXY header
        self._requests = 0  # under way
        self._head_since: float | None = None
        self._head_bytes = 0
        self._stuck_since: float | None = None
        self._tail = b""
        self._timer: asyncio.TimerHandle | None = None
        self._discarding = False
        self._last: asyncio.TimerHandle | None = None
        self._gone: asyncio.Future[None] | None = None

    # asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._wire = transport
        self.tls = client_tls(transport)
        self.client = replace(_peer(transport), tls_version=self.tls.version, tls_cipher=self.tls.cipher)
        self.trusted = proxies.is_trusted(self.client.ip, self._door.trusted)
        super().connection_made(transport)
        if self._door.proxy_protocol and not self.trusted:
            transport.abort()
        elif not self.trusted:
            self._count()

    def data_received(self, data: bytes) -> None:
        if self._discarding:
            return
        if not self._announced and data:
            data = self._read_announcement(data)
        self._tail = (
            data[-_LAST_CHUNK_BYTES:] if len(data) >= _LAST_CHUNK_BYTES else (self._tail + data)[-_LAST_CHUNK_BYTES:]
        )
        if self._requests == 0 and data:
            self._head_bytes += len(data)
            if self._head_since is None:
                self._head_since = self._loop_time()
                self._watch()
            if self._head_bytes > self._door.limits.headers_bytes:
                # Whether a whole head was among it is known when aiohttp has looked: then `begins` was called.
                asyncio.get_running_loop().call_soon(self._check_head_bytes)
        super().data_received(data)

    def connection_lost(self, exc: BaseException | None) -> None:
        for timer in (self._timer, self._last):
            if timer is not None:
                timer.cancel()
        if self._gone is not None and not self._gone.done():
            self._gone.set_result(None)
        if self._counted is not None:
            by_address = self._door.by_address
            by_address[self._counted] -= 1
            if not by_address[self._counted]:
                del by_address[self._counted]
            self._counted = None
        self._wire = None
        super().connection_lost(exc)

    # The listener's side

    @property
    def may_hold_trailers(self) -> bool:
        """Whether a chunked body that was just read may have ended with trailers.

        aiohttp's parser (seen in 3.14.5) takes the last trailer for the first field of the next request on the
        connection: behind a proxy that may be another client's request.
        """
        return self._tail != _LAST_CHUNK

    def begins(self) -> None:
        """A whole head has arrived, and its request is being handled."""
        self._requests += 1
        self._head_since = None
        self._head_bytes = 0

    def ends(self) -> None:
        """The request's answer was written, as far as the client took it."""
        self._requests -= 1
        if self._wire is not None and self._wire.get_write_buffer_size():
            self._stuck_since = self._loop_time()
            self._watch()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answers what the parser refused. A handler's bug is answered by the listener and does not come here."""
        limits = self._door.limits
        refusal: Refusal
        match exc:
            case LineTooLong() if exc.args[1] == limits.request_line_bytes:
                refusal = Refusal(414, f"The request target is longer than {limits.request_line_bytes} bytes.")
            case LineTooLong():
                refusal = Refusal(431, f"A header field is larger than {limits.header_bytes} bytes.")
            case BadHttpMethod():
                refusal = Refusal(400, "The method is not one of HTTP's.")
            case _ if message == "Too many headers received":
                refusal = Refusal(431, f"There are more than {limits.headers} header fields.")
            case HttpProcessingError():
                refusal = Refusal(400, "The request is not HTTP/1.1.")
            case _:
                # A bug of this room: part of an answer may be written already, so there cannot be another.
                self.log_exception("a request could not be served", exc_info=exc)
                raise ConnectionError("cut") from exc
        return _Refused(self, refusal)

    # Limits

    def _count(self) -> None:
        """Refuses a client that has too many connections already. A trusted proxy has as many as it likes."""
        ip = self.client.ip
        if self._door.by_address[ip] >= self._door.limits.connections_per_address:
            self.refuse(Refusal(429, "There are too many connections from this address."))
            return
        self._door.by_address[ip] += 1
        self._counted = ip

    def _read_announcement(self, data: bytes) -> bytes:
        """What follows the PROXY header, once it is there."""
        self._early += data
        match proxies.read_proxy_header(self._early):
            case proxies.Incomplete():
                if self._head_since is None:
                    self._head_since = self._loop_time()
                    self._watch()
                return b""
            case proxies.Broken():
                if self._wire is not None:
                    self._wire.abort()
                return b""
            case proxies.Announced(client, rest):
                self._announced = True
                self._early = b""
                if client is not None:
                    self.client = client
                    self.trusted = proxies.is_trusted(client.ip, self._door.trusted)
                return rest

    def _check_head_bytes(self) -> None:
        limit = self._door.limits.headers_bytes
        if self._requests == 0 and self._head_bytes > limit:
            self.refuse(Refusal(431, f"The header fields together are larger than {limit} bytes."))

    def refuse(self, refusal: Refusal) -> None:
        """The last thing that is said on this connection."""
        if self._wire is not None and not self._wire.is_closing():
            self._door.refused(refusal.status)
            self._wire.write(refusal_bytes(refusal))
        self.hang_up()

    def hang_up(self) -> None:
        """Says nothing more, and throws away for a while what the client still sends.

        To close with bytes unread is to reset the connection, and then the client may never see the answer.
        """
        self._discarding = True
        self._head_since = None
        wire = self._wire
        if wire is not None and not wire.is_closing():
            if wire.can_write_eof():
                wire.write_eof()
            self._last = asyncio.get_running_loop().call_later(_LINGER_SECONDS, wire.abort)

    def cut(self) -> None:
        """Ends the connection now: to close it politely is to wait until the client has taken what was written."""
        if self._wire is not None:
            self._wire.abort()

    async def lingered(self) -> None:
        """Until the client has closed the connection, or was given enough time to."""
        if self._wire is not None:
            self._gone = asyncio.get_running_loop().create_future()
            await self._gone

    def _watch(self) -> None:
        """One timer per connection looks after both deadlines; it is moved on when it fires, not per request."""
        if self._timer is None:
            limits = self._door.limits
            wait = min(limits.header_timeout_seconds, limits.write_timeout_seconds)
            self._timer = asyncio.get_running_loop().call_later(wait, self._look)

    def _look(self) -> None:
        self._timer = None
        limits = self._door.limits
        now = self._loop_time()
        if self._wire is None:
            return
        if self._head_since is not None:
            if now - self._head_since >= limits.header_timeout_seconds:
                self.refuse(Refusal(408, "The header fields came too slowly."))
                return
            self._watch()
        if self._stuck_since is not None:
            if not self._wire.get_write_buffer_size() or self._requests:
                self._stuck_since = None
            elif now - self._stuck_since >= limits.write_timeout_seconds:
                self._wire.abort()
            else:
                self._watch()

    def _loop_time(self) -> float:
        return asyncio.get_running_loop().time()


class _Refused(Sent):
    """aiohttp writes it when the requests before it on the connection were answered."""

    def __init__(self, connection: ClientConnection, refusal: Refusal) -> None:
        super().__init__(keep_alive=False)
        self._connection = connection
        self._refusal = refusal

    async def write_eof(self, data: bytes = b"") -> None:
        self._connection.refuse(self._refusal)
        await self._connection.lingered()


def _peer(transport: asyncio.Transport) -> Client:
    peer: object = transport.get_extra_info("peername")
    match peer:
        case (str(ip), int(port), *_):
            return Client(ip.partition("%")[0].removeprefix("::ffff:"), port)
        case _:
            return Client("")
