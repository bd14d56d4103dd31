"""The body of a client's request while it arrives: read once, within its limits."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final, Protocol

from edgeworker.admission import Refusal
from edgeworker.config import Limits
from edgeworker.messages import BodyLost, BodyTooLarge

HIGH_WATER_BYTES: Final = 64 * 1024


class BodyRefused(BodyLost):
    """The client's body cannot be read on: the refusal says why. The listener answers it if it still can."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.text)
        self.refusal = refusal


class Sender(Protocol):
    """The connection that the body comes from."""

    def send_continue(self) -> None:
        """Tells the client that its body is wanted (100 Continue)."""
        ...

    def resume_body(self) -> None:
        """What was buffered is taken."""
        ...


class ClientBody:
    """What is buffered ahead is bounded by `HIGH_WATER_BYTES` and one read of the socket, so a slow reader slows the
    client.

    `expects`: the client waits for "100 Continue", which is sent when the first piece is wanted and not before.
    """

    __slots__ = (
        "_ended",
        "_expects",
        "_limits",
        "_pieces",
        "_seen",
        "_sender",
        "_size",
        "_waited",
        "_waiter",
        "refusal",
    )

    def __init__(self, sender: Sender, limits: Limits, *, expects: bool) -> None:
        self.refusal: Refusal | None = None
        self._sender = sender
        self._limits = limits
        self._expects = expects
        self._pieces: list[bytes] = []
        self._size = 0  # of `_pieces`
        self._ended = False
        self._seen = 0
        self._waited = 0.0
        self._waiter: asyncio.Future[None] | None = None

    # The connection's side

    @property
    def full(self) -> bool:
        return self._size > HIGH_WATER_BYTES

    def add(self, pieces: list[bytes]) -> None:
        self._pieces += pieces
        self._size += sum(map(len, pieces))
        self._wake()

    def end(self) -> None:
        """The whole body was added."""
        self._ended = True
        self._wake()

    def fail(self, refusal: Refusal) -> None:
        """The rest will not come. What was added before is not worth reading, because it is not the whole."""
        if not self._ended and self.refusal is None:
            self.refusal = refusal
            self._wake()

    def _wake(self) -> None:
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def answer_begins(self, *, streamed: bool) -> None:
        """Nothing can be said to the client between the answer's head and its end. An answer that is `streamed` may be
        made of this body, so its client is told now to send it."""
        if self._expects:
            self._expects = False
            if streamed and not self._pieces and not self._ended:
                self._sender.send_continue()

    # The reader's side

    def take_all(self) -> bytes | None:
        """The complete body if all of it has arrived and none was read, else None."""
        if not self._ended or self._seen or self._size > self._limits.body_bytes:
            return None
        self._seen = self._size
        return self._take()

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if self._expects:
            self._expects = False
            if not self._pieces and not self._ended:
                self._sender.send_continue()
        if not self._pieces and not self._ended:
            await self._wait()
        if self.refusal is not None:
            raise BodyRefused(self.refusal)
        if not self._pieces:
            raise StopAsyncIteration
        piece = self._take()
        self._seen += len(piece)
        if self._seen > self._limits.body_bytes:
            self.refusal = too_large(self._limits)
            raise BodyTooLarge(self._limits.body_bytes)
        return piece

    def _take(self) -> bytes:
        pieces, self._pieces, self._size = self._pieces, [], 0
        self._sender.resume_body()
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    async def _wait(self) -> None:
        """Until there is more, in the time that the slowest allowed client would need for it."""
        if self._waiter is not None:
            raise RuntimeError("one reader at a time")
        loop = asyncio.get_running_loop()
        limits = self._limits
        begun = loop.time()
        allowed = limits.body_grace_seconds + self._seen / limits.body_bytes_per_second - self._waited
        self._waiter = loop.create_future()
        try:
            async with asyncio.timeout(max(0.0, allowed)):
                while not self._pieces and not self._ended and self.refusal is None:
                    await self._waiter
        except TimeoutError:
            self.refusal = Refusal(408, "The body came too slowly.")
        finally:
            self._waiter = None
        self._waited += loop.time() - begun


def too_large(limits: Limits) -> Refusal:
    return Refusal(413, f"The body is larger than {limits.body_bytes} bytes.")
