"""A bare aiohttp proxy as one writes it: an Application, one client session, both ways streamed."""

import logging
from typing import Final

import aiohttp
from aiohttp import web

_DROPPED: Final = frozenset(
    {"connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "content-length"}
)


async def serve(origin: str) -> int:
    """Returns the port."""
    session = aiohttp.ClientSession(auto_decompress=False, connector=aiohttp.TCPConnector(limit=0))

    async def forward(request: web.Request) -> web.StreamResponse:
        headers = [(name, value) for name, value in request.headers.items() if name.lower() not in _DROPPED]
        body = request.content if request.body_exists else None
        async with session.request(
            request.method, f"{origin}{request.path_qs}", headers=headers, data=body, allow_redirects=False
        ) as answer:
            kept = [(name, value) for name, value in answer.headers.items() if name.lower() not in _DROPPED]
            response = web.StreamResponse(status=answer.status, reason=answer.reason, headers=kept)
            response.content_length = answer.content_length
            await response.prepare(request)
            async for piece in answer.content.iter_any():
                await response.write(piece)
            await response.write_eof()
            return response

    # The load generator leaves in the middle of responses when a round ends, and aiohttp logs a traceback for each. A
    # proxy that answers wrongly is found by the statuses that are counted.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", forward)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port: int = runner.addresses[0][1]
    return port
