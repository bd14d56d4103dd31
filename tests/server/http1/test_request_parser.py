"""What llhttp lets through and we do not, and what a client can make us keep; bytes as they are sent."""

import pytest

from edgeworker.config import Limits
from edgeworker.messages import Request, Response
from edgeworker.server.http1.request_parser import MalformedRequest, RequestParser
from tests.server.wires import END, GET, POST, Answering, exchange, serving, status_of

SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: a.example\r\n\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n"


async def echo(request: Request) -> Response:
    content = b"" if request.body is None else await request.body.read()
    return Response(200, body=request.method.encode() + b" " + request.url.path.encode() + b" " + content)


@pytest.mark.parametrize(
    "data",
    [
        b"OPTIONS / RTSP/1.0\r\nHost: a.example\r\n\r\n",
        b"SOURCE / ICE/1.0\r\nHost: a.example\r\n\r\n",
        b"GET  / HTTP/1.1\r\nHost: a.example\r\n\r\n",
        b"GET /  HTTP/1.1\r\nHost: a.example\r\n\r\n",
        b"GET /\t HTTP/1.1\r\nHost: a.example\r\n\r\n",
        GET + b"X: a\x7fb\r\n\r\n",
        GET + b"X: a\x0bb\r\n\r\n",
        GET + b"X\xff: a\r\n\r\n",
        POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
        POST + b"Transfer-Encoding:\r\n\r\n0\r\n\r\n",
        POST + b"Transfer-Encoding: chunked,\r\n\r\n0\r\n\r\n",
        POST + b"Content-Length:\r\n\r\n",
    ],
)
async def test_what_llhttp_takes_for_http_and_we_do_not_is_a_400(data: bytes) -> None:
    status, requests, received = await status_of(data + SMUGGLED)

    assert (status, requests) == (400, [])
    assert received.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize("version", [b"0.9", b"1.2", b"2.0", b"9.9"])
@pytest.mark.parametrize("size", [1, 1000])
def test_a_version_that_is_not_spoken_here_is_a_505(version: bytes, size: int) -> None:
    data = b"GET / HTTP/" + version + b"\r\nHost: a.example\r\n\r\n"
    parser = RequestParser(Limits())

    def feed() -> None:
        for start in range(0, len(data), size):
            parser.feed(data[start : start + size])

    with pytest.raises(MalformedRequest) as raised:
        feed()
    assert raised.value.refusal.status == 505


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "speaks TLS"),
        (b"A" * 100_000, "method"),
        (b"GET /" + b"a" * 100_000, "target is longer"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "not HTTP/1.1|method"),
        # llhttp's reasons, of which none shows what the client sent.
        (b"GET / HTTP/1.1\r\nA : b\r\n\r\n", "^The request is not HTTP/1.1: Invalid header token.$"),
        (b"GET / HTTP/1.1\r\nA: \x1b[2J\r\n\r\n", "^The request is not HTTP/1.1: Invalid header value char.$"),
        (
            b"POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n",
            "^The request is not HTTP/1.1: Duplicate Content-Length.$",
        ),
        (
            b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n",
            "^The request is not HTTP/1.1: Content-Length can't be present with Transfer-Encoding.$",
        ),
        (b"GET foo HTTP/1.1\r\n\r\n", "^The request is not HTTP/1.1: Invalid characters in url.$"),
        (b"GET /\r\n\r\n", "^The request is not HTTP/1.1.$"),
    ],
)
def test_the_refusal_says_what_is_wrong(data: bytes, text: str) -> None:
    with pytest.raises(MalformedRequest, match=text):
        RequestParser(Limits()).feed(data)


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/?q=é".encode(), b"/?q=%C3%A9"),
        ("/日本/é?ü".encode(), b"/%E6%97%A5%E6%9C%AC/%C3%A9?%C3%BC"),
        (b"/\xff", b"/%FF"),  # not UTF-8: the byte itself
        (b"/%C3%A9", b"/%C3%A9"),
    ],
)
def test_bytes_beyond_ascii_in_a_target_are_percent_encoded(target: bytes, expected: bytes, size: int) -> None:
    parser = RequestParser(Limits())
    data = b"\r\nGET " + target + b" HTTP/1.1\r\nHost: a.example\r\nX: \xc3\xa9\r\n\r\n"
    for start in range(0, len(data), size):
        parser.feed(data[start : start + size])

    assert parser.head is not None
    assert parser.head.target == expected
    assert parser.head.fields[1] == (b"X", b"\xc3\xa9")


@pytest.mark.parametrize("data", [b"G\xc3T / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\xc3\r\n\r\n", b"GET /\xc3\n\n"])
def test_bytes_beyond_ascii_elsewhere_in_a_request_line_are_refused(data: bytes) -> None:
    with pytest.raises(MalformedRequest):
        RequestParser(Limits()).feed(data)


@pytest.mark.parametrize("coding", [b"gzip, chunked", b"x, chunked", b"Gzip,Chunked"])
async def test_a_coding_besides_chunked_is_a_501(coding: bytes) -> None:
    data = POST + b"Transfer-Encoding: " + coding + b"\r\n\r\n2\r\nab\r\n0\r\n\r\n"

    status, requests, received = await status_of(data + SMUGGLED)

    assert (status, requests) == (501, [])
    assert received.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize(
    ("framing", "body"),
    [
        (b"Content-Length: %d\r\n" % len(SMUGGLED), SMUGGLED),
        (b"Transfer-Encoding: chunked\r\n", b"%x\r\n%b\r\n0\r\nX: y\r\n\r\n" % (len(SMUGGLED), SMUGGLED)),
    ],
)
@pytest.mark.parametrize("upgrade", [b"h2c", b"websocket", b"websocket, h2c"])
async def test_the_body_of_a_request_that_asks_for_an_upgrade_is_a_body(
    framing: bytes, body: bytes, upgrade: bytes
) -> None:
    """llhttp stops after such a head, and takes what follows for something else than HTTP."""
    handler = Answering(echo)
    asking = POST + b"Connection: Upgrade\r\nUpgrade: " + upgrade + b"\r\n" + framing + b"\r\n" + body
    async with serving(handler) as (listener, _):
        received = await exchange(listener.port, asking + GET + END)

    assert [(request.method, request.url.path) for request in handler.requests] == [("POST", "/"), ("GET", "/")]
    assert b"\r\n\r\nPOST / " + SMUGGLED in received


async def test_h11_a_request_that_asks_for_h2c_is_answered_in_http_1() -> None:
    handler = Answering(echo)
    asking = GET + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n"
    async with serving(handler) as (listener, _):
        received = await exchange(listener.port, asking + GET + END)

    assert received.count(b"HTTP/1.1 200 OK\r\n") == 2


async def test_what_follows_a_request_that_closes_is_not_read() -> None:
    handler = Answering(echo)
    async with serving(handler) as (listener, _):
        received = await exchange(listener.port, GET + END + SMUGGLED + b"\0\xff\n")

    assert [request.url.path for request in handler.requests] == ["/"]
    assert received.endswith(b"\r\n\r\nGET / ")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"2;" + b"a" * 3000 + b"\r\nab\r\n0\r\n\r\n", 200),
        (b"2;" + b"a" * 5000 + b"\r\nab\r\n0\r\n\r\n", 400),
        (b"0" * 5000 + b"2\r\nab\r\n0\r\n\r\n", 400),
        (b"2\r\nab\r\n0;" + b"a" * 5000 + b"\r\n\r\n", 400),
        (b"2\r\nab\r\n0\r\n" + b"A: b\r\n" * 20 + b"\r\n", 200),
        (b"2\r\nab\r\n0\r\n" + b"A: b\r\n" * 21 + b"\r\n", 431),
        (b"2\r\nab\r\n0\r\nA: " + b"b" * 5000 + b"\r\n\r\n", 400),
    ],
)
@pytest.mark.parametrize("size", [1, 1000, 1_000_000], ids=lambda size: f"in pieces of {size}")
def test_what_surrounds_chunks_is_bounded(body: bytes, status: int, size: int) -> None:
    parser = RequestParser(Limits(headers=20, headers_bytes=4000))
    data = CHUNKED + b"\r\n" + body

    def feed() -> bool:
        for start in range(0, len(data), size):
            parser.feed(data[start : start + size])
        return parser.complete

    if status == 200:
        assert feed()
    else:
        with pytest.raises(MalformedRequest) as raised:
            feed()
        assert raised.value.refusal.status == status


def test_many_small_chunks_are_not_an_attack() -> None:
    parser = RequestParser(Limits(headers_bytes=4000))
    parser.feed(CHUNKED + b"\r\n" + b"1\r\nx\r\n" * 10_000 + b"0\r\n\r\n")

    assert parser.complete
    assert len(b"".join(parser.pieces)) == 10_000


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 7, 11])
def test_every_way_to_cut_the_bytes_reads_the_same_requests(size: int) -> None:
    data = (
        b"\r\n"
        + CHUNKED
        + b"\r\n4;x=y\r\n\r\n\r\n\r\n0\r\nT: v\r\n\r\n"
        + POST
        + b"Content-Length: 4\r\n\r\n\r\n\r\n"
        + GET
        + b"X:\r\nY: z \t\r\n\r\n"
    )
    parser = RequestParser(Limits())
    seen: list[tuple[str, bytes]] = []
    for start in range(0, len(data), size):
        piece, at = data[start : start + size], 0
        while at < len(piece):
            at = parser.feed(piece, at)
            if parser.complete:
                assert parser.head is not None
                seen.append((parser.head.method, b"".join(parser.pieces)))
                fields = parser.head.fields
                parser.next_request()

    assert seen == [("POST", b"\r\n\r\n"), ("POST", b"\r\n\r\n"), ("GET", b"")]
    assert fields == [(b"Host", b"a.example"), (b"X", b""), (b"Y", b"z")]


def test_the_bytes_of_the_next_request_are_left_alone() -> None:
    parser = RequestParser(Limits())
    first = CHUNKED + b"\r\n2\r\nab\r\n0\r\n\r\n"

    assert parser.feed(first + SMUGGLED) == len(first)
    assert parser.complete


@pytest.mark.parametrize("coding", [b"gzip", b"identity", b"x"])
@pytest.mark.parametrize(
    "start", [b"POST / HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: x\r\n", b"CONNECT a:1 HTTP/1.1\r\n"]
)
async def test_an_upgrade_whose_body_has_no_end_is_a_400(start: bytes, coding: bytes) -> None:
    data = start + b"Host: a.example\r\nTransfer-Encoding: " + coding + b"\r\n\r\nabc"

    status, requests, received = await status_of(data + SMUGGLED)

    assert (status, requests) == (400, [])
    assert received.count(b"HTTP/1.1 ") == 1


async def test_zeros_before_a_length_do_not_count() -> None:
    data = POST + b"Content-Length: " + b"0" * 5000 + b"2\r\n" + END + b"ab"
    async with serving(Answering(echo)) as (listener, _):
        received = await exchange(listener.port, data)

    assert received.endswith(b"\r\n\r\nPOST / ab")
