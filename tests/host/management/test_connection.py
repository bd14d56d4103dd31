"""The management plane on the wire, with the bytes of careless and hostile clients. Patience is in `ask`."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from edgeworker.config import Limits, Socket
from edgeworker.messages import Body, Headers, Request, Response
from tests.management import listen_api
from tests.patience import PATIENCE_SECONDS

QUICK = Limits(
    header_timeout_seconds=0.3, keepalive_timeout_seconds=0.6, body_grace_seconds=0.3, write_timeout_seconds=0.5
)


class Echo:
    """Answers what it received. Paths: /unread answers before the body is read, /large has 8 MiB, /fail breaks off."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    async def fetch(self, request: Request, /) -> Response:
        self.seen.append(f"{request.method} {request.raw_target}")
        if request.url.path == "/large":
            return Response(200, Headers(), Body(_pieces(128), length=128 * 65536))
        if request.url.path == "/fail":
            return Response(200, Headers(), Body(_pieces(1), length=10**6))
        body = b"" if request.body is None or request.url.path == "/unread" else await request.body.read()
        text = f"{request.method} {request.raw_target} {request.client.ip} {len(body)} {body[:40]!r}"
        return Response(200, Headers({"content-type": "text/plain"}), text.encode())


async def _pieces(count: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield b"x" * 65536


async def ask(port: int, *parts: bytes | float, half_close: bool = False) -> bytes:
    """Sends each part, waiting where a number stands; everything that came until the server closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            for part in parts:
                if isinstance(part, float):
                    await asyncio.sleep(part)
                    continue
                writer.write(part)
                await writer.drain()
            if half_close:
                writer.write_eof()
            return await reader.read()
    except ConnectionError as error:
        return f"({type(error).__name__})".encode()
    finally:
        writer.close()


@pytest.fixture
def api() -> Echo:
    return Echo()


@pytest.fixture
async def port(api: Echo) -> AsyncIterator[int]:
    listener = await listen_api(api)
    yield listener.port
    await listener.close(0)


@pytest.fixture
async def quick_port(api: Echo) -> AsyncIterator[int]:
    listener = await listen_api(api, QUICK)
    yield listener.port
    await listener.close(0)


CLOSE = b"Host: a\r\nConnection: close\r\n"


@pytest.mark.parametrize(
    "target", ["/a%2Fb", "/a/../b", "/a//b", "/%2e%2e/x", "/a?b=%2F&c", "/%00%0A%0D", "/a;b", "/%FF", "/a#b", "/{x}"]
)
async def test_the_target_arrives_as_it_was_sent(port: int, target: str) -> None:
    answer = await ask(port, f"GET {target} HTTP/1.1\r\n".encode() + CLOSE + b"\r\n")

    assert answer.startswith(b"HTTP/1.1 200 ")
    assert f"GET {target} 127.0.0.1".encode() in answer


REFUSED = {
    "not HTTP": (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400),
    "no host": (b"GET / HTTP/1.1\r\n\r\n", 400),
    "two hosts": (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
    "two lengths": (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx", 400),
    "length and chunks": (
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
    ),
    "another coding": (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
    "chunks in HTTP/1.0": (b"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "a folded field": (b"GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n", 400),
    "a space before the colon": (b"GET / HTTP/1.1\r\nHost: a\r\nX : a\r\n\r\n", 400),
    "a bare LF": (b"GET / HTTP/1.1\nHost: a\n\n", 400),
    "a NUL": (b"GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n", 400),
    "another server": (b"GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n", 421),
    "CONNECT": (b"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", 405),
    "an unknown expectation": (b"GET / HTTP/1.1\r\nHost: a\r\nExpect: magic\r\n\r\n", 417),
    "a long target": (b"GET /" + b"x" * 20000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
    "a large field": (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 20000 + b"\r\n\r\n", 431),
    "many fields": (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 200 + b"\r\n", 431),
    "fields without an end": (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: yyyyyyyyyyyyyyyy\r\n" * 20000, 431),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_what_the_edges_sockets_refuse_is_refused_here_and_nothing_after_it_is_read(
    port: int, api: Echo, name: str
) -> None:
    sent, status = REFUSED[name]

    answer = await ask(port, sent, b"GET /smuggled HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", half_close=True)

    assert answer.startswith(f"HTTP/1.1 {status} ".encode()) or answer == b"(ConnectionResetError)"
    assert (b"\r\nAllow: GET, HEAD, " in answer) is answer.startswith(b"HTTP/1.1 405 ")
    assert api.seen == []


async def test_a_body_in_bad_chunks_is_refused_and_ends_the_connection(port: int, api: Echo) -> None:
    head = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"

    whole = await ask(port, head + b"zz\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n")
    later = await ask(port, head + b"5\r\nhello\r\n", 0.1, b"-1\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n")

    assert whole.startswith(b"HTTP/1.1 400 ")
    assert later.startswith(b"HTTP/1.1 400 ")
    assert b"/smuggled" not in "".join(api.seen).encode()


async def test_the_body_of_a_request_that_asks_for_an_upgrade_is_not_a_request(port: int, api: Echo) -> None:
    hidden = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
    sent = b"POST /first HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nContent-Length: %d\r\n\r\n"

    answer = await ask(port, sent % len(hidden) + hidden, half_close=True)

    assert api.seen == ["POST /first"]
    assert answer.startswith(b"HTTP/1.1 200 ")


async def test_an_upgrade_that_is_not_granted_ends_the_connection(port: int, api: Echo) -> None:
    sent = (
        b"GET /a HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
    )

    answer = await ask(port, sent)

    assert answer.startswith(b"HTTP/1.1 200 ")
    assert api.seen == ["GET /a"]


@pytest.mark.parametrize("half_of_another", [b"", b"GET /half HTTP/1.1\r\nHo"])
async def test_what_was_pipelined_before_the_client_closed_its_side_is_answered(
    port: int, half_of_another: bytes
) -> None:
    sent = b"".join(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % number for number in range(3))

    answer = await ask(port, sent + half_of_another, half_close=True)

    assert [answer.count(b"GET /%d " % number) for number in range(3)] == [1, 1, 1]
    # In Python 3.12 and newer all are answered before the end is seen, so the last may say nothing of it.
    assert b"Connection: close" not in answer[: answer.index(b"GET /1 ")]


async def test_pipelined_requests_are_answered_in_their_order(port: int) -> None:
    first = [f"PUT /{n} HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n{n:03}".encode() for n in range(200)]

    answer = await ask(port, b"".join(first), b"GET /last HTTP/1.1\r\n" + CLOSE + b"\r\n")

    assert [line.split()[1] for line in answer.splitlines() if line.startswith((b"PUT", b"GET"))] == [
        *(f"/{n}".encode() for n in range(200)),
        b"/last",
    ]


@pytest.mark.parametrize("cut", range(1, 100, 7))
async def test_a_request_may_come_in_pieces(port: int, cut: int) -> None:
    sent = (
        b"PUT /x HTTP/1.1\r\n"
        + CLOSE
        + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: u\r\n\r\n"
    )

    answer = await ask(port, sent[:cut], 0.01, sent[cut:])

    assert answer.endswith(b"PUT /x 127.0.0.1 5 b'abcde'")


async def test_a_client_that_sends_no_more_is_answered(port: int) -> None:
    assert (await ask(port, b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n", half_close=True)).startswith(b"HTTP/1.1 200 ")


async def test_100_continue_is_said_when_the_body_is_wanted_and_not_before(port: int) -> None:
    head = b"PUT %b HTTP/1.1\r\n" + CLOSE + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n"

    unread = await ask(port, head % b"/unread")
    read = await ask(port, head % b"/x", 0.2, b"ab")

    assert unread.startswith(b"HTTP/1.1 200 ")
    assert read.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 ")


async def test_slow_clients_are_not_waited_for(quick_port: int) -> None:
    slow_head = await ask(quick_port, b"GET / HTTP/1.1\r\nHo")
    dribbled = await ask(quick_port, b"G", 0.2, b"E", 0.2, b"T", 0.2, b" ")
    slow_body = await ask(quick_port, b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nab")
    idle = await ask(quick_port)

    assert slow_head.startswith(b"HTTP/1.1 408 ")
    assert dribbled.startswith((b"HTTP/1.1 408 ", b"(Conn"))
    assert slow_body.startswith(b"HTTP/1.1 408 ")
    assert idle == b""


async def test_a_client_that_takes_no_answer_is_cut(quick_port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", quick_port, limit=1024)
    writer.write(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
    await reader.readexactly(100)

    async with asyncio.timeout(PATIENCE_SECONDS):
        await asyncio.sleep(1.5)
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await reader.readexactly(128 * 65536)
    writer.close()


async def test_an_answer_that_breaks_off_is_not_taken_for_a_whole_one(port: int) -> None:
    answer = await ask(port, b"GET /fail HTTP/1.1\r\nHost: a\r\n\r\n")

    assert len(answer.partition(b"\r\n\r\n")[2]) < 10**6


async def test_an_address_has_only_so_many_connections(api: Echo) -> None:
    listener = await listen_api(api, replace(Limits(), connections_per_address=2))
    held = [await asyncio.open_connection("127.0.0.1", listener.port) for _ in range(2)]

    third = await ask(listener.port)
    for _, writer in held:
        writer.close()
        await writer.wait_closed()
    await asyncio.sleep(0.1)
    freed = await ask(listener.port, b"GET / HTTP/1.1\r\n" + CLOSE + b"\r\n")
    await listener.close(0)

    assert third.startswith(b"HTTP/1.1 429 ")
    assert freed.startswith(b"HTTP/1.1 200 ")


async def test_trusted_proxies_tell_who_the_client_is(api: Echo) -> None:
    listener = await listen_api(api, socket=Socket(port=0, trusted_proxies=("127.0.0.0/8",)))
    announced = await listen_api(api, socket=Socket(port=0, trusted_proxies=("127.0.0.0/8",), proxy_protocol=True))

    forwarded = await ask(listener.port, b"GET / HTTP/1.1\r\nX-Forwarded-For: 192.0.2.9\r\n" + CLOSE + b"\r\n")
    header = b"PROXY TCP4 192.0.2.7 192.0.2.1 5 6\r\n"
    proxied = await ask(announced.port, header[:9], 0.05, header[9:] + b"GET / HTTP/1.1\r\n" + CLOSE + b"\r\n")
    missing = await ask(announced.port, b"GET / HTTP/1.1\r\n" + CLOSE + b"\r\n")
    await listener.close(0)
    await announced.close(0)

    assert b"GET / 192.0.2.9 " in forwarded
    assert b"GET / 192.0.2.7 " in proxied
    assert missing in (b"", b"(ConnectionResetError)")


async def test_a_client_that_goes_away_ends_its_call() -> None:
    ended = asyncio.Event()

    class Waiting:
        async def fetch(self, request: Request, /) -> Response:
            try:
                await asyncio.sleep(PATIENCE_SECONDS)
            finally:
                ended.set()
            return Response(200)

    listener = await listen_api(Waiting())
    _, writer = await asyncio.open_connection("127.0.0.1", listener.port)
    writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    await asyncio.sleep(0.5)
    writer.transport.abort()

    async with asyncio.timeout(PATIENCE_SECONDS):
        await ended.wait()
    await listener.close(0)


async def test_more_connections_than_there_may_be_are_refused_and_those_that_wait_make_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("edgeworker.host.management.listener.MOST_CONNECTIONS", 4)
    begun = b"POST / HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n"
    listener = await listen_api(Echo())
    port = listener.port
    try:
        busy = [await asyncio.open_connection("127.0.0.1", port) for _ in range(4)]
        async with asyncio.timeout(PATIENCE_SECONDS):
            for reader, writer in busy:
                writer.write(begun)
                assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100 ")
        assert (await ask(port)).startswith(b"HTTP/1.1 503 ")

        for _, writer in busy:
            writer.close()
        waiting = [await asyncio.open_connection("127.0.0.1", port) for _ in range(4)]
        answer = b""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not answer.startswith(b"HTTP/1.1 200 "):  # the ones that were closed go in their own time
                answer = await ask(port, b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        for _, writer in waiting:
            writer.close()
    finally:
        await listener.close(0)
