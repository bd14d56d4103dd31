"""A connection that has left HTTP: bytes both ways, with back-pressure both ways."""

import asyncio
from typing import Final, Protocol

_HIGH_WATER_BYTES: Final = 256 * 1024


class StreamConnection(Protocol):
    """The connection that the bytes come from and go to."""

    def write(self, data: bytes) -> None: ...

    async def wait_writable(self, timeout_seconds: float | None = None) -> None: ...

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...

    def close_stream(self) -> None: ...


class SwitchedStream:
    """An Upgrade: one end of a connection that has switched protocols.

    What was received and not read is bounded, so a slow reader slows the sender. `sent` counts what
    `send` was given; `timeout_seconds` is how long the other end may take nothing of what is for it.
    """

    def __init__(self, connection: StreamConnection, received: bytes) -> None:
        self.sent = 0
        self.timeout_seconds: float | None = None
        self._connection = connection
        self._pieces = [received] if received else []
        self._size = len(received)
        self._ended = False
        self._waiter: asyncio.Future[None] | None = None

    # The connection's side

    def add(self, data: bytes) -> None:
        self._pieces.append(data)
        self._size += len(data)
        if self._size > _HIGH_WATER_BYTES:
            self._connection.pause_reading()
        self._wake()

    def end(self) -> None:
        """The other end sends no more."""
        self._ended = True
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # The user's side

    def write(self, data: bytes) -> None:
        """Send without waiting. Raises ConnectionError if the other end has gone."""
        self._connection.write(data)

    async def send(self, data: bytes) -> None:
        """Raises TimeoutError if the other end takes nothing for too long, ConnectionError if it has gone."""
        self._connection.write(data)
        self.sent += len(data)
        await self._connection.wait_writable(self.timeout_seconds)

    async def receive(self) -> bytes:
        """All that has arrived, at least one byte; b"" at the end."""
        while not self._pieces and not self._ended:
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        data = b"".join(self._pieces)
        self._pieces.clear()
        self._size = 0
        self._connection.resume_reading()
        return data

    def close(self) -> None:
        self.end()
        self._connection.close_stream()
