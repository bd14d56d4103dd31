"""A script's WebSocket on the wire: the library websockets has the frames, the script's end has the messages.

Imported with the first WebSocket, because most runs have none.

Source: https://www.rfc-editor.org/rfc/rfc6455
"""

import asyncio
import contextlib
from typing import Final

from websockets.datastructures import Headers as HandshakeHeaders
from websockets.exceptions import ProtocolError
from websockets.extensions.permessage_deflate import enable_server_permessage_deflate
from websockets.frames import Frame, Opcode
from websockets.http11 import Request as HandshakeRequest
from websockets.protocol import Protocol, Side, State
from websockets.server import ServerProtocol

from edgeworker.admission import Field
from edgeworker.messages import Closed, Headers, Response, WebSocketEnd
from edgeworker.server import upgraded
from edgeworker.server.client_connection import ClientConnection
from edgeworker.server.http1.request_parser import RequestHead
from edgeworker.server.http1.switched import SwitchedStream

# https://developers.cloudflare.com/workers/platform/limits/#websockets (32 MiB for a received message)
_MAX_MESSAGE_BYTES: Final = 32 * 1024 * 1024
_CLOSE_SECONDS: Final = 10.0  # for a client to answer the close frame
_NO_STATUS: Final = 1005
_ABNORMAL: Final = 1006
_GOING_AWAY: Final = 1001
_INVALID_DATA: Final = 1007
# Of the script's header fields those that the handshake decides.
_HANDSHAKE_FIELDS: Final = frozenset({b"sec-websocket-accept", b"sec-websocket-extensions"})


class Handshake:
    """An accepted handshake; `fields` belong in the response."""

    __slots__ = ("fields", "protocol")

    def __init__(self, protocol: Protocol, fields: list[Field]) -> None:
        self.protocol = protocol
        self.fields = fields


def accept_handshake(head: RequestHead) -> Handshake | None:
    """The handshake that answers `head`; None if the client did not ask for a WebSocket as RFC 6455 demands."""
    if not head.websocket:
        return None
    headers = HandshakeHeaders()
    for name, value in head.fields:
        headers[name.decode("ascii")] = value.decode("latin-1")
    handshake = ServerProtocol(extensions=enable_server_permessage_deflate(None))
    answer = handshake.accept(HandshakeRequest("/", headers))
    if answer.status_code != 101:
        return None
    names = ("Sec-WebSocket-Accept", "Sec-WebSocket-Extensions")
    fields = [(name.encode(), answer.headers[name].encode()) for name in names if name in answer.headers]
    protocol = Protocol(Side.SERVER, max_size=_MAX_MESSAGE_BYTES)
    protocol.extensions = handshake.extensions
    return Handshake(protocol, fields)


async def relay_messages(
    response: Response, end: WebSocketEnd, handshake: Handshake, connection: ClientConnection, date: bytes
) -> None:
    """Accept the handshake and relay messages until either side closes.

    Raises ConnectionError if the client has gone before.
    """
    response.headers = Headers.from_raw(response.headers.without(_HANDSHAKE_FIELDS).raw)
    closed = Closed(_ABNORMAL)
    try:
        stream = connection.accept_upgrade()
        upgraded.write_head(response, stream, handshake.fields, date=date)
        closed = await WebSocketSession(handshake.protocol, end, stream).run()
    finally:
        end.deliver(closed)


class WebSocketSession:
    """The two directions of one WebSocket."""

    def __init__(self, protocol: Protocol, end: WebSocketEnd, stream: SwitchedStream) -> None:
        self._protocol = protocol
        self._end = end
        self._stream = stream
        self._is_text = False  # the message that has begun
        self._fragments = (
            bytearray()
        )  # of that message; kept one by one, small fragments would take many times their size

    async def run(self) -> Closed:
        """Relay messages until it ends, and return how."""
        async with asyncio.TaskGroup() as group:
            writing = group.create_task(self._write())
            try:
                return await self._read()
            except (OSError, TimeoutError):
                return Closed(_ABNORMAL)
            except asyncio.CancelledError:
                self._send_going_away()
                raise
            finally:
                writing.cancel()

    def _send_going_away(self) -> None:
        """Tells the client that this end goes away, as far as it still listens."""
        with contextlib.suppress(OSError):
            if self._protocol.state is State.OPEN:
                self._protocol.send_close(_GOING_AWAY)
                self._stream.write(b"".join(self._protocol.data_to_send()))

    # From the client

    async def _read(self) -> Closed:
        protocol = self._protocol
        while True:
            data = await self._stream.receive()
            if data:
                protocol.receive_data(data)
            else:
                protocol.receive_eof()
            broken = None
            for frame in protocol.events_received():
                if isinstance(frame, Frame) and not self._receive_frame(frame):
                    protocol.fail(_INVALID_DATA, "the text is not UTF-8")
                    broken = Closed(_INVALID_DATA)
                    break
            await self._flush()
            if broken is not None:
                return broken
            if protocol.close_rcvd is not None:
                return Closed(protocol.close_rcvd.code, protocol.close_rcvd.reason)
            if protocol.parser_exc is not None or not data:
                return Closed(_ABNORMAL if protocol.close_sent is None else protocol.close_sent.code)

    def _receive_frame(self, frame: Frame) -> bool:
        """False if a text is not UTF-8."""
        match frame.opcode:
            case Opcode.TEXT | Opcode.BINARY:
                self._is_text = frame.opcode is Opcode.TEXT
            case Opcode.CONT:
                pass
            case _:
                return True  # ping, pong and close were answered
        if not frame.fin:
            self._fragments += frame.data
            return True
        content = bytes(frame.data)
        if self._fragments:
            content, self._fragments = bytes(self._fragments + content), bytearray()
        if not self._is_text:
            self._end.deliver(content)
            return True
        try:
            text = content.decode()
        except UnicodeDecodeError:
            return False
        self._end.deliver(text)
        return True

    # From the script

    async def _write(self) -> None:
        protocol = self._protocol
        try:
            while protocol.state is State.OPEN:
                match await self._end.receive():
                    case Closed(code, reason):
                        self._close(code, reason)
                        await self._flush()
                        # The close frame of the client ends the session; without one the connection is closed here.
                        await asyncio.sleep(_CLOSE_SECONDS)
                        self._stream.close()
                    case str(text):
                        if protocol.state is State.OPEN:
                            protocol.send_text(text.encode())
                            await self._flush()
                    case content:
                        if protocol.state is State.OPEN:
                            protocol.send_binary(content)
                            await self._flush()
        except (OSError, TimeoutError):
            self._stream.close()

    def _close(self, code: int, reason: str) -> None:
        if self._protocol.state is not State.OPEN:
            return
        try:
            self._protocol.send_close(1000 if code in (_NO_STATUS, _ABNORMAL) else code, reason)
        except ProtocolError:
            self._protocol.send_close(1000)  # the script's code or reason must not be sent

    async def _flush(self) -> None:
        data = b"".join(self._protocol.data_to_send())
        if data:
            await self._stream.send(data)
