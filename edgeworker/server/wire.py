"""What both sides of the wire share: hop-by-hop fields, and heads that cannot be split. Pure.

Source: https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1 and https://www.rfc-editor.org/rfc/rfc9112
"""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Final

Field = tuple[bytes, bytes]

# Proxy-Connection is no standard's, but clients send it.
HOP_BY_HOP: Final = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
# `Connection` values that name no field worth a second look.
_USUAL_OPTIONS: Final = frozenset({b"close", b"keep-alive", b"Keep-Alive", b"Close"})

_REASONS: Final = {status.value: status.phrase.encode() for status in HTTPStatus}
_STATUS_LINES: Final = {status: b"HTTP/1.1 %d %b" % (status, reason) for status, reason in _REASONS.items()}


class UnsafeHead(ValueError):
    """A head that would put CR, LF or NUL where the wire does not expect them. Says nothing about the value."""


def end_to_end(fields: Iterable[Field]) -> list[Field]:
    """The fields without the hop-by-hop ones and without those that `Connection` names."""
    kept: list[Field] = []
    named: set[bytes] | None = None
    for field in fields:
        name = field[0].lower()
        if name not in HOP_BY_HOP:
            kept.append(field)
        elif name == b"connection" and field[1] not in _USUAL_OPTIONS:
            named = named or set()
            named.update(option.strip(b" \t").lower() for option in field[1].split(b","))
    return kept if named is None else [field for field in kept if field[0].lower() not in named]


def head(start: bytes, fields: Iterable[Field]) -> bytes:
    """The start line, the fields and the empty line. Raises UnsafeHead.

    `Headers` refuses such fields already, and so do the parsers; this is the last door, and it knows no exception.
    """
    lines = [start]
    lines += [b"%b: %b" % field for field in fields]
    lines.append(b"\r\n")
    written = b"\r\n".join(lines)
    if written.count(b"\n") != len(lines) or written.count(b"\r") != len(lines) or b"\0" in written:
        raise UnsafeHead("a header field or the start line holds CR, LF or NUL")
    return written


def status_line(status: int, reason: str = "") -> bytes:
    """`HTTP/1.1 status reason`; the usual phrase where `reason` is empty."""
    usual = _STATUS_LINES.get(status)
    if usual is not None and not reason:
        return usual
    return b"HTTP/1.1 %d %b" % (status, reason.encode("latin-1", "replace") or _REASONS.get(status, b""))
