"""The body of a client's request while it arrives: read once, within its limits."""

import asyncio
from collections.abc import AsyncIterator
from typing import ClassVar, Final, Protocol

from edgeworker.admission import Refusal
from edgeworker.config import Limits
from edgeworker.messages import BodyLost, BodyTooLarge
from edgeworker.server.http1.body import IncomingBody

HIGH_WATER_BYTES: Final = 64 * 1024


class BodyRefused(BodyLost):
    """The client's body cannot be read on: the refusal says why. The listener answers it if it still can."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.text)
        self.refusal = refusal


class Sender(Protocol):
    """The connection that the body comes from."""

    def send_continue(self) -> None:
        """Tell the client that its body is wanted (100 Continue)."""
        ...

    def resume_reading(self) -> None: ...


class ClientBody(IncomingBody):
    """`refusal` says why the rest cannot be read; what was added before is not worth reading then.

    `expects`: the client waits for "100 Continue", which is sent when the first piece is wanted and not before.
    """

    __slots__ = ("_expects_continue", "_limits", "_sender", "_taken_bytes", "_waited_seconds", "refusal")

    high_water_bytes: ClassVar[int] = HIGH_WATER_BYTES

    def __init__(self, sender: Sender, limits: Limits, *, expects: bool) -> None:
        super().__init__(sender)
        self.refusal: Refusal | None = None
        self._sender = sender
        self._limits = limits
        self._expects_continue = expects
        self._taken_bytes = 0
        self._waited_seconds = 0.0

    # The connection's side

    def refuse(self, refusal: Refusal) -> None:
        """The rest will not come, or must not be read."""
        if not self._ended and self.refusal is None:
            self.refusal = refusal
            self._wake()

    def response_begins(self, *, streamed: bool) -> None:
        """No "100 Continue" can be sent after this. A response that is `streamed` may depend on this body, so the
        client is told now to send it."""
        if streamed:
            self._send_continue()
        self._expects_continue = False

    # The reader's side

    def take_all(self) -> bytes | None:
        """The complete body if all of it has arrived and none was read, else None."""
        if not self._ended or self._taken_bytes or self._size > self._limits.body_bytes:
            return None
        self._taken_bytes = self._size
        return self._take()

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if self._expects_continue:
            self._send_continue()
        if not self._pieces and not self._ended:
            await self._wait_in_time()
        if self.refusal is not None:
            raise BodyRefused(self.refusal)
        if not self._pieces:
            raise StopAsyncIteration
        piece = self._take()
        self._taken_bytes += len(piece)
        if self._taken_bytes > self._limits.body_bytes:
            self.refusal = too_large(self._limits)
            raise BodyTooLarge(self._limits.body_bytes)
        return piece

    def _send_continue(self) -> None:
        if self._expects_continue and not self._pieces and not self._ended:
            self._sender.send_continue()
        self._expects_continue = False

    async def _wait_in_time(self) -> None:
        """Wait for more, no longer than the slowest allowed client would need for it."""
        loop = asyncio.get_running_loop()
        limits = self._limits
        begun = loop.time()
        allowed = limits.body_grace_seconds + self._taken_bytes / limits.body_bytes_per_second - self._waited_seconds
        try:
            async with asyncio.timeout(max(0.0, allowed)):
                while not self._pieces and not self._ended and self.refusal is None:
                    await self._wait()
        except TimeoutError:
            self.refusal = Refusal(408, "The body came too slowly.")
        self._waited_seconds += loop.time() - begun


def too_large(limits: Limits) -> Refusal:
    return Refusal(413, f"The body is larger than {limits.body_bytes} bytes.")
