"""WebSockets through the edge: a real client, a real origin, and a worker that passes the request on."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from edgeworker.clock import SystemClock
from edgeworker.config import Config, Route, Worker
from edgeworker.errors import OriginError
from edgeworker.host.assembly import Assembly
from edgeworker.kv.memory import MemoryStore
from edgeworker.messages import Headers
from edgeworker.server import Listener
from tests.patience import PATIENCE_SECONDS
from tests.server.wires import answering, call, client, exchange, origin, serving

PASSES = "from workers import WorkerEntrypoint, fetch\n\n\nclass Default(WorkerEntrypoint):\n"
WORKER = (
    PASSES + "    async def fetch(self, request):\n"
    "        if request.headers.get('Authorization') != 'Bearer good':\n"
    "            from workers import Response\n"
    "            return Response('no', status=401)\n"
    "        assert request.headers.get('Upgrade') == 'websocket'\n"
    "        return await fetch(request)\n"
)
GOOD = {"Authorization": "Bearer good"}

Talk = Callable[[web.WebSocketResponse], Awaitable[None]]


@dataclass
class Server:
    """An origin whose WebSockets are handled by `talk`. `codes` are those with which its clients closed."""

    talk: Talk
    port: int = 0
    requests: list[web.Request] = field(default_factory=list)
    codes: list[int | None] = field(default_factory=list)
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        socket = web.WebSocketResponse(protocols=["chat"], max_msg_size=0)
        await socket.prepare(request)
        try:
            await self.talk(socket)
        finally:
            self.codes.append(socket.close_code)
            self.over.set()
        return socket


async def echo(socket: web.WebSocketResponse) -> None:
    async for message in socket:
        if message.type is aiohttp.WSMsgType.TEXT:
            await socket.send_str(message.data)
        else:
            await socket.send_bytes(message.data)


@asynccontextmanager
async def _origin(talk: Talk) -> AsyncIterator[Server]:
    server = Server(talk)
    application = web.Application()
    application.router.add_get("/{path:.*}", server.handle)
    runner = web.AppRunner(application, shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.port = runner.addresses[0][1]
    try:
        yield server
    finally:
        await runner.cleanup()


@asynccontextmanager
async def _edge(folder: Path, talk: Talk = echo) -> AsyncIterator[tuple[Listener, Server]]:
    """A listener with a worker on /w/ and the origin behind everything else."""
    main = folder / "worker.py"
    main.write_text(WORKER)
    async with asyncio.timeout(PATIENCE_SECONDS), _origin(talk) as server:
        config = Config(
            workers=(Worker("w", main),), routes=(Route("*/w/*", "w"),), origin=f"http://127.0.0.1:{server.port}"
        )
        assembly = await Assembly.open(config, store=MemoryStore(), clock=SystemClock())
        try:
            async with serving(assembly) as (listener, _):
                yield listener, server
        finally:
            await assembly.close()


@asynccontextmanager
async def _client(listener: Listener, path: str = "/w/chat") -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{listener.url}{path}", headers=GOOD, protocols=["chat"], max_msg_size=0) as socket,
    ):
        yield socket


@pytest.mark.parametrize("path", ["/w/chat", "/chat"], ids=["through a worker", "without a worker"])
async def test_text_bytes_and_a_big_message_come_back(tmp_path: Path, path: str) -> None:
    big = bytes(range(256)) * 16 * 1024  # 4 MiB
    async with _edge(tmp_path) as (listener, server), _client(listener, path) as socket:
        await socket.send_str("grüße")
        await socket.send_bytes(b"\x00\xff")
        await socket.send_bytes(big)

        assert await socket.receive_str() == "grüße"
        assert await socket.receive_bytes() == b"\x00\xff"
        assert await socket.receive_bytes() == big
        assert socket.protocol == "chat"

    (request,) = server.requests
    assert request.headers["Host"] == f"127.0.0.1:{listener.port}"
    assert request.headers["Upgrade"] == "websocket"
    assert request.headers.get("CF-Worker") == ("127.0.0.1" if path.startswith("/w/") else None)


async def test_what_the_origin_says_before_it_is_asked_arrives(tmp_path: Path) -> None:
    async def greet(socket: web.WebSocketResponse) -> None:
        await socket.send_str("welcome")
        await echo(socket)

    async with _edge(tmp_path, greet) as (listener, _), _client(listener) as socket:
        assert await socket.receive_str() == "welcome"


async def test_the_clients_close_code_reaches_the_origin(tmp_path: Path) -> None:
    async with _edge(tmp_path) as (listener, server), _client(listener) as socket:
        await socket.close(code=4001, message=b"enough")
        await server.over.wait()

    assert server.codes == [4001]


async def test_the_origins_close_code_reaches_the_client(tmp_path: Path) -> None:
    async def leave(socket: web.WebSocketResponse) -> None:
        await socket.close(code=4002, message=b"closing time")

    async with _edge(tmp_path, leave) as (listener, _), _client(listener) as socket:
        message = await socket.receive()

        assert (message.type, message.data, message.extra) == (aiohttp.WSMsgType.CLOSE, 4002, "closing time")


async def test_a_client_that_vanishes_is_noticed_by_the_origin(tmp_path: Path) -> None:
    async with _edge(tmp_path) as (listener, server), _client(listener) as socket:
        await socket.send_str("hello")
        await socket.receive_str()
        assert socket._conn is not None
        assert socket._conn.transport is not None
        socket._conn.transport.abort()
        await server.over.wait()

    assert server.codes == [1006]


async def test_an_origin_that_vanishes_is_noticed_by_the_client(tmp_path: Path) -> None:
    async def vanish(socket: web.WebSocketResponse) -> None:
        transport = socket._req.transport if socket._req is not None else None
        assert transport is not None
        transport.abort()

    async with _edge(tmp_path, vanish) as (listener, _), _client(listener) as socket:
        message = await socket.receive()

        assert message.type is aiohttp.WSMsgType.CLOSED
        assert socket.close_code == 1006


async def test_without_a_token_there_is_no_101(tmp_path: Path) -> None:
    async with _edge(tmp_path) as (listener, server), aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await session.ws_connect(f"{listener.url}/w/chat")

    assert refused.value.status == 401
    assert server.requests == []


async def test_a_refused_upgrade_leaves_the_connection_usable(tmp_path: Path) -> None:
    upgrade = b"GET /w/x HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    plain = b"GET /w/y HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n"

    async with _edge(tmp_path) as (listener, _):
        answers = await exchange(listener.port, upgrade + plain)

    assert answers.count(b"HTTP/1.1 401 ") == 2


async def test_a_listener_that_closes_does_not_wait_for_websockets(tmp_path: Path) -> None:
    async with _edge(tmp_path) as (listener, _), _client(listener) as socket:
        await socket.send_str("hello")
        await socket.receive_str()

        await listener.close(PATIENCE_SECONDS * 2)

        assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSED


async def test_a_reader_that_does_not_read_slows_its_sender(tmp_path: Path) -> None:
    sent = 0

    async def flood(socket: web.WebSocketResponse) -> None:
        nonlocal sent
        for _ in range(2000):
            await socket.send_bytes(bytes(64 * 1024))
            sent += 1

    async with _edge(tmp_path, flood) as (listener, server):
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port, limit=64 * 1024)
        writer.write(
            b"GET /flood HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        head = await reader.readuntil(b"\r\n\r\n")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):  # in which all of it would have gone through
                await server.over.wait()
        stuck = sent
        writer.transport.abort()
        await server.over.wait()

    assert head.startswith(b"HTTP/1.1 101 ")
    assert stuck < 1000


async def test_an_origin_that_answers_101_without_an_upgrade_is_a_bad_origin() -> None:
    answer = answering(b"HTTP/1.1 101 Switching Protocols\r\nContent-Length: 0\r\n\r\n")

    async with origin(answer) as scripted, client() as internet:
        with pytest.raises(OriginError) as raised:
            await internet.at(scripted.url).fetch(call(headers=Headers({"upgrade": "websocket"})))

    assert raised.value.status == 520
