"""Connections to origins: which are used again, and why one cannot be had."""

import asyncio
from dataclasses import replace

import pytest

from edgeworker.errors import OriginError
from edgeworker.messages import URL, Body, Request
from tests.patience import PATIENCE_SECONDS
from tests.server.wires import ALL_ALLOWED, OK, answering, call, client, head, origin, pieces, read


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
        response = await handler.fetch(call(method))
        if response.body is not None:
            await response.body.read()
        assert (await handler.fetch(call())).status == 200
        assert (await handler.fetch(call())).status == 200

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
        assert await read((await handler.fetch(call())).body) == b"ok"

        assert await read((await handler.fetch(call())).body) == b"ok"
        assert server.connections == 2


async def test_no_other_request_goes_over_a_connection_whose_request_had_a_body_without_meaning() -> None:
    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(3):
            received = await head(reader)
            if b"Content-Length: 1" in received:
                await reader.readexactly(1)
            writer.write(OK)

    async with origin(play) as server, client() as internet:
        handler = internet.at(server.url)
        assert await read((await handler.fetch(call("GET", b"x"))).body) == b"ok"
        assert await read((await handler.fetch(call())).body) == b"ok"
        assert await read((await handler.fetch(call())).body) == b"ok"

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
        await handler.fetch(call())
        response = await handler.fetch(call("PUT", b"again"))

        assert (response.status, server.connections) == (200, 2)


@pytest.mark.parametrize(("method", "body"), [("POST", b"x"), ("PUT", "stream"), ("PATCH", None)])
async def test_what_may_have_been_done_already_is_not_sent_twice(method: str, body: bytes | str | None) -> None:
    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await head(reader)
        writer.write(OK)
        await head(reader)

    async with origin(play) as server, client() as internet:
        handler = internet.at(server.url)
        await handler.fetch(call())
        content = Body(pieces(b"x")) if isinstance(body, str) else None if body is None else Body(body)
        with pytest.raises(OriginError, match="closed the connection without an answer"):
            await handler.fetch(call(method, content))

        assert server.connections == 1


async def test_a_port_without_a_listener_is_a_521() -> None:
    async with origin(answering()) as server:
        pass
    async with client() as internet:
        with pytest.raises(OriginError, match=r"refused the connection; is the server running") as caught:
            await internet.at(server.url).fetch(call())

    assert caught.value.status == 521


async def test_a_name_that_does_not_resolve_is_a_530_with_code_1016() -> None:
    async with client() as internet:
        with pytest.raises(OriginError, match=r"nowhere\.invalid:80: the name cannot be resolved") as caught:
            await internet.internet.fetch(Request("GET", URL.parse("http://nowhere.invalid/")))

    assert (caught.value.status, caught.value.code) == (530, 1016)


async def test_a_tls_origin_that_speaks_plain_http_is_a_525() -> None:
    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(OK)
        await reader.read()

    async with origin(play) as server, client() as internet:
        with pytest.raises(OriginError, match="TLS handshake failed") as caught:
            await internet.at(server.url.replace("http", "https")).fetch(call())

    assert caught.value.status == 525


@pytest.mark.parametrize(
    ("scheme", "stops_at", "status", "text"),
    [
        ("http", "name", 530, "the name was not resolved within 120 seconds"),
        (
            "https",
            "handshake",
            525,
            "accepted a connection, but no TLS handshake within 120 seconds; does it speak TLS",
        ),
    ],
)
async def test_a_timeout_says_how_far_it_came(
    monkeypatch: pytest.MonkeyPatch, scheme: str, stops_at: str, status: int, text: str
) -> None:
    loop, has_come = asyncio.get_running_loop(), asyncio.Event()

    async def is_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        has_come.set()
        await reader.read()

    async def find(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        if stops_at == "name":
            has_come.set()
            await asyncio.Event().wait()
        return [(0, 0, 0, "", ("127.0.0.1", port))]

    monkeypatch.setattr(loop, "getaddrinfo", find)
    outbound = replace(ALL_ALLOWED, connect_timeout_seconds=PATIENCE_SECONDS)
    async with origin(is_silent) as server, client(outbound) as internet:
        asked = asyncio.ensure_future(internet.at(f"{scheme}://server.test:{server.port}").fetch(call()))
        await has_come.wait()
        later = loop.time() + 2 * PATIENCE_SECONDS
        monkeypatch.setattr(loop, "time", lambda: later)
        with pytest.raises(OriginError, match=text) as caught:
            await asked

    assert (caught.value.status, caught.value.nothing_sent) == (status, True)


async def test_another_address_is_tried_where_one_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    async def find(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        return [(0, 0, 0, "", (address, port)) for address in ("127.0.0.2", "::1", "127.0.0.1")]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", find)
    async with origin(answering(OK)) as server, client() as internet:
        response = await internet.at(f"http://server.test:{server.port}").fetch(call())

        assert (response.status, server.connections) == (200, 1)
