"""A script's own WebSocket, spoken with by a real client."""

import asyncio
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from edgeworker.clock import SystemClock
from edgeworker.config import Config, Worker
from edgeworker.host.assembly import Assembly
from edgeworker.kv.memory import MemoryStore
from edgeworker.server import Listener
from tests.patience import PATIENCE_SECONDS
from tests.server.wires import exchange, serving

OPENING = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
# What the script heard is in `heard`, which a plain request reads.
SCRIPT = """\
from js import Object, Response as JSResponse, WebSocketPair
from pyodide.ffi import create_proxy
from workers import Response, WorkerEntrypoint

heard = []


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        if request.headers.get("Upgrade") is None:
            return Response.json(heard)
        client, server = WebSocketPair.new().object_values()
        server.accept()

        async def later(event):
            server.send("later " + event.data)

        def on_message(event):
            if event.data == "leave":
                server.close(4003, "as asked")
            elif event.data == "raise":
                raise ValueError("inner detail")
            elif event.data == "later":
                return later(event)
            else:
                server.send(event.data)

        def on_close(event):
            heard.append([event.code, event.reason, event.wasClean])

        server.addEventListener("message", create_proxy(on_message))
        server.addEventListener("close", create_proxy(on_close))
        server.send("welcome")
        if request.url.endswith("/js"):
            return JSResponse.new(None, status=101, webSocket=client)
        if request.url.endswith("/spelled"):
            return JSResponse.new(None, status=101, web_socket=client)
        return Response(None, status=101, web_socket=client, headers={"x-kept": "yes"})
"""


@asynccontextmanager
async def _edge(folder: Path) -> AsyncIterator[Listener]:
    main = folder / "worker.py"
    main.write_text(SCRIPT)
    config = Config(workers=(Worker("w", main),), default_worker="w")
    async with asyncio.timeout(PATIENCE_SECONDS):
        assembly = await Assembly.open(config, store=MemoryStore(), clock=SystemClock())
        try:
            async with serving(assembly) as (listener, _):
                yield listener
        finally:
            await assembly.close()


@asynccontextmanager
async def _client(listener: Listener, path: str = "/") -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(listener.url + path, max_msg_size=0) as socket,
    ):
        assert await socket.receive_str() == "welcome"
        yield socket


@asynccontextmanager
async def _connected(listener: Listener) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection that writes its own frames. It ends with the test, however that ends."""
    reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def _heard(listener: Listener) -> object:
    async with aiohttp.ClientSession() as session:
        while True:
            async with session.get(listener.url) as answer:
                heard: object = await answer.json()
            if heard:
                return heard


@pytest.mark.parametrize("path", ["/", "/js", "/spelled"])
async def test_a_script_sends_text_and_bytes_back(tmp_path: Path, path: str) -> None:
    big = bytes(range(256)) * 8 * 1024  # 2 MiB
    async with _edge(tmp_path) as listener, _client(listener, path) as socket:
        await socket.send_str("grüße")
        await socket.send_bytes(b"\x00\xff")
        await socket.send_bytes(big)
        await socket.send_str("later")

        assert await socket.receive_str() == "grüße"
        assert await socket.receive_bytes() == b"\x00\xff"
        assert await socket.receive_bytes() == big
        assert await socket.receive_str() == "later later"


async def test_the_scripts_headers_are_sent_and_no_others_of_the_library(tmp_path: Path) -> None:
    request = (
        b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        b"\x88\x80\x00\x00\x00\x00"  # an empty close frame, masked
    )

    async with _edge(tmp_path) as listener:
        answer = await exchange(listener.port, request)

    head = answer.partition(b"\r\n\r\n")[0].lower()
    assert head.startswith(b"http/1.1 101 ")
    assert b"x-kept: yes" in head
    assert b"sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=" in head  # RFC 6455, section 1.3
    assert b"server:" not in head


async def test_the_scripts_close_reaches_the_client(tmp_path: Path) -> None:
    async with _edge(tmp_path) as listener, _client(listener) as socket:
        await socket.send_str("leave")
        message = await socket.receive()

        assert (message.type, message.data, message.extra) == (aiohttp.WSMsgType.CLOSE, 4003, "as asked")


async def test_the_clients_close_reaches_the_script(tmp_path: Path) -> None:
    async with _edge(tmp_path) as listener:
        async with _client(listener) as socket:
            await socket.close(code=4001, message=b"enough")

            assert socket.close_code == 4001
        assert await _heard(listener) == [[4001, "enough", True]]


async def test_a_client_that_vanishes_is_a_close_without_a_code(tmp_path: Path) -> None:
    async with _edge(tmp_path) as listener:
        async with _client(listener) as socket:
            assert socket._conn is not None
            assert socket._conn.transport is not None
            socket._conn.transport.abort()
        assert await _heard(listener) == [[1006, "", False]]


async def test_a_listener_that_raises_is_logged_and_the_socket_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with _edge(tmp_path) as listener, _client(listener) as socket:
        await socket.send_str("raise")
        await socket.send_str("still here")

        assert await socket.receive_str() == "still here"
    assert "inner detail" in caplog.text


async def test_a_client_that_asks_wrongly_is_told_so(tmp_path: Path) -> None:
    request = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"

    async with _edge(tmp_path) as listener:
        answer = await exchange(listener.port, request)

    assert answer.startswith(b"HTTP/1.1 426 ")
    assert b"version 13" in answer


async def test_a_listener_that_closes_does_not_wait_for_scripts(tmp_path: Path) -> None:
    async with _edge(tmp_path) as listener, _client(listener) as socket:
        await listener.close(PATIENCE_SECONDS * 2)

        assert (await socket.receive()).type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)


async def test_small_fragments_take_no_more_memory_than_their_message(tmp_path: Path) -> None:
    count = 50_000
    unmasked = bytes(4)
    async with _edge(tmp_path) as listener, _connected(listener) as (reader, writer):
        writer.write(OPENING + b"\x02\x82" + unmasked + b"ab")
        await reader.readuntil(b"welcome")
        tracemalloc.start()
        try:
            writer.write((b"\x00\x82" + unmasked + b"ab") * count + b"\x89\x81" + unmasked + b"p")
            assert await reader.readexactly(3) == b"\x8a\x01p"
            kept, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        writer.write(b"\x80\x80" + unmasked)
        assert (await reader.readexactly(4))[:2] == b"\x82\x7f"
        assert int.from_bytes(await reader.readexactly(6)) == 2 * (count + 1)

    assert kept < 10 * 2 * count


async def test_a_client_that_still_sends_hears_why_its_websocket_ends(tmp_path: Path) -> None:
    unmasked = bytes(4)
    async with _edge(tmp_path) as listener, _connected(listener) as (reader, writer):
        writer.write(OPENING)
        await reader.readuntil(b"welcome")
        writer.write(b"\x83\x80" + unmasked + bytes(4_000_000))  # an opcode that there is not
        received = await reader.read()

    assert received.startswith(b"\x88\x10\x03\xea")  # 1002
