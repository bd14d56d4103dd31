"""Bodies that the edge holds for a script: it reads them piece by piece, or hands them on without reading them."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from edgeworker.messages import Body, BodyUsed
from edgeworker.runtime.webapi import encodings

MAX_READ_BYTES: Final = 128 * 1024 * 1024  # what read_all may bring into the script's memory


@dataclass(slots=True)
class HeldBody:
    """`coding` is what a reader has to undo; `owner` the invocation that it belongs to."""

    body: Body
    coding: str | None
    owner: int
    pieces: AsyncIterator[bytes] | None = None


class Bodies:
    """By number, as the script knows them."""

    def __init__(self) -> None:
        self._held: dict[int, HeldBody] = {}
        self._next = 0

    def hold(self, body: Body, coding: str | None, owner: int) -> int:
        self._next += 1
        self._held[self._next] = HeldBody(body, coding, owner)
        return self._next

    def take(self, id: int) -> HeldBody:
        """Raises BodyUsed for one that is gone, or of which a part was read."""
        held = self._held.pop(id, None)
        if held is None or held.pieces is not None:
            raise BodyUsed
        return held

    async def read(self, id: int) -> bytes | None:
        """The next piece, decoded; None at the end."""
        held = self._held.get(id)
        if held is None:
            return None
        if held.pieces is None:
            held.pieces = encodings.decode(held.body.stream(), held.coding)
        async for piece in held.pieces:
            if piece:
                return piece
        self._held.pop(id, None)
        return None

    async def read_all(self, id: int) -> bytes:
        """Raises BodyUsed, BodyTooLarge."""
        held = self.take(id)
        body = held.body
        if held.coding is not None:
            body = Body(encodings.decode(body.stream(), held.coding))
        return await body.read(limit=MAX_READ_BYTES)

    def tee(self, id: int) -> tuple[int, int]:
        held = self.take(id)
        ours, theirs = held.body.tee()
        return self.hold(ours, held.coding, held.owner), self.hold(theirs, held.coding, held.owner)

    async def close(self, id: int) -> None:
        held = self._held.pop(id, None)
        if held is not None:
            await held.body.close()

    def has_any_of(self, owner: int) -> bool:
        return any(held.owner == owner for held in self._held.values())

    async def release(self, owner: int) -> None:
        """What the invocation did not read is given up."""
        for id in [id for id, held in self._held.items() if held.owner == owner]:
            await self.close(id)
