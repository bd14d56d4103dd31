"""A connection with a client: one request at a time, streaming both ways with back-pressure both ways, and limits."""

import asyncio
from dataclasses import replace
from typing import Final

from edgeworker.admission import Refusal
from edgeworker.messages import Client
from edgeworker.server import proxies
from edgeworker.server.client_body import ClientBody
from edgeworker.server.client_tls import NO_TLS, client_tls
from edgeworker.server.door import Door, Incoming, peer, refusal_bytes, reset_when_closed
from edgeworker.server.request_parser import Head, Malformed, RequestParser
from edgeworker.server.upgraded import ClientStream

# Of the requests that follow the one in hand. More stays with the client, who is not heard leaving then.
_HELD_BYTES: Final = 64 * 1024
_LINGER_SECONDS: Final = 1.0
_NEVER: Final = float("inf")
_CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"

# What a connection does. Plain numbers: comparing an Enum's members costs more.
_IDLE: Final = 0  # between two requests
_HEADING: Final = 1  # a head has begun
_SERVING: Final = 2
_LEAVING: Final = 3  # the last bytes are on their way; what comes is thrown away


class ClientConnection(asyncio.Protocol):
    """`client` is who is at the other end; `trusted` says that it is a proxy that may name somebody else."""

    def __init__(self, door: Door) -> None:
        self.client = Client("")
        self.tls = NO_TLS
        self.trusted = False
        self._door = door
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._counted: str | None = None
        self._announced = not door.proxy_protocol
        self._early = b""  # of the PROXY header
        self._parser = RequestParser(door.limits)
        self._state = _IDLE
        self._task: asyncio.Task[None] | None = None
        self._body: ClientBody | None = None
        self._stream: ClientStream | None = None
        self._held = b""  # what follows the request in hand, from _held_from on
        self._held_from = 0
        self._paused = False
        self._ended = False  # the client sends no more
        self._deaf = False  # what the client sends cannot be read any more
        self._can_write: asyncio.Future[None] | None = None
        self._wrote = False  # since `_look` looked
        self._since = 0.0  # when the present state began
        self._deadline = _NEVER
        self._timer: asyncio.TimerHandle | None = None

    # asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        door = self._door
        self._transport = transport
        door.connections.add(self)
        self.tls = client_tls(transport)
        self.client = peer(transport)
        if self.tls is not NO_TLS:
            self.client = replace(self.client, tls_version=self.tls.version, tls_cipher=self.tls.cipher)
        self.trusted = proxies.is_trusted(self.client.ip, door.trusted)
        self._enter(_IDLE, door.limits.keepalive_timeout_seconds)
        if self.trusted:
            return  # a proxy has as many connections as it likes
        if door.proxy_protocol:
            transport.abort()
        elif door.enters(self.client.ip):
            self._counted = self.client.ip
        else:
            self.refuse(Refusal(429, "There are too many connections from this address."))

    def data_received(self, data: bytes) -> None:
        if self._state == _LEAVING or self._deaf:
            return
        if not self._announced:
            data = self._read_announcement(data)
            if not data:
                return
        if self._stream is not None:
            self._stream.add(data)
        elif self._parser.complete:
            self._held = self._held[self._held_from :] + data
            self._held_from = 0
            if len(self._held) > _HELD_BYTES:
                self._pause()
        else:
            self._read(data, 0)

    def eof_received(self) -> bool:
        """The client sends no more. It may still wait for an answer; or it has gone, which looks the same."""
        self._ended = True
        if self._stream is not None and self._state != _LEAVING:
            self._stream.end()
            return self.tls is NO_TLS
        if self._state == _HEADING:
            self.refuse(Refusal(400, "The connection was closed in the middle of the request."))
        if self._state != _SERVING:
            return False
        self._fail_body()
        self._expect(self._door.limits.half_closed_seconds)
        return self.tls is NO_TLS  # asyncio's TLS ends with either direction

    def connection_lost(self, exc: BaseException | None) -> None:
        door = self._door
        self._transport = None
        door.connections.discard(self)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._counted is not None:
            door.leaves(self._counted)
            self._counted = None
        self._held = b""
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
    def whole(self) -> bool:
        """Whether all of the request in hand has arrived, read or not."""
        return self._parser.complete

    @property
    def last(self) -> bool:
        """Whether nothing can follow the request in hand."""
        return self._ended and not self._held

    @property
    def task(self) -> "asyncio.Task[None] | None":
        """What serves the request in hand."""
        return self._task

    def write(self, data: bytes | memoryview) -> None:
        """Raises ConnectionResetError where the client has gone."""
        transport = self._transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError("the client has gone")
        self._wrote = True
        transport.write(data)

    async def drain(self, timeout_seconds: float) -> None:
        """Waits while the client does not take what was written. Raises TimeoutError."""
        waiter = self._can_write
        if waiter is not None:
            # Two may wait for it: that one gives up must not end it for the other.
            done, _ = await asyncio.wait([waiter], timeout=timeout_seconds)
            if not done:
                raise TimeoutError

    async def flushed(self) -> None:
        """Until all that was written is with the system."""
        transport = self._transport
        if transport is not None and transport.get_write_buffer_size():
            transport.set_write_buffer_limits(high=0)
            if self._can_write is not None:
                await self._can_write

    def switch(self) -> ClientStream:
        """From here on the connection does not speak HTTP."""
        transport = self._transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError("the client has gone")
        early, self._held = self._held[self._held_from :], b""
        stream = self._stream = ClientStream(
            self, transport, early, timeout_seconds=self._door.limits.write_timeout_seconds
        )
        self._resume()
        if self._ended:
            stream.end()
        return stream

    def finished(self, *, goes_on: bool) -> None:
        """The request in hand was answered, as far as the client took it."""
        self._task = self._body = None
        transport = self._transport
        if transport is None:
            return
        if not goes_on or not self._parser.complete:
            self.hang_up()
            return
        self._parser.next_request()
        limits = self._door.limits
        seconds = limits.keepalive_timeout_seconds
        if transport.get_write_buffer_size():
            seconds = min(seconds, limits.write_timeout_seconds)
        self._enter(_IDLE, seconds)
        if self._held:
            held, start, self._held = self._held, self._held_from, b""
            self._read(held, start)
            if len(self._held) - self._held_from <= _HELD_BYTES:
                self.resume_body()
        if self._ended or self._door.closing:
            self.close_when_idle()

    def refuse(self, refusal: Refusal) -> None:
        """The last thing that is said on this connection."""
        transport = self._transport
        if transport is None or transport.is_closing() or self._state == _LEAVING:
            return
        self._door.refused(refusal.status)
        transport.write(refusal_bytes(refusal))
        self.hang_up()

    def hang_up(self) -> None:
        """Says nothing more, and throws away for a while what the client still sends.

        To close with bytes unread is to reset the connection, and then the client may never see the answer.
        """
        transport = self._transport
        self._state = _LEAVING
        self._held = b""
        if transport is None or transport.is_closing():
            return
        self._resume()
        if transport.can_write_eof() and not self._ended:
            transport.write_eof()
        elif self._ended or self._parser.complete:
            transport.close()
            return
        self._enter(_LEAVING, _LINGER_SECONDS)

    def close_when_idle(self) -> None:
        """Ends a connection on which nothing is under way; what was written is still sent."""
        if self._state in (_IDLE, _HEADING) and self._transport is not None:
            self._transport.close()

    def cut(self, *, reset: bool = False) -> None:
        """Ends the connection now: to close it politely is to wait until the client has taken what was written."""
        if self._transport is not None:
            if reset:
                reset_when_closed(self._transport)
            self._transport.abort()

    # The body's side

    def go_on(self) -> None:
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
        except Malformed as error:
            self._malformed(error.refusal)
            return
        if self._state != _SERVING:
            head = parser.head
            if head is None:
                self._enter(_HEADING, self._door.limits.header_timeout_seconds)
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
            self._held, self._held_from = data, end

    def _serve(self, head: Head) -> None:
        self._state = _SERVING
        self._deadline = _NEVER
        if head.coding is not None or head.length:
            expects = head.expect is not None and not head.http10
            self._body = ClientBody(self, self._door.limits, expects=expects)
        if self._ended:
            self._expect(self._door.limits.half_closed_seconds)
        self._task = self._loop.create_task(self._door.serve(Incoming(self, head, self._body)))

    def _malformed(self, refusal: Refusal) -> None:
        self._deaf = True
        if self._body is None:
            self.refuse(refusal)
        else:
            # Whoever reads it learns it, and its request is still answered.
            self._body.fail(refusal)

    def _read_announcement(self, data: bytes) -> bytes:
        """What follows the PROXY header, once it is there."""
        self._early += data
        match proxies.read_proxy_header(self._early):
            case proxies.Incomplete():
                self._enter(_HEADING, self._door.limits.header_timeout_seconds)
                return b""
            case proxies.Broken():
                self.cut()
                return b""
            case proxies.Announced(client, rest):
                self._announced = True
                self._early = b""
                self._enter(_IDLE, self._door.limits.keepalive_timeout_seconds)
                if client is not None:
                    self.client = client
                    self.trusted = proxies.is_trusted(client.ip, self._door.trusted)
                return rest

    # Time

    def _enter(self, state: int, seconds: float) -> None:
        """Begins `state`, which may last that long. One timer a connection serves all of them: it is moved on when it
        fires, not with each request."""
        if state != _HEADING or self._state != _HEADING:
            self._state = state
            self._since = self._loop.time()
            self._expect(seconds)

    def _expect(self, seconds: float) -> None:
        deadline = self._deadline = self._loop.time() + seconds
        timer = self._timer
        if timer is None or timer.when() > deadline:
            if timer is not None:
                timer.cancel()
            self._timer = self._loop.call_at(deadline, self._look)

    def _look(self) -> None:
        self._timer = None
        transport = self._transport
        if transport is None or self._deadline == _NEVER:
            return
        left = self._deadline - self._loop.time()
        if left > 0:
            self._expect(left)
            return
        limits = self._door.limits
        lasted = self._loop.time() - self._since
        if self._state == _HEADING:
            self.refuse(Refusal(408, "The header fields came too slowly."))
        elif self._state == _IDLE:
            if transport.get_write_buffer_size():
                transport.abort()
            elif lasted < limits.keepalive_timeout_seconds:
                self._expect(limits.keepalive_timeout_seconds - lasted)
            else:
                transport.close()
        elif self._state == _LEAVING:
            if transport.get_write_buffer_size() and lasted < limits.write_timeout_seconds:
                self._expect(_LINGER_SECONDS)
            else:
                transport.abort()
        elif self._wrote:  # what was written since was not refused, so somebody may still be there
            self._wrote = False
            self._expect(limits.half_closed_seconds)
        elif self._task is not None:
            self._task.cancel()
