"""A connection with a client: one request at a time, streaming both ways with back-pressure both ways, and limits."""

import asyncio
from dataclasses import replace
from typing import Final

from edgeworker.admission import Refusal
from edgeworker.messages import Client
from edgeworker.server import proxies
from edgeworker.server.client_body import ClientBody
from edgeworker.server.client_tls import NO_TLS, client_tls
from edgeworker.server.http1.request_parser import MalformedRequest, RequestHead, RequestParser
from edgeworker.server.listener_state import ListenerState, peer_of, refusal_bytes, reset_when_closed
from edgeworker.server.received_request import ReceivedRequest
from edgeworker.server.upgraded import ClientStream

# Of the requests that follow the one in hand. More stays with the client, who is not heard leaving then.
_PIPELINED_BYTES: Final = 64 * 1024
_LINGER_SECONDS: Final = 1.0
_NEVER: Final = float("inf")
_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"

# What a connection does. Plain numbers: comparing an Enum's members costs more.
_IDLE: Final = 0  # between two requests
_READING_HEAD: Final = 1  # a head has begun
_SERVING: Final = 2
_CLOSING: Final = 3  # the last bytes are on their way; what comes is thrown away


class ClientConnection(asyncio.Protocol):
    """`client` is who is at the other end; `trusted` says that it is a proxy whose word about its client counts."""

    def __init__(self, listener: ListenerState) -> None:
        self.client = Client("")
        self.tls = NO_TLS
        self.trusted = False
        self._listener = listener
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._counted: str | None = None
        self._proxy_header_done = not listener.proxy_protocol
        self._proxy_header_buffer = b""  # of the PROXY header
        self._parser = RequestParser(listener.limits)
        self._state = _IDLE
        self._task: asyncio.Task[None] | None = None
        self._body: ClientBody | None = None
        self._stream: ClientStream | None = None
        self._pipelined = b""  # what follows the request in hand, from _pipelined_from on
        self._pipelined_from = 0
        self._paused = False
        self._received_eof = False  # the client sends no more
        self._unreadable = False  # what the client sends cannot be read any more
        self._can_write: asyncio.Future[None] | None = None
        self._has_written = False  # since `_check_deadline` looked
        self._state_since = 0.0  # when the present state began
        self._deadline = _NEVER
        self._timer: asyncio.TimerHandle | None = None

    # asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        listener = self._listener
        self._transport = transport
        listener.connections.add(self)
        self.tls = client_tls(transport)
        self.client = peer_of(transport)
        if self.tls is not NO_TLS:
            self.client = replace(self.client, tls_version=self.tls.version, tls_cipher=self.tls.cipher)
        self.trusted = proxies.is_trusted(self.client.ip, listener.trusted)
        self._enter(_IDLE, listener.limits.keepalive_timeout_seconds)
        if self.trusted:
            return  # a proxy has as many connections as it likes
        if listener.proxy_protocol:
            transport.abort()
        elif listener.admit_connection(self.client.ip):
            self._counted = self.client.ip
        else:
            self.send_refusal(Refusal(429, "There are too many connections from this address."))

    def data_received(self, data: bytes) -> None:
        if self._state == _CLOSING or self._unreadable:
            return
        if not self._proxy_header_done:
            data = self._read_proxy_header(data)
            if not data:
                return
        if self._stream is not None:
            self._stream.add(data)
        elif self._parser.complete:
            self._pipelined = self._pipelined[self._pipelined_from :] + data
            self._pipelined_from = 0
            if len(self._pipelined) > _PIPELINED_BYTES:
                self._pause()
        else:
            self._read(data, 0)

    def eof_received(self) -> bool:
        """The client sends no more. It may still wait for an answer; or it has gone, which looks the same."""
        self._received_eof = True
        if self._stream is not None and self._state != _CLOSING:
            self._stream.end()
            return self.tls is NO_TLS
        if self._state == _READING_HEAD:
            self.send_refusal(Refusal(400, "The connection was closed in the middle of the request."))
        if self._state != _SERVING:
            return False
        self._fail_body()
        self._set_deadline(self._listener.limits.half_closed_seconds)
        return self.tls is NO_TLS  # asyncio's TLS ends with either direction

    def connection_lost(self, exc: BaseException | None) -> None:
        listener = self._listener
        self._transport = None
        listener.connections.discard(self)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._counted is not None:
            listener.release_connection(self._counted)
            self._counted = None
        self._pipelined = b""
        self.resume_writing()
        self._fail_body()
        if self._stream is not None:
            self._stream.end()
        if self._task is not None:
            self._task.cancel()

    def pause_writing(self) -> None:
        if self._can_write is None:
            self._can_write = self._loop.create_future()

    def resume_writing(self) -> None:
        waiter, self._can_write = self._can_write, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    # The listener's side

    @property
    def request_complete(self) -> bool:
        """Whether all of the request in hand has arrived, read or not."""
        return self._parser.complete

    @property
    def is_last_request(self) -> bool:
        """Whether nothing can follow the request in hand."""
        return self._received_eof and not self._pipelined

    @property
    def task(self) -> "asyncio.Task[None] | None":
        """What serves the request in hand."""
        return self._task

    def write(self, data: bytes | memoryview) -> None:
        """Raises ConnectionResetError where the client has gone."""
        transport = self._transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError("the client has gone")
        self._has_written = True
        transport.write(data)

    async def drain(self, timeout_seconds: float) -> None:
        """Waits while the client does not take what was written. Raises TimeoutError."""
        waiter = self._can_write
        if waiter is not None:
            # Two may wait for it: that one gives up must not end it for the other.
            done, _ = await asyncio.wait([waiter], timeout=timeout_seconds)
            if not done:
                raise TimeoutError

    async def wait_flushed(self) -> None:
        """Until all that was written is with the system."""
        transport = self._transport
        if transport is not None and transport.get_write_buffer_size():
            transport.set_write_buffer_limits(high=0)
            if self._can_write is not None:
                await self._can_write

    def switch_protocols(self) -> ClientStream:
        """From here on the connection does not speak HTTP."""
        transport = self._transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError("the client has gone")
        early, self._pipelined = self._pipelined[self._pipelined_from :], b""
        stream = self._stream = ClientStream(
            self, transport, early, timeout_seconds=self._listener.limits.write_timeout_seconds
        )
        self._resume()
        if self._received_eof:
            stream.end()
        return stream

    def finish_request(self, *, keep_alive: bool) -> None:
        """The request in hand was answered, as far as the client took it."""
        self._task = self._body = None
        transport = self._transport
        if transport is None:
            return
        if not keep_alive or not self._parser.complete:
            self.close_gracefully()
            return
        self._parser.next_request()
        limits = self._listener.limits
        seconds = limits.keepalive_timeout_seconds
        if transport.get_write_buffer_size():
            seconds = min(seconds, limits.write_timeout_seconds)
        self._enter(_IDLE, seconds)
        if self._pipelined:
            pipelined, start, self._pipelined = self._pipelined, self._pipelined_from, b""
            self._read(pipelined, start)
            if len(self._pipelined) - self._pipelined_from <= _PIPELINED_BYTES:
                self.resume_body()
        if self._received_eof or self._listener.closing:
            self.close_when_idle()

    def send_refusal(self, refusal: Refusal) -> None:
        """The last thing that is said on this connection."""
        transport = self._transport
        if transport is None or transport.is_closing() or self._state == _CLOSING:
            return
        self._listener.log_refusal(refusal.status)
        transport.write(refusal_bytes(refusal))
        self.close_gracefully()

    def close_gracefully(self) -> None:
        """Says nothing more, and throws away for a while what the client still sends.

        To close with bytes unread is to reset the connection, and then the client may never see the answer.
        """
        transport = self._transport
        self._state = _CLOSING
        self._pipelined = b""
        if transport is None or transport.is_closing():
            return
        self._resume()
        if transport.can_write_eof() and not self._received_eof:
            transport.write_eof()
        elif self._received_eof or self._parser.complete:
            transport.close()
            return
        self._enter(_CLOSING, _LINGER_SECONDS)

    def close_when_idle(self) -> None:
        """Ends a connection on which nothing is under way; what was written is still sent."""
        if self._state in (_IDLE, _READING_HEAD) and self._transport is not None:
            self._transport.close()

    def abort(self, *, reset: bool = False) -> None:
        """Ends the connection now: to close it politely is to wait until the client has taken what was written."""
        if self._transport is not None:
            if reset:
                reset_when_closed(self._transport)
            self._transport.abort()

    # The body's side

    def send_continue(self) -> None:
        transport = self._transport
        if transport is not None and not transport.is_closing():
            transport.write(_CONTINUE)

    def resume_body(self) -> None:
        if self._paused and (self._body is None or not self._body.full):
            self._resume()

    def _fail_body(self) -> None:
        if self._body is not None:
            self._body.fail(Refusal(400, "The connection was closed in the middle of the body."))

    def _pause(self) -> None:
        if not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()

    def _resume(self) -> None:
        if self._paused:
            self._paused = False
            if self._transport is not None and not self._transport.is_closing():
                self._transport.resume_reading()

    # Reading

    def _read(self, data: bytes, start: int) -> None:
        """What belongs to the request in hand, or begins the next one."""
        parser = self._parser
        try:
            end = parser.feed(data, start)
        except MalformedRequest as error:
            self._fail_unreadable(error.refusal)
            return
        if self._state != _SERVING:
            head = parser.head
            if head is None:
                self._enter(_READING_HEAD, self._listener.limits.header_timeout_seconds)
                return
            self._serve(head)
        body = self._body
        if body is not None:
            if parser.pieces:
                body.add(parser.pieces)
                parser.pieces = []
                if body.full and not parser.complete:
                    self._pause()
            if parser.complete:
                body.end()
        if end < len(data):
            self._pipelined, self._pipelined_from = data, end

    def _serve(self, head: RequestHead) -> None:
        self._state = _SERVING
        self._deadline = _NEVER
        if head.coding is not None or head.length:
            expects = head.expect is not None and not head.http10
            self._body = ClientBody(self, self._listener.limits, expects=expects)
        if self._received_eof:
            self._set_deadline(self._listener.limits.half_closed_seconds)
        self._task = self._loop.create_task(self._listener.serve(ReceivedRequest(self, head, self._body)))

    def _fail_unreadable(self, refusal: Refusal) -> None:
        self._unreadable = True
        if self._body is None:
            self.send_refusal(refusal)
        else:
            # The reader of the body gets the error, and the request is still answered.
            self._body.fail(refusal)

    def _read_proxy_header(self, data: bytes) -> bytes:
        """What follows the PROXY header, once it is there."""
        self._proxy_header_buffer += data
        match proxies.read_proxy_header(self._proxy_header_buffer):
            case proxies.NeedMoreData():
                self._enter(_READING_HEAD, self._listener.limits.header_timeout_seconds)
                return b""
            case proxies.InvalidProxyHeader():
                self.abort()
                return b""
            case proxies.ProxyHeader(client, rest):
                self._proxy_header_done = True
                self._proxy_header_buffer = b""
                self._enter(_IDLE, self._listener.limits.keepalive_timeout_seconds)
                if client is not None:
                    self.client = client
                    self.trusted = proxies.is_trusted(client.ip, self._listener.trusted)
                return rest

    # Time

    def _enter(self, state: int, seconds: float) -> None:
        """Begins `state`, which may last that long. One timer a connection serves all of them: it is moved on when it
        fires, not with each request."""
        if state != _READING_HEAD or self._state != _READING_HEAD:
            self._state = state
            self._state_since = self._loop.time()
            self._set_deadline(seconds)

    def _set_deadline(self, seconds: float) -> None:
        deadline = self._deadline = self._loop.time() + seconds
        timer = self._timer
        if timer is None or timer.when() > deadline:
            if timer is not None:
                timer.cancel()
            self._timer = self._loop.call_at(deadline, self._check_deadline)

    def _check_deadline(self) -> None:
        self._timer = None
        transport = self._transport
        if transport is None or self._deadline == _NEVER:
            return
        left = self._deadline - self._loop.time()
        if left > 0:
            self._set_deadline(left)
            return
        limits = self._listener.limits
        lasted = self._loop.time() - self._state_since
        if self._state == _READING_HEAD:
            self.send_refusal(Refusal(408, "The header fields came too slowly."))
        elif self._state == _IDLE:
            if transport.get_write_buffer_size():
                transport.abort()
            elif lasted < limits.keepalive_timeout_seconds:
                self._set_deadline(limits.keepalive_timeout_seconds - lasted)
            else:
                transport.close()
        elif self._state == _CLOSING:
            if transport.get_write_buffer_size() and lasted < limits.write_timeout_seconds:
                self._set_deadline(_LINGER_SECONDS)
            else:
                transport.abort()
        elif self._has_written:  # what was written since was not refused, so the client may still be there
            self._has_written = False
            self._set_deadline(limits.half_closed_seconds)
        elif self._task is not None:
            self._task.cancel()
