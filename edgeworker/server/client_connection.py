"""A connection with a client: one request at a time, streaming both ways with back-pressure both ways, and limits."""

import asyncio
from collections.abc import Callable
from typing import Final

from edgeworker.admission import Refusal
from edgeworker.messages import Client
from edgeworker.rays import new_ray
from edgeworker.server import proxies
from edgeworker.server.client_body import ClientBody
from edgeworker.server.client_tls import NO_TLS, client_tls
from edgeworker.server.http1.connection import Http1Connection
from edgeworker.server.http1.request_parser import MalformedRequest, RequestHead, RequestParser
from edgeworker.server.http1.states import (
    BEGIN,
    BODY,
    CLOSE,
    CLOSED,
    DONE,
    END,
    HEAD,
    HEAD_END,
    IDLE,
    NEXT,
    SWITCHED,
)
from edgeworker.server.http1.switched import SwitchedStream
from edgeworker.server.http1.transport import as_transport
from edgeworker.server.listener_state import ListenerState, refusal_bytes
from edgeworker.server.peer import Peer
from edgeworker.server.received_request import ReceivedRequest

# Of the requests that follow the one in hand. More stays with the client, whose disconnecting is not noticed then.
_PIPELINED_BYTES: Final = 64 * 1024
_LINGER_SECONDS: Final = 1.0
_TASK_NAME: Final = "request"
_TOO_MANY: Final = Refusal(503, "There are too many connections; try again in a moment.")
_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"


class ClientConnection(Http1Connection):
    """`incoming` is the client's request, `outgoing` our response to it.

    `client` is the peer; `trusted` says that it is a proxy whose X-Forwarded-For and X-Forwarded-Proto are believed.
    """

    def __init__(
        self,
        listener: ListenerState,
        *,
        refusal: Refusal | None = None,
        end_handshake: Callable[[], None] | None = None,
    ) -> None:
        """`refusal` is all that this client gets. `end_handshake` is called before the connection is counted."""
        super().__init__()
        self._refusal = refusal
        self._end_handshake = end_handshake
        self.client = Client("")
        self.tls = NO_TLS
        self.trusted = False
        self.task: asyncio.Task[None] | None = None  # what serves the request in hand
        self._listener = listener
        self._peer = Peer(listener)
        self._parser = RequestParser(listener.limits)
        self._body: ClientBody | None = None
        self._pipelined = b""  # what follows the request in hand, from _pipelined_from on
        self._pipelined_from = 0
        self._received_eof = False
        self._has_written = False  # since the last look at a client that sends no more
        self._state_since = 0.0  # when the connection became idle, or began to close

    # The transport's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        connected = as_transport(transport)
        listener = self._listener
        if self._end_handshake is not None:
            self._end_handshake()
            self._end_handshake = None
        listener.connections.add(self)
        self.tls = client_tls(connected)
        self._become_idle(listener.limits.keepalive_timeout_seconds)
        refusal = self._peer.admit(connected, self.tls)
        self.client, self.trusted = self._peer.client, self._peer.trusted
        if refusal is None and not listener.open_connections.admit(self):
            refusal = _TOO_MANY
        refusal = refusal or self._refusal
        if refusal is not None:
            self.send_refusal(refusal)

    def data_received(self, data: bytes) -> None:
        if self._stream is not None:
            self._stream.add(data)
            return
        if self.incoming == CLOSED:
            return
        if self._peer.awaits_proxy_header:
            data = self._read_proxy_header(data)
            if not data:
                return
        if self.incoming == DONE:
            self._pipelined = self._pipelined[self._pipelined_from :] + data
            self._pipelined_from = 0
            if len(self._pipelined) > _PIPELINED_BYTES:
                self.pause_reading()
        elif self._listener.answer_at_once is None or not self._answer_at_once(data):
            self._read(data, 0)

    def eof_received(self) -> bool:
        """The client sends no more. It may still wait for a response; or it has gone, which looks the same."""
        self._received_eof = True
        if self.outgoing == CLOSED:
            return False
        if self._stream is not None:
            self._stream.end()
            return self.tls is NO_TLS
        if self.outgoing == IDLE:
            if self.incoming == HEAD:
                self.send_refusal(Refusal(400, "The connection was closed in the middle of the request."))
            return False
        self._refuse_rest_of_body()
        self.set_deadline(self._listener.limits.half_closed_seconds)
        return self.tls is NO_TLS  # asyncio's TLS ends with either direction

    def connection_lost(self, exc: Exception | None) -> None:
        listener = self._listener
        listener.connections.discard(self)
        self._peer.release()
        listener.open_connections.release(self)
        self._pipelined = b""
        super().connection_lost(exc)
        self._refuse_rest_of_body()
        self._parser.close()
        if self.task is not None:
            self.task.cancel()

    # The server's side

    @property
    def request_complete(self) -> bool:
        """Whether all of the request in hand has arrived, read or not."""
        return self.incoming == DONE

    @property
    def is_last_request(self) -> bool:
        """Whether nothing can follow the request in hand."""
        return self._received_eof and not self._pipelined

    @property
    def idle_since(self) -> float | None:
        """Since when it waits for a request, in seconds of the event loop; None while one is under way or begun."""
        return self._state_since if self.outgoing == IDLE and self.incoming == IDLE else None

    def write(self, data: bytes | memoryview) -> None:
        super().write(data)
        self._has_written = True

    def begin_response(self) -> None:
        """Its head is written next."""
        self.outgoing = HEAD_END[self.outgoing]

    def accept_upgrade(self) -> SwitchedStream:
        """Leave HTTP; the head of the 101 is written next. Raises ConnectionResetError if the client has gone."""
        received, self._pipelined = self._pipelined[self._pipelined_from :], b""
        stream = self.switch_protocols(received)
        stream.timeout_seconds = self._listener.limits.write_timeout_seconds
        if self._received_eof:
            stream.end()
        return stream

    def finish_request(self, *, keep_alive: bool) -> None:
        """The request in hand was answered, as far as the client took it."""
        self.task = self._body = None
        transport = self._transport
        if transport is None:
            return
        if not keep_alive or self.incoming != DONE or self.outgoing != BODY:
            self.close_gracefully()
            return
        self.outgoing = END[self.outgoing]
        self.outgoing = NEXT[self.outgoing]
        self.incoming = NEXT[self.incoming]
        self._parser.next_request()
        limits = self._listener.limits
        seconds = limits.keepalive_timeout_seconds
        if transport.get_write_buffer_size():
            seconds = min(seconds, limits.write_timeout_seconds)
        self._become_idle(seconds)
        if self._pipelined:
            pipelined, start, self._pipelined = self._pipelined, self._pipelined_from, b""
            self._read(pipelined, start)
            if len(self._pipelined) - self._pipelined_from <= _PIPELINED_BYTES:
                self.resume_reading()
        if self._received_eof or self._listener.closing:
            self.close_when_idle()

    def send_refusal(self, refusal: Refusal) -> None:
        """Send a refusal, as the last response on this connection."""
        if self._transport is None or self.outgoing == CLOSED or self._transport.is_closing():
            return
        ray = new_ray()
        self._listener.log_refusal(refusal, self.client.ip, ray)
        self._transport.write(refusal_bytes(refusal, ray))
        self.close_gracefully()

    def close_gracefully(self) -> None:
        """Send nothing more, and discard for a while what the client still sends.

        Closing with unread bytes resets the connection, and then the client may never see the response.
        """
        transport = self._transport
        unread = self.incoming not in (DONE, SWITCHED)
        self.close_outgoing()
        self.incoming = CLOSE[self.incoming]
        self._stream = None
        self._pipelined = b""
        if transport is None or transport.is_closing():
            return
        super().resume_reading()
        if transport.can_write_eof() and not self._received_eof:
            transport.write_eof()
        elif self._received_eof or not unread:
            transport.close()
            return
        self._state_since = self._loop.time()
        self.set_deadline(_LINGER_SECONDS)

    def close_stream(self) -> None:
        """`finish_request` closes the connection, after the last bytes were taken."""

    def close_when_idle(self) -> None:
        """End a connection on which nothing is under way; what was written is still sent."""
        if self.outgoing == IDLE and self._transport is not None:
            self._transport.close()

    # The body's side

    def send_continue(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(_CONTINUE)

    def resume_reading(self) -> None:
        if self._reading_paused and (self._body is None or not self._body.is_full):
            super().resume_reading()

    def _refuse_rest_of_body(self) -> None:
        if self._body is not None:
            self._body.refuse(Refusal(400, "The connection was closed in the middle of the body."))

    # Reading

    def _answer_at_once(self, data: bytes) -> bool:
        transport, listener = self._transport, self._listener
        if listener.answer_at_once is None or transport is None or listener.closing:
            return False
        if self.incoming != IDLE or self.outgoing != IDLE or self._writable is not None:
            return False
        answer = listener.answer_at_once(data)
        if answer is None:
            return False
        transport.write(answer)
        self._become_idle(listener.limits.keepalive_timeout_seconds)
        return True

    def _read(self, data: bytes, start: int) -> None:
        """What belongs to the request in hand, or begins the next one."""
        parser = self._parser
        try:
            end = parser.feed(data, start)
        except MalformedRequest as error:
            self._fail_unreadable(error.refusal)
            return
        if self.outgoing == IDLE:
            if self.incoming == IDLE:
                self.incoming = BEGIN[IDLE]
                if parser.head is None:
                    self.set_deadline(self._listener.limits.header_timeout_seconds)
            if parser.head is None:
                return
            self.incoming = HEAD_END[self.incoming]
            self._serve(parser.head)
        if parser.complete:
            self.incoming = END[self.incoming]
        body = self._body
        if body is not None:
            if parser.pieces:
                body.add(parser.pieces)
                parser.pieces = []
                if body.is_full and not parser.complete:
                    self.pause_reading()
            if parser.complete:
                body.end()
        if end < len(data):
            self._pipelined, self._pipelined_from = data, end

    def _serve(self, head: RequestHead) -> None:
        self.outgoing = BEGIN[self.outgoing]
        self.clear_deadline()
        if head.coding is not None or head.length:
            expects = head.expect is not None and not head.http10
            self._body = ClientBody(self, self._listener.limits, expects=expects)
        if self._received_eof:
            self.set_deadline(self._listener.limits.half_closed_seconds)
        # Not create_task: without a name of its own each task counts and formats one.
        serving = self._listener.serve(ReceivedRequest(self, head, self._body))
        self.task = asyncio.Task(serving, loop=self._loop, name=_TASK_NAME)

    def _fail_unreadable(self, refusal: Refusal) -> None:
        self.incoming = CLOSE[self.incoming]
        if self._body is None:
            self.send_refusal(refusal)
        else:
            # The reader of the body gets the error, and the request is still answered.
            self._body.refuse(refusal)

    def _read_proxy_header(self, data: bytes) -> bytes:
        """What follows the PROXY header, once it is there."""
        has_begun = self._peer.has_begun_proxy_header
        match self._peer.read_proxy_header(data):
            case proxies.NeedMoreData():
                if not has_begun:
                    self.set_deadline(self._listener.limits.header_timeout_seconds)
                return b""
            case proxies.InvalidProxyHeader():
                self.abort()
                return b""
            case Refusal() as refusal:
                self.client = self._peer.client
                self.send_refusal(refusal)
                return b""
            case bytes() as rest:
                self._become_idle(self._listener.limits.keepalive_timeout_seconds)
                self.client, self.trusted = self._peer.client, self._peer.trusted
                return rest

    # Time

    def _become_idle(self, seconds: float) -> None:
        self._state_since = self._loop.time()
        self.set_deadline(seconds)

    def must_wait_for_turn(self) -> bool:
        return not self._listener.deadline_turns.take(self)

    def deadline_passed(self) -> None:
        transport = self._transport
        assert transport is not None
        limits = self._listener.limits
        lasted = self._loop.time() - self._state_since
        if self.outgoing == CLOSED:
            if transport.get_write_buffer_size() and lasted < limits.write_timeout_seconds:
                self.set_deadline(_LINGER_SECONDS)
            else:
                transport.abort()
        elif self.outgoing != IDLE:
            self._give_up_half_closed()
        elif self.incoming == HEAD or self._peer.has_begun_proxy_header:
            self.send_refusal(Refusal(408, "The header fields came too slowly."))
        elif transport.get_write_buffer_size():
            transport.abort()
        elif lasted < limits.keepalive_timeout_seconds:
            self.set_deadline(limits.keepalive_timeout_seconds - lasted)
        else:
            transport.close()

    def _give_up_half_closed(self) -> None:
        """A client that sends no more has taken nothing for a while: it counts as gone."""
        if self._has_written:  # what was written since was not refused, so the client may still be there
            self._has_written = False
            self.set_deadline(self._listener.limits.half_closed_seconds)
        elif self.task is not None:
            self.task.cancel()
