"""Runs an ASGI application for one WebSocket, which the script holds the other end of.

Source: https://asgi.readthedocs.io/en/latest/specs/www.html#websocket
"""

import asyncio
import logging
from collections.abc import Mapping
from typing import Final

from edgeworker import messages
from edgeworker.runtime.contract import current_invocation
from edgeworker.runtime.python.gateway import unwrap_request
from edgeworker.runtime.python.gateway.asgi import Application, Lifespan, Message, build_scope, decode_fields
from edgeworker.runtime.webapi.fetch import Response as JSResponse
from edgeworker.runtime.webapi.websocket import WebSocket, take_for_response

_log: Final = logging.getLogger(__name__)
_SCHEMES: Final = {"http": "ws", "https": "wss"}
_REFUSED: Final = 403
_FAILED: Final = 1011


async def websocket(app: Application, req: object, env: object = None) -> JSResponse:
    """101 once the application accepts, 403 where it closes instead. Raises what it raises before that."""
    request = unwrap_request(req)
    lifespan = Lifespan(app)
    state = await lifespan.start()
    offered = request.headers.get("sec-websocket-protocol") or ""
    scope = {
        **build_scope(request, env, state),
        "type": "websocket",
        "scheme": _SCHEMES[request.url.scheme],
        "subprotocols": [name.strip() for name in offered.split(",") if name.strip()],
    }
    del scope["method"]
    connection = _Connection(app, scope)
    running = asyncio.ensure_future(connection.run())
    try:
        response = await connection.response
    except BaseException:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await lifespan.stop()
        raise
    current_invocation.wait_until(_stop_after(running, lifespan))
    return response


async def _stop_after(running: "asyncio.Future[None]", lifespan: Lifespan) -> None:
    await running
    await lifespan.stop()


class _Connection:
    def __init__(self, app: Application, scope: dict[str, object]) -> None:
        self.response: asyncio.Future[JSResponse] = asyncio.get_running_loop().create_future()
        self._app = app
        self._scope = scope
        self._client, self._server = WebSocket.pair()
        self._events: asyncio.Queue[Message] = asyncio.Queue()
        self._events.put_nowait({"type": "websocket.connect"})
        self._server.addEventListener("message", self._hear)
        self._server.addEventListener("close", self._hear_the_end)
        self._open = False

    async def run(self) -> None:
        try:
            await self._app(self._scope, self._events.get, self._send)
            if not self.response.done():
                raise RuntimeError("The application neither accepted nor closed the WebSocket")
        except Exception as error:  # noqa: BLE001  # it is raised where the response is awaited
            if not self.response.done():
                self.response.set_exception(error)
                return
            _log.exception("ASGI application failed after it had accepted a WebSocket")
            self._close(_FAILED, "")
        else:
            self._close(1000, "")

    def _hear(self, event: Mapping[str, object]) -> None:
        data = event["data"]
        text = data if isinstance(data, str) else None
        content = bytes(data) if isinstance(data, bytes | bytearray) else None
        self._events.put_nowait({"type": "websocket.receive", "text": text, "bytes": content})

    def _hear_the_end(self, event: Mapping[str, object]) -> None:
        self._open = False
        self._events.put_nowait({"type": "websocket.disconnect", "code": event["code"], "reason": event["reason"]})

    async def _send(self, message: Message) -> None:
        match message:
            case {"type": "websocket.accept"} if not self.response.done():
                self._accept(message)
            case {"type": "websocket.close"} if not self.response.done():
                self.response.set_result(JSResponse.over(messages.Response(_REFUSED)))
            case {"type": "websocket.close"}:
                code = message.get("code")
                self._close(code if isinstance(code, int) else 1000, str(message.get("reason") or ""))
            case {"type": "websocket.send"} if self._open:
                text, content = message.get("text"), message.get("bytes")
                self._server.send(content if text is None else text)
            case {"type": "websocket.send"} if self.response.done():
                # As the specification has it since 2.4, for an application that does not know yet.
                raise OSError("the WebSocket is closed")
            case _:
                raise RuntimeError(f"Unexpected ASGI message {message.get('type')!r}")

    def _accept(self, message: Message) -> None:
        headers = messages.Headers(decode_fields(message.get("headers")))
        if (protocol := message.get("subprotocol")) is not None:
            headers.set("Sec-WebSocket-Protocol", str(protocol))
        response = messages.Response(101, headers)
        response.web_socket = take_for_response(self._client, 101)
        view = JSResponse.over(response)
        view.webSocket = self._client
        self._server.accept()
        self._open = True
        self.response.set_result(view)

    def _close(self, code: int, reason: str) -> None:
        if self._open:
            self._open = False
            self._server.close(code, reason)
