"""Our own calls, to servers of a test on real sockets."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from edgeworker.clock import SystemClock
from edgeworker.config import Limits, Socket
from edgeworker.errors import ConfigError, OriginError
from edgeworker.host.http_client import HttpClient
from edgeworker.messages import URL, Body, Headers, Request, Response
from edgeworker.server import Listener, listen
from tests.server.wires import origin


class Seen:
    """Answers what it received, and redirects away from /there."""

    def __init__(self) -> None:
        self.requests: list[Request] = []

    async def fetch(self, request: Request, /) -> Response:
        self.requests.append(request)
        if request.url.path == "/there":
            return Response(302, Headers({"location": "/here", "set-cookie": "a=b"}))
        body = b"" if request.body is None else await request.body.read()
        return Response(200, Headers({"content-encoding": "gzip"}), b"%d" % len(body))


@pytest.fixture
async def server() -> AsyncIterator[Listener]:
    listener = await listen(Seen(), Socket(port=0), limits=Limits(), clock=SystemClock())
    yield listener
    await listener.close(0)


def seen(server: Listener) -> list[Request]:
    assert isinstance(server.handler, Seen)
    return server.handler.requests


async def test_target_and_fields_go_as_they_are_and_nothing_is_added(server: Listener) -> None:
    target = "/a//b/../c%2F?d=+&e"
    request = Request("PUT", URL.parse(server.url), Headers({"x-a": "1"}), Body(b"abc"), raw_target=target)

    async with HttpClient({}) as client:
        answer = await client.fetch(request)
        content = b"" if answer.body is None else await answer.body.read()

    received = seen(server)[0]
    assert (received.raw_target, content) == (target, b"3")
    assert sorted(name for name, _ in received.headers.raw) == [b"Content-Length", b"Host", b"x-a"]


async def test_a_streamed_body_is_streamed(server: Listener) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"x" * 100_000

    async with HttpClient({}) as client:
        answer = await client.fetch(Request("POST", URL.parse(server.url), Headers(), Body(pieces())))
        assert answer.body is not None
        assert await answer.body.read() == b"300000"

    assert seen(server)[0].headers.get("transfer-encoding") == "chunked"


async def test_redirects_are_not_followed_and_cookies_not_kept(server: Listener) -> None:
    async with HttpClient({}) as client:
        first = await client.fetch(Request("GET", URL.parse(f"{server.url}/there")))
        await first.close()
        await (await client.fetch(Request("GET", URL.parse(server.url)))).close()

    assert (first.status, first.headers.get("location")) == (302, "/here")
    assert [request.headers.get("cookie") for request in seen(server)] == [None, None]


async def test_names_below_localhost_are_this_machine(server: Listener) -> None:
    async with HttpClient({}) as client:
        answer = await client.fetch(Request("GET", URL.parse(f"http://api.localhost:{server.port}/")))
        await answer.close()

    assert seen(server)[0].url.hostname == "api.localhost"


async def test_the_proxy_of_the_environment_is_asked_but_not_for_this_machine(server: Listener) -> None:
    environ = {"HTTP_PROXY": f"http://user:pass@127.0.0.1:{server.port}"}

    async with HttpClient(environ) as client:
        await (await client.fetch(Request("GET", URL.parse("http://api.example/x")))).close()
        with pytest.raises(OriginError):
            await client.fetch(Request("GET", URL.parse("http://127.0.0.1:9/x")))

    assert seen(server)[0].url.hostname == "api.example"
    with pytest.raises(ConfigError, match="HTTP_PROXY must be the URL of a proxy"):
        HttpClient({"HTTP_PROXY": "socks5://127.0.0.1:1"})


async def test_a_server_that_is_not_there_or_speaks_something_else_is_told() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example ESMTP\r\n")
        await writer.drain()
        writer.close()

    mail = await asyncio.start_server(talk, "127.0.0.1", 0)
    port = mail.sockets[0].getsockname()[1]
    async with HttpClient({}) as client:
        with pytest.raises(OriginError, match=r"http://127\.0\.0\.1:9: Connection refused"):
            await client.fetch(Request("GET", URL.parse("http://127.0.0.1:9/")))
        with pytest.raises(OriginError, match=f"http://127.0.0.1:{port}: "):
            await client.fetch(Request("GET", URL.parse(f"http://127.0.0.1:{port}/")))
        with pytest.raises(OriginError, match=r"TLS failed \(.+\); a server that speaks http is asked with http://"):
            await client.fetch(Request("GET", URL.parse(f"https://127.0.0.1:{port}/")))
        with pytest.raises(OriginError, match=r"http://absent\.invalid: the name cannot be resolved"):
            await client.fetch(Request("GET", URL.parse("http://absent.invalid/")))
    mail.close()


async def test_a_server_that_says_nothing_is_left_after_the_time_that_it_has() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with origin(silent) as server, HttpClient({}, read_seconds=0.05) as client:
        with pytest.raises(OriginError, match=r"no answer in time \(10 s to connect, 0\.05 s to answer\)"):
            await client.fetch(Request("GET", URL.parse(server.url)))
