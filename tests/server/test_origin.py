"""The origin as a handler, against origins that are scripted byte for byte."""

import asyncio

import pytest

from edgeworker.errors import ConfigError
from edgeworker.messages import Body, Headers
from tests.server.wires import OK, answering, call, client, head, origin, pieces, read


async def test_a_request_is_sent_as_it_is_with_its_own_host() -> None:
    heads: list[bytes] = []
    headers = Headers(
        [
            ("Authorization", "Bearer x"),
            ("X-Two", "1"),
            ("x-two", "2"),
            ("Connection", "x-gone"),
            ("X-Gone", "1"),
            ("TE", "trailers"),
            ("Upgrade", "h2c"),
            ("Transfer-Encoding", "chunked"),
            ("Keep-Alive", "timeout=9"),
            ("Proxy-Authorization", "Basic x"),
            ("Host", "other.example"),
            ("Content-Length", "7"),
            ("Expect", "x"),
        ]
    )
    async with origin(answering(OK, heads=heads)) as server, client() as internet:
        response = await internet.at(server.url).fetch(call(headers=headers))

    assert heads == [
        b"GET /a//b?c=%2F HTTP/1.1\r\nHost: api.example.com\r\nAuthorization: Bearer x\r\nX-Two: 1\r\nx-two: 2\r\n\r\n"
    ]
    assert (response.status, await read(response.body)) == (200, b"ok")


@pytest.mark.parametrize(
    ("method", "body", "length", "framing", "sent"),
    [
        ("POST", None, None, b"Content-Length: 0", b""),
        ("DELETE", None, None, None, b""),
        ("POST", (), 0, b"Content-Length: 0", b""),
        ("POST", (b"ab", b"", b"c"), 3, b"Content-Length: 3", b"abc"),
        ("POST", (b"ab", b"", b"c"), None, b"Transfer-Encoding: chunked", b"2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"),
    ],
)
async def test_a_body_keeps_its_framing(
    method: str, body: tuple[bytes, ...] | None, length: int | None, framing: bytes | None, sent: bytes
) -> None:
    received: list[bytes] = []

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.append(await head(reader))
        received.append(await reader.readexactly(len(sent)))
        writer.write(OK)

    async with origin(play) as server, client() as internet:
        content = None if body is None else Body(pieces(*body), length=length)
        response = await internet.at(server.url).fetch(call(method, content))
        assert await read(response.body) == b"ok"

    lines = [line for line in received[0].split(b"\r\n") if line.startswith((b"Content-Length", b"Transfer"))]
    assert lines == ([] if framing is None else [framing])
    assert received[1] == sent


async def test_an_answer_is_handed_on_untouched() -> None:
    answer = (
        b"HTTP/1.1 299 Fine By Me\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\nContent-Encoding: gzip\r\n"
        b"Connection: keep-alive, x-gone\r\nX-Gone: 1\r\nKeep-Alive: timeout=5\r\n"
        b"X-Bytes: \xff \t\r\nContent-Length: 3\r\n\r\n\x1f\x8b\x08"
    )
    async with origin(answering(answer)) as server, client() as internet:
        response = await internet.at(server.url).fetch(call())

    assert (response.status, response.status_text) == (299, "Fine By Me")
    assert response.headers.raw == [
        (b"Set-Cookie", b"a=1"),
        (b"set-cookie", b"b=2"),
        (b"Content-Encoding", b"gzip"),
        (b"X-Bytes", b"\xff"),
        (b"Content-Length", b"3"),
    ]
    assert await read(response.body) == b"\x1f\x8b\x08"


@pytest.mark.parametrize(
    ("answer", "body", "length"),
    [
        (b"Content-Length: 0\r\n\r\n", b"", 0),
        (b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Trailer: 1\r\n\r\n", b"abc", None),
        (b"\r\nuntil the end", b"until the end", None),
    ],
)
async def test_the_framings_of_an_answer(answer: bytes, body: bytes, length: int | None) -> None:
    async with origin(answering(b"HTTP/1.1 200 OK\r\n" + answer)) as server, client() as internet:
        response = await internet.at(server.url).fetch(call())

        assert response.body is not None
        assert response.body.length == length
        assert await response.body.read() == body
        assert not response.headers.has("x-trailer")


async def test_interim_answers_are_passed_over() -> None:
    interim = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"
    async with origin(answering(interim + OK)) as server, client() as internet:
        response = await internet.at(server.url).fetch(call())

    assert (response.status, response.status_text, len(response.headers)) == (200, "OK", 1)


@pytest.mark.parametrize("base", ["ftp://a/", "127.0.0.1:3000", "", "http://", "http://a.example/path"])
async def test_a_base_that_is_not_a_server_is_a_configuration_error(base: str) -> None:
    async with client() as internet:
        with pytest.raises(ConfigError, match=r"^origin "):
            internet.at(base)
