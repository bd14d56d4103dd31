"""A WebSocket that a script opened: its handshake, and the client's side of its frames.

Imported with the first one, because most runs have none. Source: https://www.rfc-editor.org/rfc/rfc6455
"""

import asyncio
import base64
import contextlib
import secrets
from typing import Final

from websockets.exceptions import ProtocolError
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory
from websockets.frames import Frame, Opcode
from websockets.headers import parse_extension
from websockets.protocol import Protocol, Side, State
from websockets.utils import accept_key

from edgeworker.handler import Context, Handler
from edgeworker.messages import Closed, Request, Upgrade, WebSocketMessage
from edgeworker.runtime.quickjs.invocation import OperationFailed
from edgeworker.runtime.webapi import perform_fetch

# https://developers.cloudflare.com/workers/platform/limits/#websockets (32 MiB for a received message)
_MAX_MESSAGE_BYTES: Final = 32 * 1024 * 1024
_MAX_BUFFERED_BYTES: Final = 64 * 1024 * 1024  # of messages that the server has not taken yet
_CLOSE_SECONDS: Final = 10.0  # for the server to agree to the end
_HANDSHAKE_FIELDS: Final = frozenset({b"sec-websocket-extensions", b"sec-websocket-version", b"connection"})
_NO_STATUS_RECEIVED: Final = 1005
_ABNORMAL_CLOSURE: Final = 1006
_INVALID_PAYLOAD: Final = 1007


async def open_connection(request: Request, ctx: Context, target: Handler | None) -> perform_fetch.Fetched:
    """The answer to a fetch() with an upgrade. One that has a key is passed on as its client made it.

    Raises OperationFailed where the server answers 101 without having read the handshake, and as `perform` does.
    """
    key = request.headers.get("sec-websocket-key")
    if key is None:
        key = base64.b64encode(secrets.token_bytes(16)).decode()
        headers = request.headers.without(_HANDSHAKE_FIELDS)
        headers.append("Connection", "Upgrade")
        headers.append("Sec-WebSocket-Version", "13")
        headers.append("Sec-WebSocket-Key", key)
        request = request.replace(headers=headers)
    fetched = await perform_fetch.perform(request, ctx, target)
    connection = fetched.response.upgrade
    if connection is not None and fetched.response.headers.get("sec-websocket-accept") != accept_key(key):
        connection.close()
        raise OperationFailed("Error", f"{request.url.origin} answered 101 without reading the WebSocket's handshake.")
    return fetched


class OriginWebSocket:
    """A WebSocketEnd: what the script sends is delivered here, and what the server sends is received."""

    def __init__(self, connection: Upgrade, extensions: str | None) -> None:
        """`extensions` are those of the server's answer. Raises NegotiationError for what no client offered."""
        self._connection = connection
        self._protocol = Protocol(Side.CLIENT, max_size=_MAX_MESSAGE_BYTES)
        for name, parameters in parse_extension(extensions) if extensions else ():
            if name == "permessage-deflate":
                factory = ClientPerMessageDeflateFactory(server_max_window_bits=15, client_max_window_bits=True)
                self._protocol.extensions.append(factory.process_response_params(parameters, []))
        self._received: list[WebSocketMessage] = []
        self._is_text = False  # the message that has begun
        self._fragments = bytearray()  # of that message
        self._to_send: asyncio.Queue[bytes] = asyncio.Queue()
        self._buffered_bytes = 0

    async def receive(self) -> WebSocketMessage:
        """The next message of the server; the last one is Closed."""
        while not self._received:
            try:
                data = await self._connection.receive()
            except (OSError, TimeoutError):
                data = b""
            self._receive_data(data)
        return self._received.pop(0)

    def deliver(self, message: WebSocketMessage) -> None:
        protocol = self._protocol
        if protocol.state is not State.OPEN:
            return
        match message:
            case Closed(code, reason):
                try:
                    protocol.send_close(None if code in (_NO_STATUS_RECEIVED, _ABNORMAL_CLOSURE) else code, reason)
                except ProtocolError:
                    protocol.send_close(1000)  # the script's code or reason must not be sent
            case str(text):
                protocol.send_text(text.encode("utf-8", "replace"))
            case content:
                protocol.send_binary(content)
        self._flush()

    async def write(self) -> None:
        """Sends what is delivered until the connection ends."""
        with contextlib.suppress(OSError, TimeoutError):
            while True:
                data = await self._to_send.get()
                self._buffered_bytes -= len(data)
                await self._connection.send(data)
                if self._protocol.close_sent is not None and self._to_send.empty():
                    await asyncio.sleep(_CLOSE_SECONDS)  # its silence is the end
                    break
        self._connection.close()

    def _flush(self) -> None:
        data = b"".join(self._protocol.data_to_send())
        if not data:
            return
        self._buffered_bytes += len(data)
        if self._buffered_bytes > _MAX_BUFFERED_BYTES:
            self._received.append(Closed(_ABNORMAL_CLOSURE, "the server takes no more messages"))
            self._connection.close()
            return
        self._to_send.put_nowait(data)

    def _receive_data(self, data: bytes) -> None:
        protocol = self._protocol
        if data:
            protocol.receive_data(data)
        else:
            protocol.receive_eof()
        for frame in protocol.events_received():
            if isinstance(frame, Frame) and not self._receive_frame(frame):
                protocol.fail(_INVALID_PAYLOAD, "the text is not UTF-8")
                self._received.append(Closed(_INVALID_PAYLOAD))
                break
        self._flush()
        if protocol.close_rcvd is not None:
            self._received.append(Closed(protocol.close_rcvd.code, protocol.close_rcvd.reason))
        elif protocol.parser_exc is not None or not data:
            self._received.append(Closed(_ABNORMAL_CLOSURE))

    def _receive_frame(self, frame: Frame) -> bool:
        """False if a text is not UTF-8."""
        if frame.opcode in (Opcode.TEXT, Opcode.BINARY):
            self._is_text = frame.opcode is Opcode.TEXT
        elif frame.opcode is not Opcode.CONT:
            return True  # ping, pong and close were answered
        self._fragments += frame.data
        if not frame.fin:
            return True
        content, self._fragments = bytes(self._fragments), bytearray()
        try:
            self._received.append(content.decode() if self._is_text else content)
        except UnicodeDecodeError:
            return False
        return True
