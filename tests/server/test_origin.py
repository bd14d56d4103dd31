"""The origin as a handler, against origins that are scripted byte for byte."""

import asyncio
import gc
from collections.abc import AsyncIterator

import pytest

from edgeworker.config import Outbound
from edgeworker.errors import ConfigError, OriginError
from edgeworker.messages import URL, Body, Headers, Request
from tests.server.wires import PATIENCE_SECONDS, Play, answering, client, head, origin

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def request(method: str = "GET", body: Body | bytes | None = None, headers: Headers | None = None) -> Request:
    content = Body(body) if isinstance(body, bytes) else body
    return Request(method, URL.parse("https://api.example.com/a//b?c=%2F"), headers, content)


async def pieces(*content: bytes) -> AsyncIterator[bytes]:
    for piece in content:
        yield piece


async def read(body: Body | None) -> bytes:
    assert body is not None
    return await body.read()


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
        response = await internet.at(server.url).fetch(request(headers=headers))

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
        response = await internet.at(server.url).fetch(request(method, content))
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
        response = await internet.at(server.url).fetch(request())

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
        response = await internet.at(server.url).fetch(request())

        assert response.body is not None
        assert response.body.length == length
        assert await response.body.read() == body
        assert not response.headers.has("x-trailer")


async def test_interim_answers_are_passed_over() -> None:
    interim = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"
    async with origin(answering(interim + OK)) as server, client() as internet:
        response = await internet.at(server.url).fetch(request())

    assert (response.status, response.status_text, len(response.headers)) == (200, "OK", 1)


@pytest.mark.parametrize(
    ("method", "first"),
    [
        ("GET", OK),
        ("GET", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"),
        ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"),
        ("HEAD", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
        ("GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\n\r\n"),
        ("GET", b"HTTP/1.1 204 No Content\r\n\r\n"),
    ],
)
async def test_a_connection_is_used_again(method: str, first: bytes) -> None:
    async with origin(answering(first, OK, OK)) as server, client() as internet:
        handler = internet.at(server.url)
        response = await handler.fetch(request(method))
        if response.body is not None:
            await response.body.read()
        assert (await handler.fetch(request())).status == 200
        assert (await handler.fetch(request())).status == 200

        assert server.connections == 1


@pytest.mark.parametrize(
    "first",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
        OK + b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
        OK + b"x",
        b"HTTP/1.1 200 OK\r\nKeep-Alive: timeout=1\r\nContent-Length: 2\r\n\r\nok",
    ],
)
async def test_a_connection_in_doubt_is_not_used_again(first: bytes) -> None:
    async with origin(answering(first, OK)) as server, client() as internet:
        handler = internet.at(server.url)
        assert await read((await handler.fetch(request())).body) == b"ok"

        assert await read((await handler.fetch(request())).body) == b"ok"
        assert server.connections == 2


async def test_a_connection_that_died_idle_is_replaced_without_the_client_noticing() -> None:
    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await head(reader)
        if server.connections == 2:
            assert await reader.readexactly(5) == b"again"
        writer.write(OK)
        await head(reader)  # the second request comes, and the connection ends without an answer

    async with origin(play) as server, client() as internet:
        handler = internet.at(server.url)
        await handler.fetch(request())
        response = await handler.fetch(request("PUT", b"again"))

        assert (response.status, server.connections) == (200, 2)


@pytest.mark.parametrize(("method", "body"), [("POST", b"x"), ("PUT", "stream"), ("PATCH", None)])
async def test_what_may_have_been_done_already_is_not_sent_twice(method: str, body: bytes | str | None) -> None:
    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await head(reader)
        writer.write(OK)
        await head(reader)

    async with origin(play) as server, client() as internet:
        handler = internet.at(server.url)
        await handler.fetch(request())
        content = Body(pieces(b"x")) if isinstance(body, str) else None if body is None else Body(body)
        with pytest.raises(OriginError, match="closed the connection without an answer"):
            await handler.fetch(request(method, content))

        assert server.connections == 1


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (b"SSH-2.0-OpenSSH_9.6\r\n", "not HTTP/1.1"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na", "not HTTP/1.1"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "not HTTP/1.1"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "other than chunked"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nx", "other than chunked"),
        (b"HTTP/1.1 200 OK\r\nX-A: b\0c\r\n\r\n", "not HTTP/1.1"),
        (b"HTTP/1.1 200 OK\r\nX-A : b\r\n\r\n", "not HTTP/1.1"),
        (b"HTTP/1.1 200 OK\r\nX-A: b\r\n folded\r\n\r\n", "not HTTP/1.1"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 200_000 + b"\r\n\r\n", "more than 131072 bytes"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 50_000 + b"\r\n", "more than 131072 bytes"),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", "switched protocols"),
        (b"HTTP/1.1 200 OK\r\nContent-Le", "in the middle of its headers"),
        (b"", "without an answer"),
    ],
)
async def test_an_answer_that_is_not_http_is_a_520(answer: bytes, text: str) -> None:
    async with origin(answering(answer)) as server, client() as internet:
        with pytest.raises(OriginError, match=text) as caught:
            await internet.at(server.url).fetch(request())

    assert caught.value.status == 520
    assert f"127.0.0.1:{server.port}" in str(caught.value)


@pytest.mark.parametrize("answer", [b"Content-Length: 9\r\n\r\nabc", b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"])
async def test_a_body_that_ends_early_raises_after_what_came(answer: bytes) -> None:
    async with origin(answering(b"HTTP/1.1 200 OK\r\n" + answer)) as server, client() as internet:
        response = await internet.at(server.url).fetch(request())
        assert response.body is not None

        stream = response.body.stream()
        assert await anext(stream) == b"abc"
        with pytest.raises(OriginError, match="in the middle of its answer"):
            await anext(stream)


async def test_nobody_listening_is_a_521() -> None:
    async with origin(answering()) as server:
        pass
    async with client() as internet:
        with pytest.raises(OriginError, match=r"refused the connection; is the server running") as caught:
            await internet.at(server.url).fetch(request())

    assert caught.value.status == 521


async def test_a_name_that_does_not_resolve_is_a_530_with_code_1016() -> None:
    async with client() as internet:
        with pytest.raises(OriginError, match=r"nowhere\.invalid:80: the name cannot be resolved") as caught:
            await internet.internet.fetch(Request("GET", URL.parse("http://nowhere.invalid/")))

    assert (caught.value.status, caught.value.code) == (530, 1016)


async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await head(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
    await reader.read()


@pytest.mark.parametrize("play", [silence, half])
async def test_an_origin_that_says_nothing_more_is_a_524(play: Play) -> None:
    async with origin(play) as server, client(Outbound(response_timeout_seconds=0.05)) as internet:
        with pytest.raises(OriginError, match=r"did not answer within 0\.05 seconds") as caught:
            await read((await internet.at(server.url).fetch(request())).body)

    assert caught.value.status == 524


async def test_a_tls_origin_that_speaks_plain_http_is_a_525() -> None:
    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(OK)
        await reader.read()

    async with origin(play) as server, client() as internet:
        with pytest.raises(OriginError, match="TLS handshake failed") as caught:
            await internet.at(server.url.replace("http", "https")).fetch(request())

    assert caught.value.status == 525


@pytest.mark.parametrize("base", ["ftp://a/", "127.0.0.1:3000", "", "http://", "http://a.example/path"])
async def test_a_base_that_is_no_server_is_a_configuration_error(base: str) -> None:
    async with client() as internet:
        with pytest.raises(ConfigError, match=r"^origin "):
            internet.at(base)


MEGABYTES = 32 * 1024 * 1024


async def test_an_origin_waits_for_a_slow_reader() -> None:
    sent = 0

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await head(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % MEGABYTES)
        for _ in range(MEGABYTES // 65536):
            writer.write(bytes(65536))
            await writer.drain()
            sent += 65536
        await head(reader)
        writer.write(OK)

    async with origin(play) as server, client() as internet, asyncio.timeout(PATIENCE_SECONDS):
        handler = internet.at(server.url)
        response = await handler.fetch(request())
        for _ in range(1000):
            await asyncio.sleep(0)
        assert sent < MEGABYTES

        assert len(await read(response.body)) == MEGABYTES
        assert (await handler.fetch(request())).status == 200
        assert server.connections == 1


async def test_a_sender_waits_for_a_slow_origin_and_an_early_answer_comes_through() -> None:
    asked = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal asked
        while True:
            asked += 65536
            yield bytes(65536)

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await head(reader)
        for _ in range(1000):
            await asyncio.sleep(0)
        writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")

    async with origin(play) as server, client() as internet, asyncio.timeout(PATIENCE_SECONDS):
        response = await internet.at(server.url).fetch(request("POST", Body(endless())))

    assert response.status == 413
    assert asked < MEGABYTES


async def test_a_body_that_breaks_while_it_is_sent_cuts_the_request() -> None:
    ended: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def broken() -> AsyncIterator[bytes]:
        yield b"abc"
        raise ZeroDivisionError

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await head(reader)
        try:
            ended.set_result(await reader.read())
        except ConnectionResetError:
            ended.set_result(b"<reset>")

    async with origin(play) as server, client() as internet, asyncio.timeout(PATIENCE_SECONDS):
        with pytest.raises(ZeroDivisionError):
            await internet.at(server.url).fetch(request("POST", Body(broken())))

        assert not (await ended).endswith(b"0\r\n\r\n")


@pytest.mark.parametrize("way", ["close", "drop", "cancel"])
async def test_a_body_left_unread_gives_its_connection_up(way: str) -> None:
    ended = asyncio.Event()

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await head(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
        try:
            await reader.read()
        finally:
            ended.set()

    async with origin(play) as server, client() as internet, asyncio.timeout(PATIENCE_SECONDS):
        response = await internet.at(server.url).fetch(request())
        match way:
            case "close":
                await response.close()
            case "drop":
                del response
                gc.collect()
            case _:
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(0.02):
                        await read(response.body)
        await ended.wait()
