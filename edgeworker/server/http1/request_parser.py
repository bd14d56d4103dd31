"""The requests of one connection with a client; what llhttp accepts and we do not is refused.

Source: https://www.rfc-editor.org/rfc/rfc9112
"""

import re
from typing import Final

from edgeworker.admission import Field, Refusal
from edgeworker.config import Limits
from edgeworker.llhttp import (
    HttpParserError,
    HttpParserInvalidMethodError,
    HttpParserInvalidURLError,
    HttpRequestParser,
)
from edgeworker.server.http1.parser import Llhttp, MessageParser

_VERSIONS: Final = {b"HTTP/1.1": False, b"HTTP/1.0": True}  # to: is it HTTP/1.0
_LINE_BESIDES_TARGET: Final = 64  # the longest method and the version are shorter

# Of a request line that is right but for its version.
_OTHER_VERSION: Final = re.compile(rb"[A-Z-]+ [^ ]+ HTTP/[0-9]\.[0-9]")
_TLS_HANDSHAKE: Final = b"\x16\x03"
_NOT_ASCII: Final = re.compile(rb"[\x80-\xff]")

_NOT_HTTP: Final = Refusal(400, "The request is not HTTP/1.1.")
_NO_METHOD: Final = Refusal(400, "The method is not one of HTTP's.")
_NO_SUCH_VERSION: Final = Refusal(505, "The version of HTTP is not one that is spoken here; use HTTP/1.1.")
_WITH_REASON: Final = (HttpParserError, HttpParserInvalidURLError)
_IS_TLS: Final = Refusal(400, "The client speaks TLS, and this port speaks plain HTTP; use http:// or the https port.")


def _not_http(error: Exception) -> Refusal:
    """With llhttp's reason, which is one of a few and holds nothing of the request."""
    return Refusal(400, f"The request is not HTTP/1.1: {error}.") if type(error) in _WITH_REASON else _NOT_HTTP


class MalformedRequest(Exception):
    """These bytes are not a request that can be served. Nothing after them can be read."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.text)
        self.refusal = refusal


class RequestHead:
    """A request's head. `target` is what stood in the request line, with bytes beyond ASCII percent-encoded; the values
    of `fields` have no white space around.

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


class RequestParser(MessageParser):
    """`head` is the request's once it is there. `next_request` makes it ready for another one."""

    __slots__ = ("_limits", "_line", "_line_ended", "_refusal", "head")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        super().__init__(head_bytes=limits.headers_bytes, max_fields=limits.headers)

    def _begin(self) -> None:
        super()._begin()
        self.head: RequestHead | None = None
        self._refusal: Refusal | None = None
        self._line = b""  # what has arrived of it; all of it, without CRLF, once _line_ended
        self._line_ended = False

    def next_request(self) -> None:
        """After a complete request: what is fed from here on is another one."""
        head = self.head
        if head is None or head.coding is not None or self._asks_upgrade or not self._keep_alive:
            # Trailers leave marks in llhttp's state, and after an upgrade or "close" it reads no more.
            self._llhttp = self._new_llhttp()
        self._begin()

    def _new_llhttp(self) -> Llhttp:
        return HttpRequestParser(self)

    def _read(self, piece: bytes) -> None:
        if not self._line_ended:
            if not piece.isascii():
                piece = self._encode_target(piece)
            self._read_line(piece)
        super()._read(piece)

    def _encode_target(self, piece: bytes) -> bytes:
        """Percent-encode the bytes of the request line that are not ASCII, as workerd takes them in a target.

        Elsewhere in that line an escape is as wrong as the byte. llhttp would refuse the byte in a target, too.
        """
        # Empty lines may stand before the request line.
        begin = len(piece) - len(piece.lstrip(b"\r\n")) if not self._line else 0
        end = piece.find(b"\n", begin)
        end = len(piece) if end < 0 else end
        return _NOT_ASCII.sub(lambda byte: b"%%%02X" % byte[0][0], piece[:end]) + piece[end:]

    def _read_line(self, piece: bytes) -> None:
        line = (self._line + piece if self._line else piece).lstrip(b"\r\n")
        end = line.find(b"\r\n")
        if end >= 0:
            self._line_ended = True
            self._line = line[:end]
        else:
            self._line = line
        if len(self._line) > self._limits.request_line_bytes + _LINE_BESIDES_TARGET:
            raise MalformedRequest(self._line_too_long())

    def _finish_head(self) -> None:
        # llhttp also accepts several spaces, HTTP/0.9 and RTSP.
        parts = self._line.split(b" ")
        if len(parts) != 3:
            raise MalformedRequest(_NOT_HTTP)
        method, target, version = parts
        http10 = _VERSIONS.get(version)
        if http10 is None:
            raise MalformedRequest(_NO_SUCH_VERSION if _OTHER_VERSION.fullmatch(self._line) else _NOT_HTTP)
        limits = self._limits
        if len(target) > limits.request_line_bytes:
            raise MalformedRequest(self._target_too_long())
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
                    # llhttp decides by "keep-alive" here, also beside a "close", which wins: RFC 9112, 9.3.
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
            self._body_left = head.length
        self.head = head

    def _resume(self, head: RequestHead) -> None:
        """Read the body of a request that asks for an upgrade, which cannot be granted then."""
        self._llhttp = self._new_llhttp()
        self.complete = False
        try:
            if head.coding is None:
                self._llhttp.feed_data(b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % (head.length or 0))
            else:
                self._llhttp.feed_data(b"POST / HTTP/1.1\r\nTransfer-Encoding: %b\r\n\r\n" % head.coding)
        except HttpParserError as error:  # of an upgrade llhttp has not checked that its coding ends with chunked
            raise MalformedRequest(_NOT_HTTP) from error
        self._arriving = []  # the fields of this head were not trailers

    def _upgraded(self) -> None:
        """llhttp stops after the head of a request that asks for an upgrade, body or not; see _resume."""

    def _malformed(self, error: Exception) -> Exception:
        if self._line.startswith(_TLS_HANDSHAKE):
            return MalformedRequest(_IS_TLS)
        if isinstance(error, HttpParserInvalidMethodError):
            return MalformedRequest(_NO_METHOD)
        if self._refusal is None and _OTHER_VERSION.fullmatch(self._line):
            version = self._line.rpartition(b" ")[2]
            return MalformedRequest(_not_http(error) if version in _VERSIONS else _NO_SUCH_VERSION)
        return MalformedRequest(self._refusal or _not_http(error))

    def _too_large(self, *, in_body: bool) -> Exception:
        limit = self._head_bytes
        if in_body:
            return MalformedRequest(
                Refusal(400, f"What surrounds the chunks of the body is larger than {limit} bytes.")
            )
        if self._line_ended:
            return MalformedRequest(Refusal(431, f"The header fields together are larger than {limit} bytes."))
        return MalformedRequest(self._line_too_long())

    def _too_many_fields(self, *, trailers: bool) -> Exception:
        self._refusal = Refusal(
            431, f"There are more than {self._max_fields} {'trailers' if trailers else 'header fields'}."
        )
        return MalformedRequest(self._refusal)

    def _line_too_long(self) -> Refusal:
        return self._target_too_long() if b" " in self._line[:_LINE_BESIDES_TARGET] else _NO_METHOD

    def _target_too_long(self) -> Refusal:
        return Refusal(414, f"The request target is longer than {self._limits.request_line_bytes} bytes.")
