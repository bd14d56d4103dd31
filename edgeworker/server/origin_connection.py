"""One HTTP/1.1 connection to an origin: one exchange at a time, streaming both ways with back-pressure both ways.

aiohttp's client spends more on URL, header and cookie objects than the whole rest of a request costs, so this side of
the edge speaks HTTP itself: httptools (llhttp) parses, and this protocol only moves bytes.
"""

import asyncio
import ssl
from collections.abc import Callable
from typing import Final

from edgeworker.errors import OriginError
from edgeworker.messages import Body
from edgeworker.server.http1.llhttp import HttpParserError, HttpParserUpgrade, HttpResponseParser
from edgeworker.server.pending_response import PendingResponse
from edgeworker.server.upgraded import OriginStream

HEAD_LIMIT_BYTES: Final = 128 * 1024  # Cloudflare answers 520 for more
_HIGH_WATER_BYTES: Final = 256 * 1024
_NO_CONTENT: Final = frozenset({204, 304})
_SWITCHING: Final = 101


class ConnectionClosedBeforeResponse(Exception):
    """The connection ended before one byte of the answer came."""


class OriginConnection(asyncio.Protocol):
    """`on_idle` is called when the connection can be used again, `on_lost` when it is gone.

    `peer` names the origin in errors; `timeout_seconds` is how long an answer, or its next piece, may take.
    """

    def __init__(
        self,
        peer: str,
        *,
        timeout_seconds: float,
        on_idle: "Callable[[OriginConnection], None]",
        on_lost: "Callable[[OriginConnection], None]",
    ) -> None:
        self.peer = peer
        self.idle_since = 0.0
        self.idle_seconds: float | None = None  # what the origin's Keep-Alive allows
        self._loop = asyncio.get_running_loop()
        self._timeout = timeout_seconds
        self._on_idle = on_idle
        self._on_lost = on_lost
        self._transport: asyncio.Transport | None = None
        self._parser = HttpResponseParser(self)
        self._exchange: PendingResponse | None = None
        self._head_bytes = 0
        self._keep_alive = False
        self._until_end = False
        self._dirty = False
        self._reading_paused = False
        self._sender: asyncio.Task[None] | None = None
        self._sent = True
        self._can_write: asyncio.Future[None] | None = None
        self._deadline = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._gone: asyncio.Future[None] | None = None

    # What a caller uses

    @property
    def usable(self) -> bool:
        transport = self._transport
        return transport is not None and not transport.is_closing() and self._exchange is None

    async def ask(
        self, head: bytes, body: Body | None = None, *, no_body: bool = False, may_upgrade: bool = False
    ) -> PendingResponse:
        """Sends a request, and returns when the head of its answer is there.

        `body` is sent after `head`, while the answer may come already: with `length` as it is, else chunked.
        Raises OriginError, ConnectionClosedBeforeResponse, or whatever reading `body` raises.
        """
        transport = self._transport
        if transport is None or transport.is_closing():
            raise ConnectionClosedBeforeResponse
        exchange = self._exchange = PendingResponse(no_body=no_body, may_upgrade=may_upgrade)
        self._head_bytes = 0
        transport.write(head)
        self._sent = body is None
        if body is not None:
            self._sender = self._loop.create_task(self._send(body, transport))
        try:
            while not exchange.headed and exchange.error is None:
                await self.wait(exchange)
        except asyncio.CancelledError:
            self.abort()
            raise
        if exchange.error is not None:
            raise exchange.error
        return exchange

    async def wait(self, exchange: PendingResponse) -> None:
        """Until more of the answer is there, or its error."""
        if exchange.waiter is not None:
            raise RuntimeError("one reader at a time")
        self._touch()
        exchange.waiter = self._loop.create_future()
        try:
            await exchange.waiter
        finally:
            exchange.waiter = None

    def taken(self, exchange: PendingResponse) -> None:
        """The buffered pieces of `exchange` were read: more may come."""
        exchange.chunks.clear()
        exchange.size = 0
        if self._reading_paused and self._exchange is exchange:
            self._resume()

    def give_up(self, exchange: PendingResponse) -> None:
        """Nobody wants the rest of this answer."""
        if self._exchange is exchange:
            self.abort()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    async def gone(self) -> None:
        """Until the transport is closed."""
        if self._transport is not None:
            self._gone = self._gone or self._loop.create_future()
            await self._gone

    # The request's body

    async def _send(self, body: Body, transport: asyncio.Transport) -> None:
        try:
            await self._send_pieces(body, transport)
        except asyncio.CancelledError:
            await body.close()
            raise
        except Exception as error:  # noqa: BLE001  # whatever it is, it is raised where the answer is awaited
            self._fail(error)
        else:
            self._sent = True

    async def _send_pieces(self, body: Body, transport: asyncio.Transport) -> None:
        left = body.length
        async for piece in body.stream():
            if not piece:
                continue
            if left is None:
                transport.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            else:
                left -= len(piece)
                if left < 0:
                    break
                transport.write(piece)
                self._sent = left == 0
            self._touch()
            if self._can_write is not None:
                await self._can_write
        if left:
            raise TypeError(f"The body has {'fewer' if left > 0 else 'more'} bytes than its length, {body.length}.")
        if left is None:
            transport.write(b"0\r\n\r\n")

    def pause_writing(self) -> None:
        self._can_write = self._loop.create_future()

    def resume_writing(self) -> None:
        waiter, self._can_write = self._can_write, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    # asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        exchange = self._exchange
        if exchange is None:
            self.abort()  # an answer to nothing
            return
        headed, size = exchange.headed, exchange.size
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade as upgrade:
            if exchange.may_upgrade and exchange.status == _SWITCHING and self._transport is not None:
                self._hand_over(exchange, self._transport, data[upgrade.args[0] :])
                return
            self._fail(OriginError(f"{self.peer} switched protocols, which was not asked for", status=520))
        except HttpParserError as error:
            self._dirty = exchange.complete
            if not exchange.complete:
                self._fail(OriginError(f"{self.peer} sent an answer that is not HTTP/1.1: {error}", status=520))
        if exchange.error is not None:
            return
        self._head_bytes = self._head_bytes + len(data) if size == exchange.size or not headed else 0
        if self._head_bytes > HEAD_LIMIT_BYTES and (
            headed or not exchange.headed or _size(exchange) > HEAD_LIMIT_BYTES
        ):
            # Trailers and chunk extensions count too: the parser collects them without a limit of its own.
            self._fail(OriginError(f"{self.peer} sent headers of more than {HEAD_LIMIT_BYTES} bytes", status=520))
            return
        if exchange.complete:
            self._finish(exchange)
        elif exchange.size > _HIGH_WATER_BYTES and not self._reading_paused and self._transport is not None:
            self._reading_paused = True
            self._transport.pause_reading()
        exchange.wake()

    def connection_lost(self, error: Exception | None) -> None:
        exchange = self._exchange
        self._transport = None
        if exchange is not None:
            if self._until_end and exchange.headed and error is None:
                exchange.complete = True
                self._exchange = None
                exchange.wake()
            else:
                self._fail(self._ended(exchange, error))
        if self._sender is not None:
            self._sender.cancel()
            self._sender = None
        self.resume_writing()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._gone is not None and not self._gone.done():
            self._gone.set_result(None)
        self._on_lost(self)

    def _ended(self, exchange: PendingResponse, cause: Exception | None) -> Exception:
        if isinstance(cause, ssl.SSLError):
            # In TLS 1.3 a server refuses a client's certificate, or its lack, after the client's handshake is done.
            return OriginError(f"{self.peer} ended the TLS connection: {cause.reason or cause}", status=525)
        if exchange.headed:
            return OriginError(f"{self.peer} closed the connection in the middle of its answer", status=520)
        if self._head_bytes:
            return OriginError(f"{self.peer} closed the connection in the middle of its headers", status=520)
        return ConnectionClosedBeforeResponse()

    # httptools' side

    def on_message_begin(self) -> None:
        exchange = self._exchange
        if exchange is None or exchange.complete:
            self._dirty = True

    def on_status(self, reason: bytes) -> None:
        if self._exchange is not None and not self._dirty:
            self._exchange.reason += reason.decode("latin-1")

    def on_header(self, name: bytes, value: bytes) -> None:
        exchange = self._exchange
        if exchange is not None and not exchange.headed:  # else it is a trailer, and trailers are dropped
            # llhttp leaves the white space after a value
            exchange.fields.append((name, value.rstrip(b" \t")))

    def on_headers_complete(self) -> None:
        exchange = self._exchange
        if exchange is None or self._dirty:
            return
        status: int = self._parser.get_status_code()
        if status == _SWITCHING and exchange.may_upgrade:
            exchange.status = status
            exchange.headed = exchange.no_body = True
            return
        if status < 200:
            return  # interim; forgotten at its end
        exchange.status = status
        exchange.headed = True
        self._keep_alive = self._parser.should_keep_alive()
        coding = self._read_framing(exchange)
        if exchange.no_body or status in _NO_CONTENT:
            exchange.no_body = exchange.complete = True
            self._until_end = False
        elif coding not in (None, b"chunked"):
            self._fail(OriginError(f"{self.peer} used a Transfer-Encoding other than chunked", status=520))

    def _read_framing(self, exchange: PendingResponse) -> bytes | None:
        coding: bytes | None = None
        for name, value in exchange.fields:
            match len(name):
                case 14 if name.lower() == b"content-length":
                    exchange.length = int(value)  # llhttp checked that it is one number
                case 17 if name.lower() == b"transfer-encoding":
                    coding = value.lower() if coding is None else coding + b"," + value.lower()
                case 10 if name.lower() == b"keep-alive":
                    self.idle_seconds = _keep_alive_seconds(value)
        self._until_end = exchange.length is None and coding is None
        return coding

    def on_body(self, piece: bytes) -> None:
        exchange = self._exchange
        if exchange is None or exchange.complete:
            self._dirty = True
            return
        exchange.chunks.append(piece)
        exchange.size += len(piece)

    def on_message_complete(self) -> None:
        exchange = self._exchange
        if exchange is None or self._dirty:
            return
        if exchange.headed:
            exchange.complete = True
        else:
            exchange.fields.clear()
            exchange.reason = ""

    # Between the two

    def _hand_over(self, exchange: PendingResponse, transport: asyncio.Transport, early: bytes) -> None:
        """From here on the connection does not speak HTTP, and is no more than what can be cut."""
        self._exchange = None
        exchange.complete = True
        exchange.upgrade = OriginStream(transport, early, self.connection_lost)
        exchange.wake()

    def _finish(self, exchange: PendingResponse) -> None:
        """The whole answer was read. The connection is kept only if nothing about it is in doubt."""
        self._exchange = None
        transport = self._transport
        if transport is None:
            return
        if not (self._keep_alive and self._sent) or self._dirty or self._until_end or transport.is_closing():
            transport.abort()
            return
        if self._reading_paused:
            self._resume()
        if exchange.no_body:
            self._parser = HttpResponseParser(self)  # the old one may be waiting for a body
        self._sender = None
        self._on_idle(self)

    def _fail(self, error: Exception) -> None:
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            exchange.error = error
            exchange.wake()
        self.abort()

    def _resume(self) -> None:
        self._reading_paused = False
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def _touch(self) -> None:
        """Begins the time that the origin has. One timer per connection, moved on when it fires, not per request."""
        self._deadline = self._loop.time() + self._timeout
        if self._timer is None:
            self._timer = self._loop.call_at(self._deadline, self._look_at_deadline)

    def _look_at_deadline(self) -> None:
        self._timer = None
        exchange = self._exchange
        if exchange is None or exchange.waiter is None:
            return
        if self._loop.time() < self._deadline:
            self._timer = self._loop.call_at(self._deadline, self._look_at_deadline)
        else:
            self._fail(OriginError(f"{self.peer} did not answer within {self._timeout:g} seconds", status=524))


def _size(exchange: PendingResponse) -> int:
    return sum(len(name) + len(value) + 4 for name, value in exchange.fields)


def _keep_alive_seconds(value: bytes) -> float | None:
    """What `Keep-Alive: timeout=5, max=100` allows, less a second for the way; None where it says nothing."""
    for part in value.split(b","):
        name, _, number = part.strip(b" \t").partition(b"=")
        if name.lower() == b"timeout" and number.isdigit() and len(number) < 9:
            return max(0.0, float(int(number)) - 1)
    return None
