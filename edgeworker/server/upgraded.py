"""Connections that have left HTTP: a WebSocket on its way through the edge, byte for byte both ways.

Frames are not looked at, so fragments, close codes and extensions are what client and origin agree on. A reader that
does not read slows its sender: what is buffered here is bounded.

Source: https://www.rfc-editor.org/rfc/rfc9110#section-7.8
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Final, Protocol

from edgeworker.admission import Field, end_to_end
from edgeworker.messages import Response, Upgrade
from edgeworker.server.http1 import heads

_HIGH_WATER_BYTES: Final = 256 * 1024
# How long the other end may take to fetch the last bytes before the connection is cut.
_LAST_SECONDS: Final = 5.0


class _ReceiveBuffer:
    """Bytes that were received and not read yet; reading is paused while there are too many."""

    def __init__(self, transport: asyncio.Transport, early: bytes = b"") -> None:
        self._transport = transport
        self._pieces = [early] if early else []
        self._size = len(early)
        self._ended = False
        self._paused = False
        self._waiter: asyncio.Future[None] | None = None

    def add(self, data: bytes) -> None:
        self._pieces.append(data)
        self._size += len(data)
        if self._size > _HIGH_WATER_BYTES and not self._paused and not self._transport.is_closing():
            self._paused = True
            self._transport.pause_reading()
        self._wake()

    def end(self) -> None:
        self._ended = True
        self._wake()

    async def read(self) -> bytes:
        """All that has arrived, at least one byte; b"" at the end."""
        while not self._pieces and not self._ended:
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        data = b"".join(self._pieces)
        self._pieces.clear()
        self._size = 0
        if self._paused:
            self._paused = False
            if not self._transport.is_closing():
                self._transport.resume_reading()
        return data

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class OriginStream(asyncio.Protocol):
    """An Upgrade: the origin's end. Takes the transport over from the protocol that spoke HTTP on it."""

    def __init__(self, transport: asyncio.Transport, early: bytes, on_lost: Callable[[Exception | None], None]) -> None:
        """`early` came with the answer's head. `on_lost` is called once the transport is closed."""
        self._transport = transport
        self._received = _ReceiveBuffer(transport, early)
        self._on_lost = on_lost
        self._can_write: asyncio.Future[None] | None = None
        transport.set_protocol(self)
        transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        self._received.add(data)

    def connection_lost(self, error: Exception | None) -> None:
        self._received.end()
        self.resume_writing()
        self._on_lost(error)

    def pause_writing(self) -> None:
        self._can_write = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        waiter, self._can_write = self._can_write, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    async def receive(self) -> bytes:
        return await self._received.read()

    async def send(self, data: bytes) -> None:
        if self._transport.is_closing():
            raise ConnectionResetError("the origin has gone")
        self._transport.write(data)
        if self._can_write is not None:
            await self._can_write

    def close(self) -> None:
        if not self._transport.is_closing():
            self._transport.close()
            asyncio.get_running_loop().call_later(_LAST_SECONDS, self._transport.abort)


class ClientWriter(Protocol):
    """The connection with a client, from which its stream was made."""

    def write(self, data: bytes) -> None: ...

    async def drain(self, timeout_seconds: float) -> None: ...


class ClientStream:
    """An Upgrade: the client's end. `timeout_seconds` is how long a client may take nothing of what is for it."""

    def __init__(
        self, writer: ClientWriter, transport: asyncio.Transport, early: bytes, *, timeout_seconds: float
    ) -> None:
        """`early` came with the request."""
        self.sent = 0
        self._writer = writer
        self._timeout = timeout_seconds
        self._received = _ReceiveBuffer(transport, early)

    def add(self, data: bytes) -> None:
        """The connection has received more."""
        self._received.add(data)

    def end(self) -> None:
        """The client sends no more."""
        self._received.end()

    def write(self, data: bytes) -> None:
        """Without waiting. Raises ConnectionError where the client has gone."""
        self._writer.write(data)

    async def receive(self) -> bytes:
        return await self._received.read()

    async def send(self, data: bytes) -> None:
        """Raises TimeoutError where the client takes nothing for too long, ConnectionError where it has gone."""
        self._writer.write(data)
        self.sent += len(data)
        await self._writer.drain(self._timeout)

    def close(self) -> None:
        self._received.end()


def write_head(response: Response, stream: ClientStream, fields: Iterable[Field], *, date: bytes) -> None:
    """Answers 101 with the response's header fields and `fields`. Raises ConnectionError where the client has gone."""
    lines = [
        *end_to_end(response.headers.raw),
        *fields,
        (b"Date", date),
        (b"Connection", b"Upgrade"),
        (b"Upgrade", b"websocket"),
    ]
    stream.write(heads.serialize_head(heads.status_line(101, response.status_text), lines))


async def relay_bytes(stream: ClientStream, upgrade: Upgrade) -> None:
    """Relay bytes both ways until either end is done."""
    try:
        await _relay_both_ways(stream, upgrade)
    finally:
        upgrade.close()


async def _relay_both_ways(client: Upgrade, origin: Upgrade) -> None:
    async with asyncio.TaskGroup() as group:
        ways = [group.create_task(_relay(client, origin)), group.create_task(_relay(origin, client))]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()


async def _relay(source: Upgrade, target: Upgrade) -> None:
    """Until the source ends, or the target takes no more."""
    try:
        while data := await source.receive():
            await target.send(data)
    except (OSError, TimeoutError):
        return
