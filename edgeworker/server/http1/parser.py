"""The messages of one connection, one after the other, as llhttp reads them: the part that both sides share.

No I/O: bytes go in, and a head and pieces of a body come out. llhttp is fed up to where a message can end at the
earliest and no further, so no byte of the next message is read before `next_message` was called.

Source: https://www.rfc-editor.org/rfc/rfc9112
"""

from typing import Final, Protocol

from edgeworker.admission import Field
from edgeworker.llhttp import HttpParserError, HttpParserUpgrade, HttpRequestParser

# A head ends so, and so does a chunked body, with trailers or without.
_END: Final = b"\r\n\r\n"
_FRAMING_BYTES_PER_BYTE: Final = 16
_SPACE: Final = 0x20


class Llhttp(Protocol):
    """httptools' HttpRequestParser and HttpResponseParser."""

    def feed_data(self, data: bytes) -> None: ...

    def should_keep_alive(self) -> bool: ...

    def should_upgrade(self) -> bool: ...


_NO_LLHTTP: Final[Llhttp] = HttpRequestParser(object())


class MessageParser:
    """`pieces` is what came of the body and was not taken, `complete` says that the whole message was read.

    What surrounds the content (a head with all its fields, then chunk sizes, extensions and trailers) is limited to
    `head_bytes`; there may be `max_fields` fields, and as many trailers. Trailers are dropped, never merged.
    """

    __slots__ = (
        "_arriving",
        "_asks_upgrade",
        "_body_left",
        "_fields",
        "_has_head",
        "_head_bytes",
        "_keep_alive",
        "_llhttp",
        "_llhttp_complete",
        "_max_fields",
        "_size",
        "_tail",
        "_until_close",
        "complete",
        "pieces",
    )

    def __init__(self, *, head_bytes: int, max_fields: int) -> None:
        self._head_bytes = head_bytes
        self._max_fields = max_fields
        self._llhttp = self._new_llhttp()
        self._begin()

    def _begin(self) -> None:
        self.pieces: list[bytes] = []
        self.complete = False
        self._llhttp_complete = False
        self._fields: list[Field] = []
        self._arriving = self._fields  # the head's, then the trailers, which are dropped
        self._has_head = False
        self._keep_alive = False
        self._asks_upgrade = False
        self._until_close = False  # the body ends with the connection
        self._body_left: int | None = None  # of a body with Content-Length
        self._tail = b""  # the last bytes that were read, if the end may go on in the next ones
        self._size = 0  # of the head; then of what came between two pieces of the body

    def close(self) -> None:
        """Drop llhttp, whose callbacks refer back to this parser: otherwise each connection would leave a reference
        cycle to the garbage collector. Nothing may be fed afterwards."""
        self._llhttp = _NO_LLHTTP

    def feed(self, data: bytes, start: int = 0) -> int:
        """Read `data` from `start` to the end of this message, and return where that is.

        Raises what `_malformed` and `_too_large` return; nothing may be fed afterwards.
        """
        end = len(data)
        while start < end and not self.complete:
            cut = self._earliest_end(data, start)
            self._read(data if start == 0 and cut == end else data[start:cut])
            start = cut
        return start

    def _earliest_end(self, data: bytes, start: int) -> int:
        """Where this message ends at the earliest, as far as can be seen without reading it."""
        if self._body_left is not None:
            return min(len(data), start + self._body_left)
        if self._until_close:
            return len(data)
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
        had_head, had_pieces = self._has_head, len(self.pieces)
        try:
            self._llhttp.feed_data(piece)
        except HttpParserUpgrade:
            self._upgraded()
        except HttpParserError as error:
            raise self._malformed(error) from error
        if self._body_left is not None:
            self._body_left -= len(piece)
            return
        content = sum(map(len, self.pieces[had_pieces:])) if len(self.pieces) > had_pieces else 0
        if content:
            # A chunk of one byte has five bytes of framing, and there may be many such chunks.
            self._size = max(0, len(piece) - content - _FRAMING_BYTES_PER_BYTE * content)
        else:
            self._size += len(piece)
        if self._size > self._head_bytes and not self._until_close:
            raise self._too_large(in_body=had_head)
        if self._has_head and not had_head:
            self._finish_head()
            self._size = 0

    # What requests and responses do differently

    def _new_llhttp(self) -> Llhttp:
        raise NotImplementedError

    def _finish_head(self) -> None:
        """All of `_fields` are there. Raises what `_malformed` returns."""
        raise NotImplementedError

    def _upgraded(self) -> None:
        """llhttp has stopped after the head of a message that switches protocols."""
        raise NotImplementedError

    def _malformed(self, error: Exception) -> Exception:
        raise NotImplementedError

    def _too_large(self, *, in_body: bool) -> Exception:
        raise NotImplementedError

    def _too_many_fields(self, *, trailers: bool) -> Exception:
        """It passes through llhttp, and comes out as the cause of an HttpParserError."""
        raise NotImplementedError

    # llhttp's side

    def on_message_begin(self) -> None:
        if self._has_head and self.complete:
            # Only a bug in `_earliest_end` could make llhttp read on.
            raise AssertionError("the next message was read with this one")

    def on_header(self, name: bytes, value: bytes) -> None:
        fields = self._arriving
        if value and value[-1] <= _SPACE:
            value = value.rstrip(b" \t")  # llhttp leaves the white space after a value
        fields.append((name, value))
        if len(fields) > self._max_fields:
            raise self._too_many_fields(trailers=self._has_head)

    def on_headers_complete(self) -> None:
        if not self._has_head:
            self._has_head = True
            self._arriving = []
            self._keep_alive = self._llhttp.should_keep_alive()
            self._asks_upgrade = self._llhttp.should_upgrade()

    def on_body(self, piece: bytes) -> None:
        self.pieces.append(piece)

    def on_message_complete(self) -> None:
        self.complete = self._llhttp_complete = True
