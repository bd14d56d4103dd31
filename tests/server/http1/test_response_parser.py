"""Responses of an origin, in every way that the bytes can be cut."""

import pytest

from edgeworker.server.http1.response_parser import HEAD_LIMIT_BYTES, MalformedResponse, ResponseParser

LENGTH = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nX: \r\nY: z \t\r\n\r\n\r\n\r\n"
CHUNKED_HEAD = b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n"
CHUNKED = CHUNKED_HEAD + b"4;x=y\r\n\r\n\r\n\r\n0\r\nT: v\r\n\r\n"
INTERIM = b"HTTP/1.1 100 Continue\r\nX-Gone: 1\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
NOTHING = b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"
LIES = b"HTTP/1.1 200 OK\r\n\r\n"


def _read(parser: ResponseParser, data: bytes, size: int) -> int:
    """How many bytes belong to the response."""
    at = 0
    while at < len(data) and not parser.complete:
        at += parser.feed(data[at : at + size])
    return at


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 7, 11, 1000])
def test_every_way_to_cut_the_bytes_reads_the_same_responses(size: int) -> None:
    parser = ResponseParser()
    fields: list[tuple[bytes, bytes]] = []
    seen: list[tuple[int, str, bytes]] = []
    for data in (INTERIM + LENGTH, CHUNKED, NOTHING, CHUNKED, LENGTH):
        parser.next_response(to_head=False, may_upgrade=False)
        assert _read(parser, data + LIES, size) == len(data)
        assert parser.head is not None
        seen.append((parser.head.status, parser.head.reason, b"".join(parser.pieces)))
        fields = parser.head.fields

    body = b"\r\n\r\n"
    assert seen == [
        (200, "OK", body),
        (201, "Created", body),
        (304, "Not Modified", b""),
        (201, "Created", body),
        (200, "OK", body),
    ]
    assert fields == [(b"Content-Length", b"4"), (b"X", b""), (b"Y", b"z")]


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_the_response_to_head_ends_with_its_head(size: int) -> None:
    parser = ResponseParser()
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"
    for _ in range(2):
        parser.next_response(to_head=True, may_upgrade=False)
        assert _read(parser, head + LIES, size) == len(head)
        assert parser.head is not None
        assert not parser.head.has_body

    parser.next_response(to_head=False, may_upgrade=False)
    assert _read(parser, LENGTH, size) == len(LENGTH)


@pytest.mark.parametrize("size", [1, 5, 1000])
def test_a_body_without_an_end_of_its_own_ends_with_the_connection(size: int) -> None:
    parser = ResponseParser()
    data = b"HTTP/1.0 200 OK\r\n\r\nabc\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"

    assert _read(parser, data, size) == len(data)
    assert not parser.complete
    assert parser.end_of_connection()
    assert b"".join(parser.pieces) == data.partition(b"\r\n\r\n")[2]


@pytest.mark.parametrize("data", [LENGTH[:-1], CHUNKED[:-1], LENGTH[:20], b""])
def test_a_connection_that_ends_before_its_response_leaves_it_incomplete(data: bytes) -> None:
    parser = ResponseParser()
    parser.feed(data)

    assert not parser.end_of_connection()


@pytest.mark.parametrize("size", [1000, 100_000])
@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 30_000 + b"\r\n",
        b"HTTP/1.1 103 Early Hints\r\n\r\n" * 6_000 + LENGTH,
        CHUNKED[:-2] + b"T: v\r\n" * 30_000 + b"\r\n",
        CHUNKED_HEAD + b"1;" + b"x" * 2 * HEAD_LIMIT_BYTES + b"\r\na\r\n0\r\n\r\n",
    ],
)
def test_what_surrounds_the_content_is_bounded(data: bytes, size: int) -> None:
    with pytest.raises(MalformedResponse, match="more than 131072 bytes"):
        _read(ResponseParser(), data, size)


@pytest.mark.parametrize("status", [b"000", b"099"])
def test_a_status_below_100_is_no_interim_response(status: bytes) -> None:
    with pytest.raises(MalformedResponse, match=f"answered with the status {status.decode()}"):
        ResponseParser().feed(b"HTTP/1.1 " + status + b" Odd\r\nContent-Length: 4\r\n\r\ngood")


@pytest.mark.parametrize("may_upgrade", [True, False])
def test_what_follows_a_switch_of_protocols_is_left_alone(may_upgrade: bool) -> None:
    parser = ResponseParser()
    parser.next_response(to_head=False, may_upgrade=may_upgrade)
    head = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"

    if not may_upgrade:
        with pytest.raises(MalformedResponse, match="not asked for"):
            parser.feed(head + b"\x81\x01a")
        return
    assert parser.feed(head + b"\x81\x01a") == len(head)
    assert parser.switched
