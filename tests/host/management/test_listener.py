"""When aiohttp is loaded, and how the socket ends."""

import asyncio
import subprocess
import sys

import pytest

from edgeworker.config import Limits, Socket
from edgeworker.errors import SocketError
from edgeworker.host.management import listen_management
from edgeworker.messages import Request, Response
from tests.host.management.test_connection import Echo, ask
from tests.management import listen_api
from tests.patience import PATIENCE_SECONDS


def test_nothing_of_aiohttp_is_loaded_before_the_first_request() -> None:
    """Half a second and 13 MB, for what most runs of `dev` ask little or nothing."""
    program = """
import asyncio, sys
import edgeworker.cli.dev, edgeworker.host.stored_edge, edgeworker.host.serving, wrangler_compat.api
from tests.management_lazily import run
print(asyncio.run(run()))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=True
    )

    assert done.stdout.split() == ["False", "True"]


async def test_connections_that_wait_for_aiohttp_together_are_all_answered() -> None:
    listener = await listen_api(Echo())
    sent = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"

    answers = await asyncio.gather(*(ask(listener.port, sent) for _ in range(10)))
    await listener.close(0)

    assert {answer[:12] for answer in answers} == {b"HTTP/1.1 200"}


async def test_a_call_under_way_is_finished_before_the_socket_is_closed() -> None:
    begun, go = asyncio.Event(), asyncio.Event()

    class Slow:
        async def fetch(self, request: Request, /) -> Response:
            begun.set()
            await go.wait()
            return Response(200, body=b"done")

    listener = await listen_api(Slow())
    answer = asyncio.ensure_future(ask(listener.port, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"))
    idle_reader, idle_writer = await asyncio.open_connection("127.0.0.1", listener.port)
    await begun.wait()
    closing = asyncio.ensure_future(listener.close(30))
    await asyncio.sleep(0.1)
    go.set()
    await closing

    assert (await answer).endswith(b"done")
    assert await idle_reader.read() == b""
    idle_writer.close()
    with pytest.raises(ConnectionError):
        await asyncio.open_connection("127.0.0.1", listener.port)


async def test_a_call_that_does_not_end_is_cut() -> None:
    class Stuck:
        async def fetch(self, request: Request, /) -> Response:
            await asyncio.Event().wait()
            return Response(200)

    listener = await listen_api(Stuck())
    answer = asyncio.ensure_future(ask(listener.port, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"))
    await asyncio.sleep(0.5)
    await listener.close(0)

    assert await answer in (b"", b"(ConnectionResetError)")


async def test_a_port_that_is_in_use_is_told() -> None:
    listener = await listen_api(Echo())

    with pytest.raises(SocketError, match="the port is in use"):
        await listen_api(Echo(), socket=Socket(port=listener.port))
    await listener.close(0)


async def test_an_application_that_cannot_be_made_is_answered_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> "object":
        raise RuntimeError("no application")

    listener = await listen_management(broken, Socket(port=0), limits=Limits())  # type: ignore[arg-type]
    answer = await ask(listener.port, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    await listener.close(0)

    assert answer.startswith(b"HTTP/1.1 503 ")
    assert "no application" in caplog.text
