"""A response in the form it has on the wire, as workerd puts one into the body of a request to the cache."""

from collections.abc import AsyncIterator
from typing import Final

from edgeworker.llhttp import HttpParserError, HttpResponseParser
from edgeworker.messages import Body, Headers, Response

_MAX_HEAD_BYTES: Final = 256 * 1024
_FRAMING: Final = frozenset({b"transfer-encoding", b"connection", b"keep-alive"})


class InvalidResponse(Exception):
    """What came is not a response of HTTP/1.1."""


class _ParsedResponse:
    """What the parser has found so far."""

    def __init__(self) -> None:
        self.fields: list[tuple[bytes, bytes]] = []
        self.reason = b""
        self.pieces: list[bytes] = []
        self.has_head = False
        self.is_complete = False

    def on_status(self, reason: bytes) -> None:
        self.reason += reason

    def on_header(self, name: bytes, value: bytes) -> None:
        self.fields.append((name, value))

    def on_headers_complete(self) -> None:
        self.has_head = True

    def on_body(self, body: bytes) -> None:
        self.pieces.append(body)

    def on_message_complete(self) -> None:
        self.is_complete = True


async def read_response(pieces: AsyncIterator[bytes]) -> Response:
    """Reads up to the end of the head; the body is read when the response's is. Raises InvalidResponse."""
    parts = _ParsedResponse()
    parser = HttpResponseParser(parts)
    size = 0
    while not parts.has_head:
        piece = await anext(pieces, None)
        size += 0 if piece is None else len(piece)
        if piece is None or size > _MAX_HEAD_BYTES:
            raise InvalidResponse("the head of the response does not end")
        _feed(parser, piece)
    length = next((int(value) for name, value in parts.fields if name.lower() == b"content-length"), None)
    headers = Headers.from_raw([field for field in parts.fields if field[0].lower() not in _FRAMING])
    body = Body(_content(parser, parts, pieces), length=length)
    return Response(parser.get_status_code(), headers, body, status_text=parts.reason.decode("latin-1"))


async def _content(
    parser: HttpResponseParser, parts: _ParsedResponse, pieces: AsyncIterator[bytes]
) -> AsyncIterator[bytes]:
    while True:
        while parts.pieces:
            yield parts.pieces.pop(0)
        piece = None if parts.is_complete else await anext(pieces, None)
        if piece is None:
            return
        _feed(parser, piece)


def _feed(parser: HttpResponseParser, piece: bytes) -> None:
    try:
        parser.feed_data(piece)
    except HttpParserError as error:
        raise InvalidResponse(f"not a response of HTTP/1.1: {error}") from error
