"""The core's Response onto the wire."""

import asyncio
from typing import Final

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter

from edgeworker.admission import Field, end_to_end
from edgeworker.messages import Response
from edgeworker.server import wire

_WITHOUT_BODY: Final = frozenset({204, 205, 304})


class Sent(web.StreamResponse):
    """Tells aiohttp that the answer is on the wire already, and whether the connection goes on."""

    def __init__(self, *, keep_alive: bool) -> None:
        super().__init__()
        self._goes_on = keep_alive

    @property
    def keep_alive(self) -> bool | None:
        return self._goes_on

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        return None


class Unfinished(Exception):
    """The answer began and cannot be completed: the connection must be cut, so that nobody takes it for whole."""


async def send(
    response: Response, request: web.BaseRequest, *, method: str, date: bytes, keep_alive: bool, http10: bool
) -> tuple[int, bool]:
    """Writes the whole answer; returns the bytes of its body, and whether the connection may go on.

    Raises Unfinished, ConnectionError where the client has gone, and whatever the body raises before its first byte
    was written (never after).
    """
    transport = request.transport
    if transport is None or transport.is_closing():
        await response.close()
        raise ConnectionResetError("the client has gone")
    status = response.status
    if not 200 <= status <= 599:
        await response.close()
        raise ValueError(f"{status} is no status that a response can end with")
    body = response.body
    fields, announced = _fields(response)
    sends_body = method != "HEAD" and status not in _WITHOUT_BODY
    length = 0 if body is None else body.length
    if not sends_body:
        length = 0 if status == 205 else None
        if status != 204 and announced is not None and status != 205:
            fields.append((b"Content-Length", announced))
        elif method == "HEAD" and body is not None and body.length is not None:
            fields.append((b"Content-Length", b"%d" % body.length))
    chunked = sends_body and length is None and not http10
    if length is not None and (sends_body or status == 205):
        fields.append((b"Content-Length", b"%d" % length))
    elif chunked:
        fields.append((b"Transfer-Encoding", b"chunked"))
    elif sends_body:
        keep_alive = False
    if not any(len(name) == 4 and name.lower() == b"date" for name, _ in fields):
        fields.append((b"Date", date))
    if not keep_alive:
        fields.append((b"Connection", b"close"))
    elif http10:
        fields.append((b"Connection", b"keep-alive"))
    head = wire.head(wire.status_line(status, response.status_text), fields)
    if body is None:
        transport.write(head)
        return 0, keep_alive
    if not sends_body:
        transport.write(head)
        await body.close()
        return 0, keep_alive
    content = body.complete
    if content is not None:
        body.stream()
        transport.write(head + content)
        if len(content) > 65536:
            await request.writer.drain()
        return len(content), keep_alive
    transport.write(head)
    return await _stream(response, request, transport, chunked=chunked), keep_alive


def _fields(response: Response) -> tuple[list[Field], bytes | None]:
    """The fields for the wire, without Content-Length, and the Content-Length that stood there."""
    kept: list[Field] = []
    announced: bytes | None = None
    for field in end_to_end(response.headers.raw):
        if len(field[0]) == 14 and field[0].lower() == b"content-length":
            announced = field[1] if field[1].isdigit() else None
        else:
            kept.append(field)
    return kept, announced


async def _stream(response: Response, request: web.BaseRequest, transport: asyncio.Transport, *, chunked: bool) -> int:
    body = response.body
    assert body is not None
    sent = 0
    left = body.length
    try:
        async for piece in body.stream():
            if not piece:
                continue
            if transport.is_closing():
                raise ConnectionResetError("the client has gone")
            sent += len(piece)
            if left is not None:
                left -= len(piece)
                if left < 0:
                    raise Unfinished("the body has more bytes than its length")
            transport.write(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
            if request.protocol.writing_paused:
                await request.writer.drain()
    except (Unfinished, ConnectionError):
        raise
    except Exception as error:
        raise Unfinished("the body failed") from error
    finally:
        await body.close()
    if left:
        raise Unfinished(f"the body has {left} bytes fewer than its length")
    if chunked:
        transport.write(b"0\r\n\r\n")
    return sent
