"""Requests that a library wrote for a socket, and answers as it would have read them there.

For libraries that speak HTTP/1.1 themselves: http.client (and urllib, which stands on it) and aiohttp.
"""

from edgeworker import messages
from edgeworker.llhttp import HttpParserError, HttpParserUpgrade, HttpRequestParser
from edgeworker.messages import Body, Headers
from edgeworker.runtime.python.library_requests import response_fields


class WrittenRequest:
    """Parses what is written. `origin` is "https://example.com:8443". `is_whole` when the body's end was written."""

    def __init__(self, origin: str) -> None:
        self._origin = origin
        self._target = b""
        self._fields: list[tuple[bytes, bytes]] = []
        self._pieces: list[bytes] = []
        self._parser = HttpRequestParser(self)
        self.is_whole = False

    def feed(self, content: bytes) -> None:
        """Raises OSError for what is not an HTTP request."""
        try:
            self._parser.feed_data(content)
        except HttpParserUpgrade as error:
            raise OSError("a library's own WebSocket does not go by fetch(); use fetch() with `Upgrade`") from error
        except HttpParserError as error:
            raise OSError(f"not an HTTP request: {error}") from error

    @property
    def method(self) -> str:
        return bytes(self._parser.get_method()).decode("ascii")

    @property
    def url(self) -> str:
        target = self._target.decode("ascii", "replace")
        # A client that believes in a proxy writes the whole URL.
        return target if target.startswith(("http://", "https://")) else self._origin + target

    @property
    def headers(self) -> Headers:
        return Headers.from_raw([field for field in self._fields if field[0].lower() != b"expect"])

    @property
    def body(self) -> Body | None:
        return Body(b"".join(self._pieces)) if self._pieces else None

    def on_url(self, target: bytes) -> None:
        self._target += target

    def on_header(self, name: bytes, value: bytes) -> None:
        self._fields.append((name, value))

    def on_body(self, piece: bytes) -> None:
        self._pieces.append(piece)

    def on_message_complete(self) -> None:
        self.is_whole = True


def write_head(answer: messages.Response) -> bytes:
    """The head of an answer that ends where the connection does, or with its Content-Length."""
    lines = [f"HTTP/1.1 {answer.status} {answer.status_text}".encode("latin-1", "replace")]
    lines += [
        name.encode("ascii") + b": " + value
        for name, value in response_fields(answer)
        if name not in ("connection", "keep-alive", "upgrade")
    ]
    return b"\r\n".join([*lines, b"connection: close", b"", b""])
