"""Requests that are nearly HTTP/1.1, byte for byte: what is refused, and what is read exactly as it stands.

Each refused one is followed by a request that an attacker would like to see answered as one of its own.
"""

import pytest

from edgeworker.config import Limits
from edgeworker.messages import Request, Response
from tests.server.wires import GET, POST, Answering, exchange, serving

HOST = b"Host: a.example\r\n"
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n"
SOON = Limits(header_timeout_seconds=1, body_grace_seconds=1, keepalive_timeout_seconds=1)

LINES = {
    "two spaces": b"GET  / HTTP/1.1",
    "a tab for a space": b"GET\t/ HTTP/1.1",
    "a tab before the version": b"GET /\tHTTP/1.1",
    "a vertical tab": b"GET /\x0bHTTP/1.1",
    "a space at the end": b"GET / HTTP/1.1 ",
    "a space in the target": b"GET /a b HTTP/1.1",
    "a space before": b" GET / HTTP/1.1",
    "a byte order mark": b"\xef\xbb\xbfGET / HTTP/1.1",
    "NUL": b"GET /\0 HTTP/1.1",
    "no version": b"GET /",
    "no target": b"GET HTTP/1.1",
    "nothing but a method": b"GET",
    "version in lower case": b"GET / http/1.1",
    "HTTP/0.9": b"GET / HTTP/0.9",
    "HTTP/1.2": b"GET / HTTP/1.2",
    "HTTP/1.10": b"GET / HTTP/1.10",
    "HTTP/01.1": b"GET / HTTP/01.1",
    "HTTP/2.0": b"GET / HTTP/2.0",
    "RTSP": b"GET / RTSP/1.0",
    "ICE": b"SOURCE / ICE/1.0",
    "a TLS handshake": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "HTTP/2's preface": b"PRI * HTTP/2.0",
}
FIELDS = {
    "a space before the colon": b"X : a",
    "a tab before the colon": b"X\t: a",
    "no name": b": a",
    "no colon": b"X",
    "a space in the name": b"X Y: a",
    "@ in the name": b"X@: a",
    "a parenthesis in the name": b"X(: a",
    "a quote in the name": b'X": a',
    "a byte beyond ASCII in the name": b"X\x80: a",
    "NUL in the name": b"X\0: a",
    "NUL in the value": b"X: a\0b",
    "a control character in the value": b"X: a\x1fb",
    "DEL in the value": b"X: a\x7fb",
    "CR in the value": b"X: a\rb",
    "two CRs": b"X: a\r",
    "LF in the value": b"X: a\nY: b",
    "a folded value": b"X: a\r\n\tb",
    "an empty fold": b"X: a\r\n \r\nY: b",
    "a second Host": b"Host: a.example",
}
LENGTHS = {
    "a sign": b"+5",
    "a negative one": b"-5",
    "negative zero": b"-0",
    "hexadecimal": b"0x5",
    "a fraction": b"5.0",
    "an exponent": b"5e0",
    "an underscore": b"0_5",
    "a parameter": b"5;",
    "a list": b"5, 5",
    "a comma": b"5,",
    "two numbers": b"5 5",
    "nothing": b"",
    "a vertical tab": b"5\x0b",
    "a form feed before": b"\x0c5",
    "digits of another script": b"\xd9\xa5",
    "more than 64 bits": b"18446744073709551621",
}
CODINGS = {
    "twice": b"chunked, chunked",
    "not at the end": b"chunked, identity",
    "after gzip": b"gzip, chunked",
    "after identity": b"identity, chunked",
    "after nothing": b", chunked",
    "before nothing": b"chunked,",
    "quoted": b'"chunked"',
    "with a parameter": b"chunked;q=1",
    "with a word behind": b"chunked x",
    "with NUL": b"chunked\0",
    "with a vertical tab": b"chunked\x0b",
    "with a no-break space": b"\xa0chunked",
    "in two fields": b"chunked\r\nTransfer-Encoding: chunked",
    "in two fields, identity first": b"identity\r\nTransfer-Encoding: chunked",
    "in two fields, identity last": b"chunked\r\nTransfer-Encoding: identity",
    "none": b"",
    "another": b"deflate",
    "identity": b"identity",
    "nearly": b"xchunked",
    "broken": b"chun ked",
}
CHUNKS = {
    "hexadecimal prefix": b"0x5\r\nhello\r\n0\r\n\r\n",
    "a sign": b"+5\r\nhello\r\n0\r\n\r\n",
    "a negative size": b"-5\r\nhello\r\n0\r\n\r\n",
    "a space before": b" 5\r\nhello\r\n0\r\n\r\n",
    "a space behind": b"5 \r\nhello\r\n0\r\n\r\n",
    "a tab behind": b"5\t\r\nhello\r\n0\r\n\r\n",
    "an underscore": b"0_5\r\nhello\r\n0\r\n\r\n",
    "no size": b"\r\nhello\r\n0\r\n\r\n",
    "a letter": b"g\r\nhello\r\n0\r\n\r\n",
    "a digit of another script": b"\xef\xbc\x95\r\nhello\r\n0\r\n\r\n",
    "more than 64 bits": b"F" * 17 + b"\r\nhello\r\n0\r\n\r\n",
    "LF alone after the size": b"5\nhello\r\n0\r\n\r\n",
    "LF alone after the data": b"5\r\nhello\n0\r\n\r\n",
    "LF alone after the last size": b"5\r\nhello\r\n0\n\r\n",
    "LF alone at the end": b"5\r\nhello\r\n0\r\n\n",
    "CR alone": b"5\rhello\r0\r\r",
    "no CRLF after the data": b"5\r\nhello0\r\n\r\n",
    "more data than the size says": b"5\r\nhelloX\r\n0\r\n\r\n",
    "LF in an extension": b"5;a\nb\r\nhello\r\n0\r\n\r\n",
    "CR in an extension": b"5;a\rb\r\nhello\r\n0\r\n\r\n",
    "CRLF in a quoted extension": b'5;a="\r\n"\r\nhello\r\n0\r\n\r\n',
    "NUL in an extension": b"5;\0\r\nhello\r\n0\r\n\r\n",
    "a trailer with a space before its colon": b"5\r\nhello\r\n0\r\nX : y\r\n\r\n",
    "a folded trailer": b"5\r\nhello\r\n0\r\nX: y\r\n z\r\n\r\n",
}


# RFC 9110, section 15.6.6: the line is right but for its version.
OTHER_VERSIONS = {LINES[name] for name in ("HTTP/0.9", "HTTP/1.2", "HTTP/2.0", "HTTP/2's preface")}


def told(requests: list[Request]) -> list[str | None]:
    return [request.raw_target for request in requests]


async def reading(request: Request) -> Response:
    content = b"" if request.body is None else await request.body.read()
    return Response(200, body=content)


async def refused(data: bytes) -> tuple[list[str | None], bytes]:
    """The targets that the handler was asked for, and all that was answered."""
    handler = Answering(reading)
    async with serving(handler, limits=SOON) as (listener, _):
        received = await exchange(listener.port, data)
    return told(handler.requests), received


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
async def test_h1_a_request_line_is_method_target_and_version_and_nothing_else(line: bytes) -> None:
    targets, received = await refused(line + b"\r\n" + HOST + b"\r\n" + SMUGGLED)

    assert targets == []
    assert received.startswith(b"HTTP/1.1 505 " if line in OTHER_VERSIONS else b"HTTP/1.1 400 ")
    assert received.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize("field", FIELDS.values(), ids=FIELDS)
async def test_h1_a_field_is_a_token_a_colon_and_a_value_on_one_line(field: bytes) -> None:
    targets, received = await refused(GET + field + b"\r\n\r\n" + SMUGGLED)

    assert targets == []
    assert received.startswith(b"HTTP/1.1 400 ")
    assert received.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize("length", LENGTHS.values(), ids=LENGTHS)
async def test_h1_a_content_length_is_one_decimal_number(length: bytes) -> None:
    targets, received = await refused(POST + b"Content-Length: " + length + b"\r\n\r\nhello" + SMUGGLED)

    assert targets == []
    assert received.startswith(b"HTTP/1.1 400 ")
    assert received.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize("coding", CODINGS.values(), ids=CODINGS)
async def test_h1_the_only_transfer_encoding_is_chunked(coding: bytes) -> None:
    body = b"5\r\nhello\r\n0\r\n\r\n"
    targets, received = await refused(POST + b"Transfer-Encoding: " + coding + b"\r\n\r\n" + body + SMUGGLED)

    assert targets == []
    assert received[:12] in (b"HTTP/1.1 400", b"HTTP/1.1 501")
    assert received.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize("chunks", CHUNKS.values(), ids=CHUNKS)
async def test_h1_a_chunk_is_a_size_in_hexadecimal_and_as_many_bytes(chunks: bytes) -> None:
    targets, received = await refused(POST + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + SMUGGLED)

    # The handler may have been asked before the chunk was seen; it got no whole body, and no other request.
    assert targets in ([], ["/"])
    assert not received.startswith(b"HTTP/1.1 2")
    assert received.count(b"HTTP/1.1 ") <= 1


@pytest.mark.parametrize(
    ("data", "targets", "body"),
    [
        # RFC 9112, section 2.2: an empty line before a request
        (b"\r\n" + SMUGGLED, ["/smuggled"], b""),
        (POST + b"Content-Length: 05\r\n\r\nhello" + SMUGGLED, ["/", "/smuggled"], b"hello"),
        (POST + b"content-length:\t5 \t\r\n\r\nhello" + SMUGGLED, ["/", "/smuggled"], b"hello"),
        (GET + b"Content-Length: 5\r\n\r\nhello" + SMUGGLED, ["/", "/smuggled"], b"hello"),
        (
            b"GET http://a.example/x?y HTTP/1.1\r\n" + HOST + b"\r\n" + SMUGGLED,
            ["http://a.example/x?y", "/smuggled"],
            b"",
        ),
    ],
)
async def test_what_is_http_is_read_to_its_end_and_not_beyond(data: bytes, targets: list[str], body: bytes) -> None:
    asked, received = await refused(data)

    assert asked == targets
    assert received.startswith(b"HTTP/1.1 200 ")
    assert received.partition(b"\r\n\r\n")[2].startswith(body)


@pytest.mark.parametrize(
    "chunks",
    [
        b"5\r\nhello\r\n0\r\n\r\n",
        b"5;a=b;c\r\nhello\r\n0;d\r\n\r\n",
        b"0" * 30 + b"5\r\nhello\r\n000\r\n\r\n",
        b"2\r\nhe\r\n3\r\nllo\r\n0\r\nX: y\r\n\r\n",
    ],
)
@pytest.mark.parametrize("name", [b"Transfer-Encoding: chunked", b"tRANSFER-eNCODING:\tCHUNKED"])
async def test_chunks_are_read_to_the_last_one(chunks: bytes, name: bytes) -> None:
    targets, received = await refused(POST + name + b"\r\nConnection: close\r\n\r\n" + chunks)

    assert targets == ["/"]
    assert received.endswith(b"\r\n\r\nhello")


@pytest.mark.parametrize("version", [b"HTTP/1.1", b"HTTP/1.0"])
@pytest.mark.parametrize(
    "fields",
    [
        b"Connection: close\r\n",
        b"Connection: keep-alive\r\nConnection: close\r\n",
        b"Connection: close\r\nConnection: keep-alive\r\n",
        b"Connection: keep-alive, Close\r\n",
        b"Connection: x, close ,y\r\n",
    ],
)
async def test_what_follows_close_is_not_read(version: bytes, fields: bytes) -> None:
    """RFC 9112, section 9.3: close wins."""
    targets, received = await refused(b"GET / " + version + b"\r\n" + HOST + fields + b"\r\n" + SMUGGLED)

    assert "/smuggled" not in targets
    assert received.count(b"HTTP/1.1 ") == 1
