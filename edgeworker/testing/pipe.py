"""Two asyncio transports that are connected to each other: a socket's two ends without a socket."""

import asyncio
from typing import Final

_HIGH_WATER_BYTES: Final = 64 * 1024


class PipeEnd(asyncio.Transport):
    """One end. What is written is given to the other end's protocol in a later turn of the loop, in order."""

    def __init__(self, protocol: asyncio.BaseProtocol, *, own: tuple[str, int], peer: tuple[str, int]) -> None:
        """`own` and `peer` are the addresses that the two ends believe to have."""
        super().__init__({"sockname": own, "peername": peer})
        self._loop = asyncio.get_running_loop()
        self._protocol = protocol
        self._other: PipeEnd | None = None
        self._incoming: list[bytes] = []
        self._size = 0
        self._paused = False
        self._delivering = False
        self._closing = False
        self._ended = False
        self._lost = False

    def connect(self, other: "PipeEnd") -> None:
        self._other = other
        self._protocol.connection_made(self)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self._closing or self._other is None:
            return
        self._other._receive(bytes(data))

    def can_write_eof(self) -> bool:
        return False

    def get_write_buffer_size(self) -> int:
        return 0 if self._other is None else self._other._size

    def pause_reading(self) -> None:
        self._paused = True

    def resume_reading(self) -> None:
        self._paused = False
        self._deliver_soon()

    def is_reading(self) -> bool:
        return not self._paused and not self._closing

    def is_closing(self) -> bool:
        return self._closing

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self._protocol

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._protocol = protocol

    def close(self) -> None:
        """What was written before still arrives."""
        if not self._closing:
            self._closing = True
            self._loop.call_soon(self._hang_up)

    def abort(self) -> None:
        other = self._other
        if other is not None:
            other._incoming.clear()
            other._size = 0
        self.close()

    def _receive(self, data: bytes) -> None:
        self._incoming.append(data)
        self._size += len(data)
        other = self._other
        if self._size > _HIGH_WATER_BYTES and other is not None and isinstance(other._protocol, asyncio.Protocol):
            other._protocol.pause_writing()
        self._deliver_soon()

    def _deliver_soon(self) -> None:
        if not self._delivering:
            self._delivering = True
            self._loop.call_soon(self._deliver)

    def _deliver(self) -> None:
        self._delivering = False
        was_full = self._size > _HIGH_WATER_BYTES
        while self._incoming and not self._paused and not self._lost:
            data = self._incoming.pop(0)
            self._size -= len(data)
            if isinstance(self._protocol, asyncio.Protocol):
                self._protocol.data_received(data)
        other = self._other
        if was_full and self._size <= _HIGH_WATER_BYTES and other is not None and not other._lost:
            other._protocol.resume_writing()
        if self._ended and not self._incoming:
            self._lose()

    def _hang_up(self) -> None:
        other, self._other = self._other, None
        self._lose()
        if other is not None:
            other._ended = True
            other._deliver_soon()

    def _lose(self) -> None:
        if self._lost:
            return
        self._lost = self._closing = True
        self._protocol.connection_lost(None)
        other, self._other = self._other, None
        if other is not None and not other._lost:
            other._ended = True
            other._deliver_soon()


def connect(
    client: asyncio.BaseProtocol,
    server: asyncio.BaseProtocol,
    *,
    client_address: tuple[str, int] = ("192.0.2.1", 54321),
    server_address: tuple[str, int] = ("192.0.2.2", 443),
) -> None:
    """Connects the two protocols. The addresses are of the block that documents use (RFC 5737)."""
    near = PipeEnd(client, own=client_address, peer=server_address)
    far = PipeEnd(server, own=server_address, peer=client_address)
    far.connect(near)
    near.connect(far)
