"""The body of a request to the management plane while it arrives, with the limits of `server.client_body`."""

import asyncio
from collections.abc import AsyncIterator

from aiohttp import StreamReader

from edgeworker.admission import Refusal
from edgeworker.config import Limits
from edgeworker.host.management.connection import ManagementConnection
from edgeworker.messages import BodyTooLarge
from edgeworker.server.client_body import BodyRefused


class RequestBody:
    """Pieces as they come. A client that waits for "100 Continue" gets it when the first one is wanted."""

    def __init__(self, content: StreamReader, connection: ManagementConnection, limits: Limits) -> None:
        self._content = content
        self._connection = connection
        self._limits = limits
        self._expects = connection.expects_continue
        self._seen = 0
        self._waited = 0.0

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if self._expects:
            self._expects = False
            self._connection.send_continue()
        piece = await self._next_piece()
        if not piece:
            raise StopAsyncIteration
        self._seen += len(piece)
        if self._seen > self._limits.body_bytes:
            raise BodyTooLarge(self._limits.body_bytes)
        return piece

    async def _next_piece(self) -> bytes:
        """In the time that the slowest allowed client would need for it."""
        loop, limits = asyncio.get_running_loop(), self._limits
        begun = loop.time()
        allowed = limits.body_grace_seconds + self._seen / limits.body_bytes_per_second - self._waited
        try:
            async with asyncio.timeout(max(0.0, allowed)):
                return await self._content.readany()
        except TimeoutError:
            raise BodyRefused(Refusal(408, "The body came too slowly.")) from None
        finally:
            self._waited += loop.time() - begun
