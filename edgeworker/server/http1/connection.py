"""What every HTTP/1.1 connection has, towards clients and towards origins: its states, one pause of writing, one pause
of reading, one deadline, and the way out of HTTP.
"""

import asyncio
from typing import Final

from edgeworker.server.http1.states import CLOSE, IDLE, SWITCH, State
from edgeworker.server.http1.switched import SwitchedStream
from edgeworker.server.http1.transport import as_transport, reset_when_closed

_NEVER: Final = float("inf")


class Http1Connection(asyncio.Protocol):
    """`incoming` and `outgoing` are the states of the two messages under way, see edgeworker.server.http1.states."""

    def __init__(self) -> None:
        self.incoming: State = IDLE
        self.outgoing: State = IDLE
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._stream: SwitchedStream | None = None
        self._reading_paused = False
        self._writable: asyncio.Future[None] | None = None  # pending while the other end does not take what was written
        self._deadline = _NEVER
        self._timer: asyncio.TimerHandle | None = None

    # The transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = as_transport(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.resume_writing()
        if self._stream is not None:
            self._stream.end()

    @property
    def is_open(self) -> bool:
        transport = self._transport
        return transport is not None and not transport.is_closing()

    def abort(self, *, reset: bool = False) -> None:
        """End the connection now, without delivering what was written.

        `reset`: the other end sees an error, so that it cannot mistake the close for the end of a body.
        """
        transport = self._transport
        if transport is None:
            return
        if reset:
            reset_when_closed(transport)
        transport.abort()

    # Writing

    def write(self, data: bytes | memoryview) -> None:
        """Raises ConnectionResetError if the other end has gone."""
        transport = self._transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError("the other end has gone")
        transport.write(data)

    def pause_writing(self) -> None:
        if self._writable is None:
            self._writable = self._loop.create_future()

    def resume_writing(self) -> None:
        waiter, self._writable = self._writable, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    async def wait_writable(self, timeout_seconds: float | None = None) -> None:
        """Wait while the other end does not take what was written. Raises TimeoutError."""
        waiter = self._writable
        if waiter is not None:
            # Several tasks may wait on this future; cancelling one must not cancel it for the others.
            done, _ = await asyncio.wait([waiter], timeout=timeout_seconds)
            if not done:
                raise TimeoutError

    async def wait_flushed(self) -> None:
        """Wait until the system has taken all that was written."""
        transport = self._transport
        if transport is not None and transport.get_write_buffer_size():
            transport.set_write_buffer_limits(high=0)
            await self.wait_writable()

    # Reading

    def pause_reading(self) -> None:
        if not self._reading_paused and self._transport is not None:
            self._reading_paused = True
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        if self._reading_paused:
            self._reading_paused = False
            if self._transport is not None and not self._transport.is_closing():
                self._transport.resume_reading()

    # Time

    def loop_time(self) -> float:
        """In seconds, of the event loop. asyncio.get_running_loop() is a system call in Python 3.11 (getpid)."""
        return self._loop.time()

    def set_deadline(self, seconds: float) -> None:
        """`deadline_passed` is called once in `seconds` from now, unless the deadline is moved or cleared before.

        One timer serves the connection: it is moved on when it fires, not with each request.
        """
        deadline = self._deadline = self._loop.time() + seconds
        timer = self._timer
        if timer is None:
            self._timer = self._loop.call_at(deadline, self._check_deadline)
        elif timer.when() > deadline:
            timer.cancel()
            self._timer = self._loop.call_at(deadline, self._check_deadline)

    def clear_deadline(self) -> None:
        self._deadline = _NEVER

    def deadline_passed(self) -> None:
        raise NotImplementedError

    def _check_deadline(self) -> None:
        self._timer = None
        if self._transport is None or self._deadline == _NEVER:
            return
        if self._loop.time() < self._deadline:
            self._timer = self._loop.call_at(self._deadline, self._check_deadline)
            return
        if not self.must_wait_for_turn():
            self._deadline = _NEVER
            self.deadline_passed()

    def must_wait_for_turn(self) -> bool:
        """Whether `act_on_deadline` is called later for what is due now."""
        return False

    def act_on_deadline(self) -> None:
        if self._timer is None:  # else the deadline was moved meanwhile
            self._check_deadline()

    # Leaving HTTP

    def switch_protocols(self, received: bytes) -> SwitchedStream:
        """From here on the bytes are not HTTP; `received` are those that have come already.

        Raises ConnectionResetError if the other end has gone.
        """
        if not self.is_open:
            raise ConnectionResetError("the other end has gone")
        self.incoming = SWITCH[self.incoming]
        self.outgoing = SWITCH[self.outgoing]
        self.clear_deadline()
        stream = self._stream = SwitchedStream(self, received)
        self.resume_reading()
        return stream

    def close_stream(self) -> None:
        """End a connection that has switched, once it has delivered what was written."""
        raise NotImplementedError

    def close_outgoing(self) -> None:
        """Send nothing more."""
        self.outgoing = CLOSE[self.outgoing]

    def close_incoming(self) -> None:
        """Read nothing more as HTTP."""
        self.incoming = CLOSE[self.incoming]
