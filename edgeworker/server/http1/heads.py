"""Heads of messages as bytes, which cannot be split. Pure.

Source: https://www.rfc-editor.org/rfc/rfc9112
"""

from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Final

from edgeworker.admission import Field

_COLON: Final = b": "
_LF: Final = 0x0A
_CR: Final = 0x0D
_NUL: Final = 0x00
_REASONS: Final = {status.value: status.phrase.encode() for status in HTTPStatus}
_STATUS_LINES: Final = {status: b"HTTP/1.1 %d %b" % (status, reason) for status, reason in _REASONS.items()}


class UnsafeHead(ValueError):
    """A head that would put CR, LF or NUL where the wire does not expect them. Says nothing about the value."""


Join = Callable[[bytes, Sequence[Field]], bytes | None]


def join_in_python(start: bytes, fields: Sequence[Field]) -> bytes | None:
    """The start line, the fields and the empty line; None if one of them holds CR, LF or NUL."""
    lines = [start, *[_COLON.join(field) for field in fields]]
    # To join twice and search is several times faster than to count the line ends; for a number `in` is a memchr, for
    # bytes it first makes and drops an exception.
    text = b"".join(lines)
    if _LF in text or _CR in text or _NUL in text:
        return None
    lines.append(b"\r\n")
    return b"\r\n".join(lines)


def _fastest_join() -> Join:
    try:
        from edgeworker.server.http1._head_bytes import join_head  # in compiled builds only
    except ImportError:
        return join_in_python
    return join_head


join: Final[Join] = _fastest_join()


def serialize_head(start: bytes, fields: Sequence[Field]) -> bytes:
    """The start line, the fields and the empty line. Raises UnsafeHead.

    `Headers` refuses such fields already, and so do the parsers; this is the last check before the wire.
    """
    head = join(start, fields)
    if head is None:
        raise UnsafeHead("a header field or the start line holds CR, LF or NUL")
    return head


def status_line(status: int, reason: str = "") -> bytes:
    """`HTTP/1.1 status reason`; the usual phrase where `reason` is empty."""
    usual = _STATUS_LINES.get(status)
    if usual is not None and not reason:
        return usual
    return b"HTTP/1.1 %d %b" % (status, reason.encode("utf-8", "surrogateescape") or _REASONS.get(status, b""))
