"""A script's WebSocket on the wire: aiohttp speaks the frames, the script's end has the messages."""

import asyncio
from typing import Final

from aiohttp import WSMsgType, web

from edgeworker.admission import end_to_end
from edgeworker.messages import Closed, Response, WebSocketEnd
from edgeworker.server.incoming import Incoming

# https://developers.cloudflare.com/workers/platform/limits/#websockets (32 MiB for a received message)
_MAX_MESSAGE_BYTES: Final = 32 * 1024 * 1024
_NO_CODE: Final = 1005
_ABNORMAL: Final = 1006


async def converse(response: Response, end: WebSocketEnd, request: Incoming) -> None:
    """Answers 101 and carries messages until the WebSocket is closed, by whom it may be."""
    socket = web.WebSocketResponse(max_msg_size=_MAX_MESSAGE_BYTES, autoclose=False)
    for name, value in end_to_end(response.headers.raw):
        socket.headers.add(name.decode("latin-1"), value.decode("latin-1"))
    closed = Closed(_ABNORMAL)
    try:
        await socket.prepare(request)
        async with asyncio.TaskGroup() as group:
            writing = group.create_task(_write(socket, end))
            found = await _read(socket, end)
            if found is None:
                await writing
                closed = Closed(socket.close_code or _ABNORMAL)
            else:
                closed = found
                writing.cancel()
                await socket.close(code=_sent(closed.code))
    finally:
        end.deliver(closed)


def understood(request: Incoming) -> bool:
    """Whether the client asks for a WebSocket as it must be asked for."""
    return bool(web.WebSocketResponse().can_prepare(request))


async def _read(socket: web.WebSocketResponse, end: WebSocketEnd) -> Closed | None:
    """How the client ended it, or None: the script did."""
    while True:
        message = await socket.receive()
        match message.type:
            case WSMsgType.TEXT | WSMsgType.BINARY:
                end.deliver(message.data)
            case WSMsgType.CLOSE:
                return Closed(message.data or _NO_CODE, message.extra or "")
            case WSMsgType.CLOSING:
                return None
            case _:
                return Closed(socket.close_code or _ABNORMAL)


async def _write(socket: web.WebSocketResponse, end: WebSocketEnd) -> None:
    try:
        while True:
            match await end.receive():
                case Closed(code, reason):
                    await socket.close(code=_sent(code), message=reason.encode())
                    return
                case str(text):
                    await socket.send_str(text)
                case content:
                    await socket.send_bytes(content)
    except ConnectionError:
        return


def _sent(code: int) -> int:
    """1005 and 1006 say that no code was sent; they cannot be sent."""
    return 1000 if code in (_NO_CODE, _ABNORMAL) else code
