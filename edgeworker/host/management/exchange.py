"""The core's responses as aiohttp's."""

import logging
from typing import Final

from aiohttp import web
from multidict import CIMultiDict

from edgeworker.admission import Refusal, end_to_end
from edgeworker.messages import Body, Response

_log: Final = logging.getLogger(__name__)
_PIECE_BYTES: Final = 64 * 1024


def page(refusal: Refusal) -> web.Response:
    """What was refused before anything was asked. The connection is closed after it."""
    headers = {"Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store"}
    response = web.Response(status=refusal.status, headers=headers, body=refusal.text.encode() + b"\n")
    response.force_close()
    return response


async def send(response: Response, request: web.Request) -> web.StreamResponse:
    """Writes a long or streamed body in pieces, at the client's pace; a short one is left to aiohttp."""
    body = Body(b"") if response.body is None else response.body
    headers = CIMultiDict(
        (name.decode("latin-1"), value.decode("latin-1"))
        for name, value in end_to_end(response.headers.raw)
        if name.lower() != b"content-length"
    )
    reason = response.status_text or None
    content = body.complete
    if content is not None and len(content) <= _PIECE_BYTES:
        await response.close()
        return web.Response(status=response.status, reason=reason, headers=headers, body=content)
    streamed = web.StreamResponse(status=response.status, reason=reason, headers=headers)
    streamed.content_length = body.length
    sent = 0
    try:
        await streamed.prepare(request)
        async for piece in body.stream():
            sent += len(piece)
            view = memoryview(piece)
            for start in range(0, len(view), _PIECE_BYTES):
                await streamed.write(view[start : start + _PIECE_BYTES])
        if body.length is not None and sent != body.length:
            raise ValueError(f"the body has {sent} bytes, and its length is {body.length}")
        await streamed.write_eof()
    except ConnectionError:
        raise
    except Exception as error:
        # Part of it may be written: the connection is cut, so that no one takes it for the whole.
        _log.warning("%s %s: the answer was cut: %s", request.method, request.path, error, exc_info=error)
        if request.transport is not None:
            request.transport.abort()
        raise ConnectionResetError("the answer was cut") from error
    finally:
        await response.close()
    return streamed
