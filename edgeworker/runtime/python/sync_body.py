"""A body of the core as a file that synchronous code reads: for WSGI applications and synchronous HTTP libraries."""

import io
from collections.abc import AsyncIterator

from edgeworker.runtime.python import run_sync_stack


class SyncBody(io.RawIOBase):
    """Reads the pieces from the loop as they are asked for. Give it to io.BufferedReader."""

    def __init__(self, pieces: AsyncIterator[bytes]) -> None:
        self._pieces = pieces
        self._waiting = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # typeshed's Buffer has no length
        while not self._waiting:
            piece = run_sync_stack.run_sync(self._piece())
            if piece is None:
                return 0
            self._waiting = piece
        count = min(len(buffer), len(self._waiting))
        buffer[:count] = self._waiting[:count]
        self._waiting = self._waiting[count:]
        return count

    async def _piece(self) -> bytes | None:
        async for piece in self._pieces:
            return piece
        return None
