"""What is written on the wire, as bytes."""

import pytest

from edgeworker.server.http1 import heads


def test_a_head_is_its_lines() -> None:
    assert (
        heads.serialize_head(b"GET / HTTP/1.1", [(b"A", b"b"), (b"C", b"")]) == b"GET / HTTP/1.1\r\nA: b\r\nC: \r\n\r\n"
    )


@pytest.mark.parametrize(
    ("start", "name", "value"),
    [
        (b"HTTP/1.1 200 OK", b"A", b"b\r\nSet-Cookie: x=1"),
        (b"HTTP/1.1 200 OK", b"A", b"b\nc"),
        (b"HTTP/1.1 200 OK", b"A", b"b\rc"),
        (b"HTTP/1.1 200 OK", b"A", b"b\0c"),
        (b"HTTP/1.1 200 OK", b"A\r\nB", b"c"),
        (b"HTTP/1.1 200 OK\r\nX: y", b"A", b"c"),
    ],
)
def test_a_head_cannot_be_split(start: bytes, name: bytes, value: bytes) -> None:
    with pytest.raises(heads.UnsafeHead):
        heads.serialize_head(start, [(name, value)])


@pytest.mark.parametrize(
    ("status", "reason", "line"),
    [
        (200, "", b"HTTP/1.1 200 OK"),
        (200, "Fine", b"HTTP/1.1 200 Fine"),
        (521, "", b"HTTP/1.1 521 "),
        (404, "Ünfound", b"HTTP/1.1 404 \xc3\x9cnfound"),
    ],
)
def test_a_status_line_has_the_usual_phrase_unless_another_is_given(status: int, reason: str, line: bytes) -> None:
    assert heads.status_line(status, reason) == line
