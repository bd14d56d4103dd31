"""A connection to an origin: one request at a time, streaming both ways with back-pressure both ways."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from typing import ClassVar, Final

from edgeworker.errors import OriginError
from edgeworker.messages import Body
from edgeworker.server.http1.body import IncomingBody
from edgeworker.server.http1.connection import Http1Connection
from edgeworker.server.http1.response_parser import MalformedResponse, ResponseHead, ResponseParser
from edgeworker.server.http1.states import BEGIN, BODY, DONE, END, HEAD, HEAD_END, IDLE, NEXT
from edgeworker.server.http1.switched import SwitchedStream

# How long an origin may take to fetch the last bytes of a stream before the connection is cut.
_LAST_SECONDS: Final = 5.0


class ConnectionClosedBeforeResponse(Exception):
    """The connection ended before one byte of the response came."""


class OriginResponse:
    """A response whose head has arrived. `body` may still be on its way; `upgrade` is what follows a 101."""

    __slots__ = ("body", "head", "upgrade")

    def __init__(self, head: ResponseHead, body: Body | None, upgrade: SwitchedStream | None = None) -> None:
        self.head = head
        self.body = body
        self.upgrade = upgrade


class OriginConnection(Http1Connection):
    """`outgoing` is our request, `incoming` the origin's response to it.

    `on_idle` is called when the connection can be used again, `on_lost` when it is gone. `peer` names the origin in
    errors; `timeout_seconds` is how long a response may take, `idle_timeout_seconds` its next piece.
    """

    def __init__(
        self,
        peer: str,
        *,
        timeout_seconds: float,
        idle_timeout_seconds: float | None = None,
        on_idle: "Callable[[OriginConnection], None]",
        on_lost: "Callable[[OriginConnection], None]",
    ) -> None:
        super().__init__()
        self.peer = peer
        self.is_single_use = False  # no other request goes over it after the one that it is made for
        self.idle_since = 0.0
        self.idle_seconds: float | None = None  # what the origin's Keep-Alive allows
        self._timeout = timeout_seconds
        self._idle_timeout = timeout_seconds if idle_timeout_seconds is None else idle_timeout_seconds
        self._on_idle = on_idle
        self._on_lost = on_lost
        self._parser = ResponseParser()
        self._response: asyncio.Future[OriginResponse] | None = None  # pending until the head has arrived
        self._body: _OriginBody | None = None  # of the response, while it arrives
        self._sender: asyncio.Task[None] | None = None
        self._closed: asyncio.Future[None] | None = None

    # What a caller uses

    @property
    def is_usable(self) -> bool:
        return self.incoming == IDLE and self.outgoing == IDLE and self.is_open

    def begin_request(
        self, head: bytes, body: Body | None = None, *, to_head: bool = False, may_upgrade: bool = False
    ) -> "asyncio.Future[OriginResponse]":
        """Send a request; the result is there with the head of its response. A caller that stops waiting calls `abort`.

        `body` is sent after `head`, while the response may come already: with `length` as it is, else chunked.
        Raises ConnectionClosedBeforeResponse; the result may be OriginError, ConnectionClosedBeforeResponse, or
        whatever reading `body` raises.
        """
        transport = self._transport
        if transport is None or transport.is_closing():
            raise ConnectionClosedBeforeResponse
        self._parser.next_response(to_head=to_head, may_upgrade=may_upgrade)
        self.outgoing = HEAD_END[BEGIN[self.outgoing]]
        self.incoming = BEGIN[self.incoming]
        transport.write(head)
        if body is None:
            self.outgoing = END[self.outgoing]
        else:
            self._sender = self._loop.create_task(self._send(body, transport))
        response: asyncio.Future[OriginResponse] = self._loop.create_future()
        self._response = response
        self.set_deadline(self._timeout)
        return response

    def await_more(self) -> None:
        """The reader of the response's body waits: start the idle timeout."""
        self.set_deadline(self._idle_timeout)

    def abandon(self, body: "_OriginBody") -> None:
        """The rest of this body is not wanted: abort the connection."""
        if self._body is body:
            self.abort()

    async def wait_closed(self) -> None:
        if self._transport is not None:
            self._closed = self._closed or self._loop.create_future()
            await self._closed

    # The request's body

    async def _send(self, body: Body, transport: asyncio.Transport) -> None:
        cancelled: asyncio.CancelledError | None = None
        try:
            await self._send_pieces(body, transport)
        except asyncio.CancelledError as error:
            cancelled = error
        except Exception as error:  # noqa: BLE001  # whatever it is, it is raised where the response is awaited
            self._fail(error)
        if cancelled is not None:
            await body.close()
            try:
                raise cancelled
            finally:
                del cancelled  # else it holds itself by its traceback, until garbage is looked for

    async def _send_pieces(self, body: Body, transport: asyncio.Transport) -> None:
        left = body.length
        if left == 0:
            self._finish_request()
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
                if left == 0:
                    self._finish_request()
            self.set_deadline(self._timeout)
            await self.wait_writable()
        if left:
            raise TypeError(f"The body has {'fewer' if left > 0 else 'more'} bytes than its length, {body.length}.")
        if left is None:
            transport.write(b"0\r\n\r\n")
            self._finish_request()

    def _finish_request(self) -> None:
        self.outgoing = END[self.outgoing]

    # The transport's side

    def data_received(self, data: bytes) -> None:
        if self._stream is not None:
            self._stream.add(data)
            return
        if self.incoming not in (HEAD, BODY):
            self.abort()  # a response that was not asked for
            return
        parser = self._parser
        try:
            end = parser.feed(data)
        except MalformedResponse as error:
            self._fail(OriginError(f"{self.peer} {error}", status=520))
            return
        if self.incoming == HEAD:
            if parser.head is None:
                return
            if parser.switched:
                self._hand_over(parser.head, data[end:])
                return
            self.incoming = HEAD_END[HEAD]
            self._deliver(parser.head)
        elif self._body is not None:
            self._body.add(parser.pieces)
            parser.pieces = []
        body = self._body
        if parser.complete:
            self.incoming = END[self.incoming]
            self._finish_response(parser.head, is_clean=end == len(data))
        elif body is not None and body.is_full:
            self.pause_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        if self.incoming in (HEAD, BODY):
            if exc is None and self._body is not None and self._parser.end_of_connection():
                self._body.end()
                self._body = None
            else:
                self._fail(self._closed_early(exc))
        super().connection_lost(exc)
        self._parser.close()
        if self._sender is not None:
            self._sender.cancel()
            self._sender = None
        if self._closed is not None and not self._closed.done():
            self._closed.set_result(None)
        self._on_lost(self)

    def _closed_early(self, cause: Exception | None) -> Exception:
        if isinstance(cause, ssl.SSLError):
            # In TLS 1.3 a server refuses a client's certificate, or its lack, after the client's handshake is done.
            return OriginError(f"{self.peer} ended the TLS connection: {cause.reason or cause}", status=525)
        if self._parser.head is not None:
            return OriginError(f"{self.peer} closed the connection in the middle of its answer", status=520)
        if self._parser.has_begun:
            return OriginError(f"{self.peer} closed the connection in the middle of its headers", status=520)
        return ConnectionClosedBeforeResponse()

    def deadline_passed(self) -> None:
        if self._response is not None or (self._body is not None and self._body.is_awaited):
            seconds = self._idle_timeout if self._response is None else self._timeout
            stalled = self._response is not None and self.outgoing != DONE and self._writable is None
            text = f"{self.peer} did not answer within {seconds:g} seconds"
            self._fail(OriginError(text, status=524, sender_stalled=stalled))

    # The response

    def _deliver(self, head: ResponseHead) -> None:
        """Give the sender of the request its response, with the body, or with a stream if more of it will come."""
        parser = self._parser
        pieces, parser.pieces = parser.pieces, []
        body: Body | None = None
        if head.has_body:
            if parser.complete and head.length is not None:
                body = Body(pieces[0] if len(pieces) == 1 else b"".join(pieces))
            else:
                self._body = _OriginBody(self)
                self._body.add(pieces)
                body = Body(_BodyReader(self, self._body), length=head.length)
        self._resolve(OriginResponse(head, body))

    def _resolve(self, response: OriginResponse) -> None:
        waiter, self._response = self._response, None
        if waiter is not None and not waiter.done():
            waiter.set_result(response)

    def _hand_over(self, head: ResponseHead, received: bytes) -> None:
        if self.outgoing != DONE:
            self._fail(OriginError(f"{self.peer} switched protocols before it had the whole request", status=520))
            return
        self._resolve(OriginResponse(head, None, self.switch_protocols(received)))

    def close_stream(self) -> None:
        transport = self._transport
        if transport is not None and not transport.is_closing():
            transport.close()
            self._loop.call_later(_LAST_SECONDS, transport.abort)

    def _finish_response(self, head: ResponseHead | None, *, is_clean: bool) -> None:
        """All of the response was read. The connection is kept only if nothing about it is in doubt."""
        if self._body is not None:
            self._body.end()
            self._body = None
        is_in_doubt = not is_clean or self.outgoing != DONE or not self.is_open
        if is_in_doubt or self.is_single_use or head is None or not head.keep_alive:
            self.abort()
            return
        self.idle_seconds = head.idle_seconds
        self.incoming = NEXT[self.incoming]
        self.outgoing = NEXT[self.outgoing]
        self._sender = None
        self.resume_reading()
        self._on_idle(self)

    def _fail(self, error: Exception) -> None:
        self.close_incoming()
        waiter, self._response = self._response, None
        if waiter is not None and not waiter.done():
            waiter.set_exception(error)
        if self._body is not None:
            self._body.fail(error)
            self._body = None
        self.abort()


class _OriginBody(IncomingBody):
    """What has arrived of a response's body: an error comes after the pieces that came before it."""

    __slots__ = ()

    high_water_bytes: ClassVar[int] = 256 * 1024

    async def read_piece(self, connection: OriginConnection) -> bytes:
        """The next piece; b"" at the end."""
        while not self._pieces:
            if self.error is not None:
                raise self.error
            if self._ended:
                return b""
            connection.await_more()
            await self._wait()
        return self._take()


class _BodyReader:
    """The reader's end of a response's body. If it is closed or garbage-collected early, the connection is aborted."""

    __slots__ = ("_body", "_connection")

    def __init__(self, connection: OriginConnection, body: _OriginBody) -> None:
        self._connection = connection
        self._body = body

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        try:
            piece = await self._body.read_piece(self._connection)
        except asyncio.CancelledError:
            self._connection.abandon(self._body)
            raise
        if not piece:
            raise StopAsyncIteration
        return piece

    async def aclose(self) -> None:
        self._connection.abandon(self._body)

    def __del__(self) -> None:
        self._connection.abandon(self._body)
