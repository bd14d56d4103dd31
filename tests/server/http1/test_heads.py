"""What is written on the wire, as bytes."""

import os

import pytest

from edgeworker.server.http1 import heads

BOTH = pytest.mark.parametrize("join", [heads.join_in_python, heads.join], ids=["in Python", "as it is built"])


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


@BOTH
@pytest.mark.parametrize(
    "fields",
    [
        [],
        [(b"", b"")],
        [(b"A", b"1"), (b"a", b"2"), (b"B", bytes(range(0x80, 0x100)))],
        ((b"A", b"x" * 70_000),),
        [(b"A", b"\t b \t")],
    ],
    ids=["none", "empty", "bytes beyond ASCII", "a tuple with a long value", "blanks"],
)
def test_both_ways_of_joining_write_the_same(join: heads.Join, fields: list[tuple[bytes, bytes]]) -> None:
    expected = b"GET / HTTP/1.1\r\n" + b"".join(name + b": " + value + b"\r\n" for name, value in fields) + b"\r\n"

    assert join(b"GET / HTTP/1.1", fields) == expected


@BOTH
@pytest.mark.parametrize("byte", range(256))
@pytest.mark.parametrize("place", range(3))
def test_both_ways_of_joining_refuse_the_same_bytes(join: heads.Join, byte: int, place: int) -> None:
    start, name, value = (b"a" + bytes([byte] if place == at else []) + b"b" for at in range(3))

    assert (join(start, [(b"c", b"d"), (name, value)]) is None) == (byte in b"\r\n\0")


@pytest.mark.skipif("EDGEWORKER_COMPILED" not in os.environ, reason="set by CI where it tests the compiled form")
def test_the_compiled_form_joins_in_c() -> None:
    assert heads.join is not heads.join_in_python


@pytest.mark.skipif(heads.join is heads.join_in_python, reason="what is written in C is not built here")
@pytest.mark.parametrize("fields", [1, [b"ab"], [(b"a",)], [("a", b"b")], [(b"a", 1)], [[b"a", b"b"]], None])
def test_what_is_not_a_list_of_pairs_of_bytes_is_a_type_error_in_c(fields: list[tuple[bytes, bytes]]) -> None:
    with pytest.raises(TypeError):
        heads.join(b"x", fields)


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
