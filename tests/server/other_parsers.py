"""Other HTTP/1.1 parsers, each reading a whole connection: what requests do they see?"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import h11
import httptools
from aiohttp import StreamReader
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.http_parser import HttpRequestParser, HttpRequestParserC, HttpRequestParserPy, RawRequestMessage

# method, target, version, fields, body
Seen = tuple[bytes, bytes, tuple[tuple[bytes, bytes], ...], bytes]


@dataclass
class Reading:
    """The whole requests that one parser saw, and whether it refused what followed, or said that it reads no more."""

    requests: list[Seen] = field(default_factory=list)
    refused: bool = False


def fields_of(raw: list[tuple[bytes, bytes]]) -> tuple[tuple[bytes, bytes], ...]:
    return tuple((name.lower(), value.strip(b" \t")) for name, value in raw)


def read_with_h11(data: bytes) -> Reading:
    reading = Reading()
    connection = h11.Connection(h11.SERVER)
    connection.receive_data(data)
    request: h11.Request | None = None
    body = b""
    try:
        while True:
            event = connection.next_event()
            if isinstance(event, h11.Request):
                request, body = event, b""
            elif isinstance(event, h11.Data):
                body += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage) and request is not None:
                fields = [(bytes(name), bytes(value)) for name, value in request.headers]
                reading.requests.append((bytes(request.method), bytes(request.target), fields_of(fields), body))
                connection.send(h11.Response(status_code=200, headers=[(b"Content-Length", b"0")]))
                connection.send(h11.EndOfMessage())
                if connection.our_state is not h11.DONE:
                    reading.refused = request.http_version < b"1.1"  # h11 keeps no such connection
                    return reading
                connection.start_next_cycle()
            else:
                return reading
    except h11.ProtocolError:
        reading.refused = True
        return reading


class Httptools:
    """llhttp as uvicorn and our origin side use it."""

    def __init__(self) -> None:
        self.reading = Reading()
        self.over = False
        self.parser = httptools.HttpRequestParser(self)
        self.target = self.body = b""
        self.fields: list[tuple[bytes, bytes]] = []
        self.headed = False

    def on_message_begin(self) -> None:
        self.target = self.body = b""
        self.fields = []
        self.headed = False

    def on_url(self, target: bytes) -> None:
        self.target += target

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self.headed:
            self.fields.append((name, value))

    def on_headers_complete(self) -> None:
        self.headed = True

    def on_body(self, piece: bytes) -> None:
        self.body += piece

    def on_message_complete(self) -> None:
        if not self.over:
            method: bytes = self.parser.get_method()
            self.reading.requests.append((method, self.target, fields_of(self.fields), self.body))
            self.over = not self.parser.should_keep_alive()


def read_with_httptools(data: bytes) -> Reading:
    reader = Httptools()
    try:
        reader.parser.feed_data(data)
    except (httptools.HttpParserError, httptools.HttpParserUpgrade):
        reader.reading.refused = not reader.over
    return reader.reading


# aiohttp 3.14.5 in C carries the last trailer of a chunked request into the next request of its connection.
_CHUNKED: Final = (b"transfer-encoding", b"chunked")


def _aiohttp(parser_class: Callable[..., HttpRequestParser]) -> Callable[[bytes], Reading]:
    def read(data: bytes) -> Reading:
        """Line by line: where a piece has an error, aiohttp tells of none of the requests in it."""
        loop = asyncio.get_running_loop()
        parser = parser_class(BaseProtocol(loop), loop, 2**16)
        reading = Reading()
        found: list[tuple[RawRequestMessage, StreamReader]] = []
        ended = False
        for line in lines(data):
            try:
                messages, upgraded, _ = parser.feed_data(line)
            except (HttpProcessingError, ValueError):
                reading.refused = True
                break
            found += messages
            if upgraded or any(message.should_close for message, _ in messages):
                ended = True
            if ended and found[-1][1].is_eof():
                break
        for message, payload in found:
            if payload.exception() is not None:
                reading.refused = True
            if payload.exception() is not None or not payload.is_eof():
                break
            body = b"".join(bytes(piece) for piece in getattr(payload, "_buffer", ()))
            target = message.path.encode("utf-8", "surrogateescape")
            fields = fields_of(list(message.raw_headers))
            reading.requests.append((message.method.encode(), target, fields, body))
            if parser_class is HttpRequestParserC and _CHUNKED in fields:
                reading.refused = True
                break
        return reading

    return read


def lines(data: bytes) -> list[bytes]:
    """With their ends."""
    *whole, last = data.split(b"\n")
    return [*(line + b"\n" for line in whole), last]


# llhttp twice, with the settings of two servers, and two that share no line with it.
PARSERS: Final[dict[str, Callable[[bytes], Reading]]] = {
    "h11": read_with_h11,
    "httptools": read_with_httptools,
    "aiohttp in C": _aiohttp(HttpRequestParserC),
    "aiohttp in Python": _aiohttp(HttpRequestParserPy),
}
