"""What is mounted on the API socket: health, WebSockets and event streams beside the REST API."""

import asyncio
import json

import aiohttp
import pytest
from aiohttp import web

from edgeworker.config import Limits, Socket
from edgeworker.handler import Handler
from edgeworker.host.management import application, listen_management
from edgeworker.host.management.running import STOPPING
from tests.host.management.test_connection import Echo, ask


async def test_health_needs_no_token_and_tells_nothing_else() -> None:
    listener = await listen_management(
        lambda: application.management_application(Echo(), Limits()), Socket(port=0), limits=Limits()
    )
    async with aiohttp.ClientSession() as session, session.get(f"{listener.url}/health") as answer:
        said, names = await answer.read(), set(answer.headers)
    await listener.close(0)

    assert (answer.status, json.loads(said)) == (200, {"status": "ok"})
    assert "Server" not in names


async def test_options_of_the_server_itself_are_answered() -> None:
    listener = await listen_management(
        lambda: application.management_application(Echo(), Limits()), Socket(port=0), limits=Limits()
    )
    answer = await ask(listener.port, b"OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    await listener.close(0)

    assert answer.startswith(b"HTTP/1.1 204 ")
    assert b"Allow: GET, HEAD" in answer


async def test_pages_websockets_and_event_streams_are_mounted_before_the_rest_api(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def talk(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            await socket.send_str(f"echo {message.data}")
        return socket

    async def stream(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b"data: 1\n\n")
        await request.app[STOPPING].wait()
        await response.write(b"data: end\n\n")
        return response

    def mount(app: web.Application, api: Handler) -> None:
        app.router.add_get("/talk", talk)
        app.router.add_get("/events", stream)

    monkeypatch.setattr(application, "MOUNTS", (mount, *application.MOUNTS))
    listener = await listen_management(
        lambda: application.management_application(Echo(), Limits()), Socket(port=0), limits=Limits()
    )
    async with aiohttp.ClientSession() as session:
        async with session.ws_connect(f"{listener.url}/talk") as socket:
            for word in ("a", "b" * 100_000):
                await socket.send_str(word)
                assert (await socket.receive_str()) == f"echo {word}"
        async with session.get(f"{listener.url}/events") as events:
            assert await events.content.readuntil(b"\n\n") == b"data: 1\n\n"
            closing = asyncio.ensure_future(listener.close(30))
            assert await events.content.read() == b"data: end\n\n"
            await closing
