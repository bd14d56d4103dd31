"""The responses of one connection to an origin."""

from typing import Final

from edgeworker.admission import IS_HOP_BY_HOP, Field, without_named
from edgeworker.llhttp import HttpResponseParser
from edgeworker.messages import NameTable
from edgeworker.server.http1.parser import Llhttp, MessageParser

HEAD_LIMIT_BYTES: Final = 128 * 1024  # Cloudflare answers 520 for more
_WITHOUT_CONTENT: Final = frozenset({204, 304})
_SWITCHING_PROTOCOLS: Final = 101

# What is done with a field of that name.
_END_TO_END: Final = 0
_LENGTH: Final = 1
_CODING: Final = 2
_KEEP_ALIVE: Final = 3
_CONNECTION: Final = 4
_DROPPED: Final = 5
_KIND_BY_NAME: Final = {
    b"content-length": _LENGTH,
    b"transfer-encoding": _CODING,
    b"keep-alive": _KEEP_ALIVE,
    b"connection": _CONNECTION,
}


def _classify_field(name: bytes) -> int:
    return _KIND_BY_NAME.get(name.lower(), _DROPPED if IS_HOP_BY_HOP[name] else _END_TO_END)


_KINDS: Final = NameTable(_classify_field)


class MalformedResponse(Exception):
    """What the origin sent cannot be used. The text goes after the origin's name: "sent an answer that ..."."""


class ResponseHead:
    """A response's head. `fields` are the end-to-end ones; `length` is the body's Content-Length, None if it has none.

    `has_body` is False where the framing leaves none: for HEAD, 204, 304 and an upgrade, whatever Content-Length says.
    `idle_seconds` is how long the origin keeps the connection open for the next request, if it says so.
    """

    __slots__ = ("fields", "has_body", "idle_seconds", "keep_alive", "length", "reason", "status")

    def __init__(self, status: int, reason: bytes, *, keep_alive: bool) -> None:
        self.status = status
        self.reason = reason.decode("utf-8", "surrogateescape")
        self.fields: list[Field] = []
        self.keep_alive = keep_alive
        self.has_body = True
        self.length: int | None = None
        self.idle_seconds: float | None = None


_NO_RESPONSES: Final = HttpResponseParser(object())


class ResponseParser(MessageParser):
    """`head` is the final response's once it is there; interim ones (1xx) are skipped, but for the 101 asked for.

    `switched` says that the bytes after the head are not HTTP.
    """

    __slots__ = ("_is_interim", "_may_upgrade", "_reason", "_responses", "_to_head", "head", "switched")

    def __init__(self) -> None:
        super().__init__(head_bytes=HEAD_LIMIT_BYTES, max_fields=HEAD_LIMIT_BYTES)
        self.next_response(to_head=False, may_upgrade=False)

    @property
    def has_begun(self) -> bool:
        """Whether any byte of this response has come."""
        return self._has_head or self._size > 0

    @property
    def ends_with_connection(self) -> bool:
        return self._until_close

    def next_response(self, *, to_head: bool, may_upgrade: bool) -> None:
        """What is fed from here on is the response to another request."""
        if self._has_head and (not self._llhttp_complete or self._arriving):
            # The old one may be waiting for the body of a response to HEAD, and trailers leave marks in its state.
            self._llhttp = self._new_llhttp()
        self._begin()
        self.head: ResponseHead | None = None
        self.switched = False
        self._reason = b""
        self._is_interim = False
        self._to_head = to_head
        self._may_upgrade = may_upgrade

    def close(self) -> None:
        super().close()
        self._responses = _NO_RESPONSES

    def end_of_connection(self) -> bool:
        """No more bytes will come. Returns whether the response is complete."""
        if self._until_close and not self.complete:
            self.complete = True
        return self.complete

    def _new_llhttp(self) -> Llhttp:
        self._responses = HttpResponseParser(self)
        return self._responses

    def _finish_head(self) -> None:
        status = self._responses.get_status_code()
        if status < 100:
            raise MalformedResponse(f"answered with the status {status:03}, which HTTP does not have")
        head = ResponseHead(status, self._reason, keep_alive=self._keep_alive)
        coding: bytes | None = None
        fields = head.fields
        connections: list[bytes] = []
        for field in self._fields:
            kind = _KINDS[field[0]]
            if kind == _END_TO_END:
                fields.append(field)
            elif kind == _LENGTH:
                fields.append(field)
                head.length = int(field[1].lstrip(b"0") or b"0")  # llhttp checked that it is one number
            elif kind == _CODING:
                coding = field[1].lower() if coding is None else coding + b"," + field[1].lower()
            elif kind == _KEEP_ALIVE:
                head.idle_seconds = _keep_alive_seconds(field[1])
            elif kind == _CONNECTION:
                connections.append(field[1])
        for connection in connections:
            head.fields = without_named(head.fields, connection)
        if self._to_head or status in _WITHOUT_CONTENT or status == _SWITCHING_PROTOCOLS:
            head.has_body = False
            self.complete = True
        elif coding not in (None, b"chunked"):
            raise MalformedResponse("used a Transfer-Encoding other than chunked")
        elif coding is None and head.length is None:
            self._until_close = True
        elif coding is None:
            self._body_left = None if self.complete else head.length
        self.head = head

    def _upgraded(self) -> None:
        if not self._may_upgrade:
            raise MalformedResponse("switched protocols, which was not asked for")
        self.switched = True

    def _malformed(self, error: Exception) -> Exception:
        if self._responses.get_status_code() == _SWITCHING_PROTOCOLS and self._llhttp_complete:
            return MalformedResponse("answered 101 without an upgrade to WebSocket")
        return MalformedResponse(f"sent an answer that is not HTTP/1.1: {error}")

    def _too_large(self, *, in_body: bool) -> Exception:
        return MalformedResponse(f"sent headers of more than {HEAD_LIMIT_BYTES} bytes")

    def _too_many_fields(self, *, trailers: bool) -> Exception:
        return self._too_large(in_body=trailers)

    # llhttp's side

    def on_status(self, reason: bytes) -> None:
        self._reason += reason

    def on_headers_complete(self) -> None:
        status = self._responses.get_status_code()
        self._is_interim = 100 <= status < 200 and not (status == _SWITCHING_PROTOCOLS and self._may_upgrade)
        if not self._is_interim:
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        if self._is_interim:
            self._fields.clear()
            self._reason = b""
        else:
            super().on_message_complete()


def _keep_alive_seconds(value: bytes) -> float | None:
    """What `Keep-Alive: timeout=5, max=100` allows, less a second for the transfer; None if it says nothing."""
    for part in value.split(b","):
        name, _, number = part.strip(b" \t").partition(b"=")
        if name.lower() == b"timeout" and number.isdigit() and len(number) < 9:
            return max(0.0, float(int(number)) - 1)
    return None
