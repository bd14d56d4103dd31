"""Writes the core's Response to the wire."""

from typing import Final

from edgeworker.admission import IS_HOP_BY_HOP, Field, end_to_end
from edgeworker.errors import with_cause
from edgeworker.handler import ends_from_outside
from edgeworker.messages import Body, NameTable, Response
from edgeworker.server.client_connection import ClientConnection
from edgeworker.server.http1 import heads

_PIECE_BYTES: Final = 64 * 1024  # the most that is written at a time
_WITHOUT_BODY: Final = frozenset({204, 205, 304})

# What is done with a field of that name.
_END_TO_END: Final = 0
_LENGTH: Final = 1
_DATE: Final = 2
_CONNECTION: Final = 3
_DROPPED: Final = 4
_KIND_BY_NAME: Final = {b"content-length": _LENGTH, b"date": _DATE, b"connection": _CONNECTION}


def _classify_field(name: bytes) -> int:
    return _KIND_BY_NAME.get(name.lower(), _DROPPED if IS_HOP_BY_HOP[name] else _END_TO_END)


_KINDS: Final = NameTable(_classify_field)


class IncompleteResponse(Exception):
    """The response has begun and cannot be completed: cut the connection, so that no client takes it for complete."""


class FramedResponse:
    """How a response goes to the wire. `body` is None where none is sent, although the response may have one."""

    __slots__ = ("body", "chunked", "head", "keep_alive", "status")

    def __init__(self, status: int, head: bytes, body: Body | None, *, chunked: bool, keep_alive: bool) -> None:
        self.status = status
        self.head = head
        self.body = body
        self.chunked = chunked
        self.keep_alive = keep_alive

    @property
    def ends_with_connection(self) -> bool:
        """Whether the end of the connection is all that tells the client that it has the whole body."""
        return self.body is not None and self.body.length is None and not self.chunked


def frame_response(response: Response, *, method: str, date: bytes, keep_alive: bool, http10: bool) -> FramedResponse:
    """Decides the framing (RFC 9112 6.3). Raises ValueError for a response that must not be written."""
    status = response.status
    if not 200 <= status <= 999:  # scripts make none above 599, but some origins do
        raise ValueError(f"{status} is not a status that a response can end with; use 200 to 599")
    body = response.body
    length = 0 if body is None else body.length
    chunked = False
    fields, announced, dated = _select_fields(response.headers.raw)
    if method == "HEAD" or status in _WITHOUT_BODY:
        # What a GET would have answered, where that is known; 204 has no Content-Length, 205 has always this one.
        if status == 205:
            announced = b"0"
        elif announced is None and method == "HEAD" and body is not None and length is not None:
            announced = b"%d" % length
        if announced is not None and status != 204:
            fields.append((b"Content-Length", announced))
        body = None
    elif length is not None:
        fields.append((b"Content-Length", b"%d" % length))
    elif http10:
        keep_alive = False  # the body ends with the connection
    else:
        chunked = True
        fields.append((b"Transfer-Encoding", b"chunked"))
    if not dated:
        fields.append((b"Date", date))
    if not keep_alive:
        fields.append((b"Connection", b"close"))
    elif http10:
        fields.append((b"Connection", b"keep-alive"))
    head = heads.serialize_head(heads.status_line(status, response.status_text), fields)
    return FramedResponse(status, head, body, chunked=chunked, keep_alive=keep_alive)


def _select_fields(fields: list[Field]) -> tuple[list[Field], bytes | None, bool]:
    """The fields for the wire without Content-Length; the Content-Length that stood there; whether there is a Date."""
    kept: list[Field] = []
    announced: bytes | None = None
    dated = False
    for field in fields:
        kind = _KINDS[field[0]]
        if kind == _END_TO_END:
            kept.append(field)
        elif kind == _LENGTH:
            announced = field[1] if field[1].isdigit() else None
        elif kind == _DATE:
            dated = True
            kept.append(field)
        elif kind == _CONNECTION:
            return _select_fields(end_to_end(fields))
    return kept, announced, dated


async def write_response(framed: FramedResponse, connection: ClientConnection, *, timeout_seconds: float) -> int:
    """Writes the whole answer and returns the bytes of its body.

    `timeout_seconds` is what a client has for each 64 KiB.

    Raises:
        IncompleteResponse: the head was written, and the rest of the answer cannot be.
        ConnectionError: the client has gone.
    """
    body = framed.body
    if body is None:
        connection.write(framed.head)
        return 0
    content = body.take_complete()
    if content is None:
        connection.write(framed.head)
        return await _stream(body, connection, chunked=framed.chunked, timeout_seconds=timeout_seconds)
    if len(content) <= _PIECE_BYTES:
        connection.write(framed.head + content)
        await _drain(connection, timeout_seconds)
    else:
        connection.write(framed.head)
        await _write_large(content, connection, timeout_seconds)
    return len(content)


async def _stream(body: Body, connection: ClientConnection, *, chunked: bool, timeout_seconds: float) -> int:
    sent = 0
    failure: BaseException | None = None
    try:
        sent = await _stream_pieces(body, connection, chunked=chunked, timeout_seconds=timeout_seconds)
    except BaseException as error:  # noqa: BLE001  # raised again, once the body was closed
        failure = error
    await body.close()
    if failure is not None:
        try:
            raise failure
        finally:
            del failure  # else it holds itself by its traceback, until garbage is looked for
    if body.length is not None and sent < body.length:
        raise IncompleteResponse(f"the body has {body.length - sent} bytes fewer than its length")
    if chunked:
        connection.write(b"0\r\n\r\n")
    return sent


async def _stream_pieces(body: Body, connection: ClientConnection, *, chunked: bool, timeout_seconds: float) -> int:
    sent = 0
    try:
        async for piece in body.stream():
            if not piece:
                continue
            sent += len(piece)
            if body.length is not None and sent > body.length:
                raise IncompleteResponse("the body has more bytes than its length")
            written = b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece
            if len(written) <= _PIECE_BYTES:
                connection.write(written)
                await _drain(connection, timeout_seconds)
            else:
                await _write_large(written, connection, timeout_seconds)
    except (IncompleteResponse, ConnectionError):
        raise
    except BaseException as error:
        if ends_from_outside(error):
            raise
        raise with_cause(IncompleteResponse("the body failed"), error) from error
    return sent


async def _write_large(content: bytes, connection: ClientConnection, timeout_seconds: float) -> None:
    """Piece by piece: a client that takes all of it, if slowly, is not cut, and no copy of the rest is made for TLS."""
    view = memoryview(content)
    for start in range(0, len(view), _PIECE_BYTES):
        connection.write(view[start : start + _PIECE_BYTES])
        await _drain(connection, timeout_seconds)


async def _drain(connection: ClientConnection, timeout_seconds: float) -> None:
    """Waits while the client does not take what was written."""
    try:
        await connection.wait_writable(timeout_seconds)
    except TimeoutError as error:
        text = f"the client took too little for {timeout_seconds:g} seconds"
        raise with_cause(IncompleteResponse(text), error) from error
