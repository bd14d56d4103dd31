"""The requests of one connection, one after the other, as llhttp reads them; what it takes and we do not is refused.

No I/O: bytes go in, and a head and pieces of a body are there. No byte of the next request is read before
`next_request` was called, so a client that pipelines waits in its own buffers.

Source: https://www.rfc-editor.org/rfc/rfc9112
"""

from typing import Final

from edgeworker.admission import Field, Refusal
from edgeworker.config import Limits
from edgeworker.server.http1.llhttp import (
    HttpParserError,
    HttpParserInvalidMethodError,
    HttpParserUpgrade,
    HttpRequestParser,
)

# A head ends so, and so does a chunked body, with trailers or without.
_END: Final = b"\r\n\r\n"
_VERSIONS: Final = {b"HTTP/1.1": False, b"HTTP/1.0": True}  # to: is it HTTP/1.0
_AROUND_A_BYTE: Final = 16
_LINE_BESIDES_TARGET: Final = 64  # the longest method and the version are shorter

_NOT_HTTP: Final = Refusal(400, "The request is not HTTP/1.1.")
_NO_METHOD: Final = Refusal(400, "The method is not one of HTTP's.")


class MalformedRequest(Exception):
    """What came is no request that can be served. Nothing after it can be read."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.text)
        self.refusal = refusal


class RequestHead:
    """A request's head. `target` is what stood in the request line; the values of `fields` have no white space around.

    `hosts` counts the Host fields and `host` is the last of them. `length` is the body's Content-Length, `coding` its
    Transfer-Encoding; None where there is none. `websocket` says that the client asks for an upgrade to it.
    """

    __slots__ = (
        "coding",
        "expect",
        "fields",
        "host",
        "hosts",
        "http10",
        "keep_alive",
        "length",
        "method",
        "target",
        "websocket",
    )

    def __init__(self, method: str, target: bytes, *, http10: bool, keep_alive: bool, fields: list[Field]) -> None:
        self.method = method
        self.target = target
        self.http10 = http10
        self.keep_alive = keep_alive
        self.fields = fields
        self.host = b""
        self.hosts = 0
        self.length: int | None = None
        self.coding: bytes | None = None
        self.expect: bytes | None = None
        self.websocket = False


class RequestParser:
    """`head` is the request's once it is there, `pieces` what came of its body and was not taken, `complete` that the
    whole request was read."""

    __slots__ = (
        "_asks_upgrade",
        "_fields",
        "_headed",
        "_keep_alive",
        "_left",
        "_limits",
        "_line",
        "_line_ended",
        "_llhttp",
        "_refusal",
        "_size",
        "_tail",
        "_trailers",
        "complete",
        "head",
        "pieces",
    )

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._llhttp = HttpRequestParser(self)
        self._refusal: Refusal | None = None
        self._begin()

    def _begin(self) -> None:
        self.head: RequestHead | None = None
        self.pieces: list[bytes] = []
        self.complete = False
        self._fields: list[Field] = []
        self._headed = False
        self._keep_alive = False
        self._asks_upgrade = False
        self._line = b""  # of what came in several parts; whole, without its end, once _line_ended
        self._line_ended = False
        self._tail = b""  # the last bytes that were read, where the end may go on in the next ones
        self._size = 0  # of the head; then of what came between two pieces of the body
        self._left: int | None = None  # of a body with Content-Length
        self._trailers = 0

    def next_request(self) -> None:
        """After a complete request: what is fed from here on is another one."""
        head = self.head
        if head is None or head.coding is not None or self._asks_upgrade or not self._keep_alive:
            # Trailers leave marks in llhttp's state, and after an upgrade or "close" it reads no more.
            self._llhttp = HttpRequestParser(self)
        self._begin()

    def feed(self, data: bytes, start: int = 0) -> int:
        """Reads `data` from `start` to the end of this request, and returns where that is.

        Raises MalformedRequest; then nothing more may be fed.
        """
        end = len(data)
        while start < end and not self.complete:
            cut = self._cut(data, start)
            self._read(data if cut - start == end else data[start:cut])
            start = cut
        return start

    def _cut(self, data: bytes, start: int) -> int:
        """Where this request ends at the earliest, as far as can be seen without reading it."""
        if self._left is not None:
            return min(len(data), start + self._left)
        tail = self._tail
        if tail:
            self._tail = b""
            joint = (tail + data[start : start + 3]).find(_END)
            if joint >= 0:
                return start + joint + 4 - len(tail)
        at = data.find(_END, start)
        if at >= 0:
            return at + 4
        self._tail = (tail + data[max(start, len(data) - 3) :])[-3:]
        return len(data)

    def _read(self, piece: bytes) -> None:
        headed, pieces = self._headed, len(self.pieces)
        if not self._line_ended:
            self._read_line(piece)
        try:
            self._llhttp.feed_data(piece)
        except HttpParserUpgrade:
            pass  # llhttp stops after the head of a request that asks for an upgrade, body or not; see _resume
        except HttpParserInvalidMethodError as error:
            raise MalformedRequest(_NO_METHOD) from error
        except HttpParserError as error:
            raise MalformedRequest(self._refusal or _NOT_HTTP) from error
        if self._left is not None:
            self._left -= len(piece)
            return
        content = sum(map(len, self.pieces[pieces:])) if len(self.pieces) > pieces else 0
        if content:
            # A chunk of one byte has five around it, and there may be many of them.
            self._size = max(0, len(piece) - content - _AROUND_A_BYTE * content)
        else:
            self._size += len(piece)
        if self._size > self._limits.headers_bytes:
            raise MalformedRequest(self._too_large(headed=headed))
        if self._headed and not headed:
            self.head = self._read_head()

    def _read_line(self, piece: bytes) -> None:
        line = (self._line + piece if self._line else piece).lstrip(b"\r\n")
        end = line.find(b"\r\n")
        if end >= 0:
            self._line_ended = True
            self._line = line[:end]
        else:
            self._line = line
        if len(self._line) > self._limits.request_line_bytes + _LINE_BESIDES_TARGET:
            raise MalformedRequest(self._too_long())

    def _read_head(self) -> RequestHead:
        # llhttp takes several spaces, HTTP/0.9 and RTSP too.
        parts = self._line.split(b" ")
        if len(parts) != 3:
            raise MalformedRequest(_NOT_HTTP)
        method, target, version = parts
        http10 = _VERSIONS.get(version)
        if http10 is None:
            raise MalformedRequest(_NOT_HTTP)
        limits = self._limits
        if len(target) > limits.request_line_bytes:
            raise MalformedRequest(self._too_long())
        fields = self._fields
        if self._size > limits.header_bytes and any(
            len(name) + len(value) > limits.header_bytes for name, value in fields
        ):
            raise MalformedRequest(Refusal(431, f"A header field is larger than {limits.header_bytes} bytes."))
        head = RequestHead(method.decode("ascii"), target, http10=http10, keep_alive=self._keep_alive, fields=fields)
        upgrade = b""
        for name, value in fields:
            match len(name):
                case 4 if name.lower() == b"host":
                    head.host = value
                    head.hosts += 1
                case 6 if name.lower() == b"expect":
                    head.expect = value
                case 7 if name.lower() == b"upgrade":
                    upgrade = upgrade + b"," + value if upgrade else value
                case 10 if http10 and b"close" in value.lower() and name.lower() == b"connection":
                    # llhttp goes by "keep-alive" here, also where "close" stands beside it, which wins: RFC 9112, 9.3.
                    head.keep_alive = False
                case 14 if name.lower() == b"content-length":
                    # llhttp checked that it is one number, and the only one; int() takes only so many zeros before it.
                    head.length = int(value.lstrip(b"0") or b"0")
                case 17 if name.lower() == b"transfer-encoding":
                    head.coding = value if head.coding is None else head.coding + b"," + value
        has_body = head.coding is not None or bool(head.length)
        if self._asks_upgrade:
            head.websocket = upgrade.lower() == b"websocket" and method == b"GET" and not http10 and not has_body
            if has_body:
                self._resume(head)
        if head.length and head.coding is None:
            self._left = head.length
        self._size = 0
        return head

    def _resume(self, head: RequestHead) -> None:
        """Reads the body of a request that asks for an upgrade, which cannot be granted then."""
        self._llhttp = HttpRequestParser(self)
        self.complete = False
        try:
            if head.coding is None:
                self._llhttp.feed_data(b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % (head.length or 0))
            else:
                self._llhttp.feed_data(b"POST / HTTP/1.1\r\nTransfer-Encoding: %b\r\n\r\n" % head.coding)
        except HttpParserError as error:  # of an upgrade llhttp has not checked that its coding ends with chunked
            raise MalformedRequest(_NOT_HTTP) from error
        self._trailers = 0  # the fields of this head were none

    def _too_large(self, *, headed: bool) -> Refusal:
        limit = self._limits.headers_bytes
        if headed:
            return Refusal(400, f"What surrounds the chunks of the body is larger than {limit} bytes.")
        if self._line_ended:
            return Refusal(431, f"The header fields together are larger than {limit} bytes.")
        return self._too_long()

    def _too_long(self) -> Refusal:
        return Refusal(414, f"The request target is longer than {self._limits.request_line_bytes} bytes.")

    # llhttp's side

    def on_message_begin(self) -> None:
        if self._headed and self.complete:
            # Only by a mistake of `_cut` could it read on; the bytes belong to nobody then.
            raise AssertionError("the next request was read with this one")

    def on_header(self, name: bytes, value: bytes) -> None:
        limit = self._limits.headers
        if self._headed:  # a trailer; they are dropped, never merged
            self._trailers += 1
            if self._trailers > limit:
                self._refusal = Refusal(431, f"There are more than {limit} trailers.")
                raise MalformedRequest(self._refusal)
            return
        fields = self._fields
        if len(fields) == limit:
            self._refusal = Refusal(431, f"There are more than {limit} header fields.")
            raise MalformedRequest(self._refusal)
        # llhttp leaves the white space after a value
        fields.append((name, value.rstrip(b" \t")))

    def on_headers_complete(self) -> None:
        if not self._headed:
            self._headed = True
            self._keep_alive = self._llhttp.should_keep_alive()
            self._asks_upgrade = self._llhttp.should_upgrade()

    def on_body(self, piece: bytes) -> None:
        self.pieces.append(piece)

    def on_message_complete(self) -> None:
        self.complete = True
