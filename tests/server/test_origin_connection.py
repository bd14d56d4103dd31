"""One connection to an origin: answers that are not HTTP, silence, back-pressure, giving up."""

import asyncio
import gc
from collections.abc import AsyncIterator

import pytest

from edgeworker.config import Outbound
from edgeworker.errors import OriginError
from edgeworker.messages import Body
from tests.patience import PATIENCE_SECONDS
from tests.server.wires import OK, Play, answering, call, client, head, origin, read


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
            await internet.at(server.url).fetch(call())

    assert caught.value.status == 520
    assert f"127.0.0.1:{server.port}" in str(caught.value)


@pytest.mark.parametrize("answer", [b"Content-Length: 9\r\n\r\nabc", b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"])
async def test_a_body_that_ends_early_raises_after_what_came(answer: bytes) -> None:
    async with origin(answering(b"HTTP/1.1 200 OK\r\n" + answer)) as server, client() as internet:
        response = await internet.at(server.url).fetch(call())
        assert response.body is not None

        stream = response.body.stream()
        assert await anext(stream) == b"abc"
        with pytest.raises(OriginError, match="in the middle of its answer"):
            await anext(stream)


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
            await read((await internet.at(server.url).fetch(call())).body)

    assert caught.value.status == 524


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
        response = await handler.fetch(call())
        for _ in range(1000):
            await asyncio.sleep(0)
        assert sent < MEGABYTES

        assert len(await read(response.body)) == MEGABYTES
        assert (await handler.fetch(call())).status == 200
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
        response = await internet.at(server.url).fetch(call("POST", Body(endless())))

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
            await internet.at(server.url).fetch(call("POST", Body(broken())))

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
        response = await internet.at(server.url).fetch(call())
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
