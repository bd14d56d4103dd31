"""A body: bytes that are there already, or a stream that can be read once. Pure."""

from collections.abc import AsyncIterator
from typing import Protocol, runtime_checkable


class BodyUsed(Exception):
    """The body was read already; Fetch calls that a TypeError, Python Workers an OSError."""

    def __init__(self) -> None:
        super().__init__("Body already used")


class BodyLost(Exception):
    """The sender did not send all of the body, or not as it may: its doing, not the reader's."""


class BodyTooLarge(Exception):
    """More bytes than the reader allowed. `limit` is in bytes."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"The body is larger than {limit} bytes.")
        self.limit = limit


@runtime_checkable
class Closable(Protocol):
    async def aclose(self) -> None: ...


class Body:
    """One-shot. `length` is the number of bytes where it is known (a Content-Length), else None (chunked).

    Nothing is buffered here: `stream()` hands on the source's own pieces, so a slow reader slows the sender. A
    reader that does not want the rest of a body calls `close()`, which lets the source give up its connection.
    `one_time` says that a script gave it as a stream: a redirect does not send it again, even if its bytes are there.
    """

    __slots__ = ("_complete", "_source", "_used", "length", "one_time")

    def __init__(self, source: bytes | AsyncIterator[bytes], *, length: int | None = None) -> None:
        self._complete: bytes | None
        self._source: AsyncIterator[bytes] | None
        self.length: int | None
        if isinstance(source, bytes):
            self._complete, self._source, self.length = source, None, len(source)
        else:
            self._complete, self._source, self.length = None, source, length
        self._used = False
        self.one_time = False

    @property
    def used(self) -> bool:
        return self._used

    @property
    def complete(self) -> bytes | None:
        """The bytes, where they are there already. Does not use the body up."""
        return self._complete

    async def read(self, *, limit: int | None = None) -> bytes:
        """All of it. Raises BodyUsed, or BodyTooLarge as soon as more than `limit` bytes have come."""
        complete = self._complete
        if complete is not None:
            self._use()
            if limit is not None and len(complete) > limit:
                raise BodyTooLarge(limit)
            return complete
        pieces: list[bytes] = []
        size = 0
        async for piece in self.stream():
            size += len(piece)
            if limit is not None and size > limit:
                await self.close()
                raise BodyTooLarge(limit)
            pieces.append(piece)
        return b"".join(pieces)

    def stream(self) -> AsyncIterator[bytes]:
        """The pieces as they come. Raises BodyUsed at once, not at the first piece."""
        self._use()
        if self._source is not None:
            return self._source
        return one_piece(self._complete or b"")

    def take_complete(self) -> bytes | None:
        """The bytes, used up now, if they are there already; None, and nothing is used up, if they are not."""
        if self._complete is not None:
            self._use()
        return self._complete

    async def close(self) -> None:
        """Gives up what was not read."""
        self._used = True
        source = self._source
        if isinstance(source, Closable):
            await source.aclose()

    def tee(self) -> tuple["Body", "Body"]:
        """Two bodies with the same content, for `clone()`. The faster reader's lead is held in memory."""
        self._use()
        if self._complete is not None:
            return Body(self._complete), Body(self._complete)
        assert self._source is not None
        shared = _Shared(self._source)
        return Body(shared.branch(0), length=self.length), Body(shared.branch(1), length=self.length)

    def _use(self) -> None:
        if self._used:
            raise BodyUsed
        self._used = True


async def one_piece(content: bytes) -> AsyncIterator[bytes]:
    """The content as a stream of one piece, or of none if it is empty."""
    if content:
        yield content


class _Shared:
    """One source read by two branches; a piece that one of them has not read yet waits in its list."""

    def __init__(self, source: AsyncIterator[bytes]) -> None:
        self._source = source
        self._waiting: tuple[list[bytes], list[bytes]] = ([], [])
        self._open = [True, True]
        self._done = False

    async def branch(self, index: int) -> AsyncIterator[bytes]:
        own, other = self._waiting[index], self._waiting[1 - index]
        try:
            while own or not self._done:
                if own:
                    yield own.pop(0)
                    continue
                try:
                    piece = await anext(self._source)
                except StopAsyncIteration:
                    self._done = True
                    continue
                if self._open[1 - index]:
                    other.append(piece)
                yield piece
        finally:
            self._open[index] = False
            own.clear()
            if not any(self._open) and isinstance(self._source, Closable):
                await self._source.aclose()
