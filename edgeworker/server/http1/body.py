"""The body of the message that a connection receives: read once, piece by piece, while it arrives."""

import asyncio
from typing import ClassVar, Protocol


class BodyConnection(Protocol):
    """The connection that the body comes from."""

    def resume_reading(self) -> None: ...


class IncomingBody:
    """What is buffered ahead is bounded by `high_water_bytes` and one read of the socket, so a slow reader slows the
    sender. `error` says why the rest will not come. Subclasses define how it is read."""

    __slots__ = ("_connection", "_ended", "_pieces", "_size", "_waiter", "error")

    high_water_bytes: ClassVar[int]

    def __init__(self, connection: BodyConnection) -> None:
        self.error: Exception | None = None
        self._connection = connection
        self._pieces: list[bytes] = []
        self._size = 0  # of `_pieces`
        self._ended = False
        self._waiter: asyncio.Future[None] | None = None

    # The connection's side

    @property
    def is_full(self) -> bool:
        return self._size > self.high_water_bytes

    @property
    def is_awaited(self) -> bool:
        """Whether its reader waits for more."""
        return self._waiter is not None

    def add(self, pieces: list[bytes]) -> None:
        self._pieces += pieces
        self._size += sum(map(len, pieces))
        self._wake()

    def end(self) -> None:
        """The whole body was added."""
        self._ended = True
        self._wake()

    def fail(self, error: Exception) -> None:
        """The rest will not come."""
        if not self._ended and self.error is None:
            self.error = error
            self._wake()

    def _wake(self) -> None:
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    # The reader's side

    async def _wait(self) -> None:
        """Wait until there is a piece, the end or an error."""
        if self._waiter is not None:
            raise RuntimeError("one reader at a time")
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _take(self) -> bytes:
        """All that is buffered, as one piece."""
        pieces, self._pieces, self._size = self._pieces, [], 0
        self._connection.resume_reading()
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)
