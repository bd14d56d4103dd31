"""What a https socket accepts, refuses and logs, with raw clients at the other end."""

import asyncio
import errno
import logging
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from edgeworker.clock import SystemClock
from edgeworker.config import TLS, Limits
from edgeworker.handler import Handler
from edgeworker.messages import Request, Response
from edgeworker.rays import parse_ray
from edgeworker.server import AccessLogRecord, Listener, listen, tls_accepting
from edgeworker.server.tls import server_context
from tests.patience import PATIENCE_SECONDS
from tests.pki import NOW, PKI
from tests.server.wires import ANY_PORT, END, GET, Answering, exchange, hello


@pytest.fixture
def pki(tmp_path: Path) -> PKI:
    return PKI(tmp_path)


@asynccontextmanager
async def serving(
    pki: PKI, *, limits: Limits | None = None, handler: Handler | None = None
) -> AsyncIterator[tuple[Listener, list[AccessLogRecord]]]:
    records: list[AccessLogRecord] = []
    made = await listen(
        handler or Answering(hello),
        ANY_PORT,
        limits=limits or Limits(),
        clock=SystemClock(),
        access_logger=records.append,
        tls=server_context(TLS((pki.server("a.example"),)), now=NOW),
    )
    try:
        yield made, records
    finally:
        await made.close(0)


async def ask_over_tls(pki: PKI, port: int) -> bytes:
    context = ssl.create_default_context(cafile=str(pki.ca))
    async with asyncio.timeout(PATIENCE_SECONDS):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname="a.example")
        writer.write(GET + END)
        answer = await reader.read()
        writer.close()
        return answer


@pytest.mark.parametrize(
    "data",
    [
        GET + END,
        b"POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\n\r\nhello",
        b"PROPFIND / HTTP/1.1\r\nHost: a.example\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n" + GET + END,
        b"g",
        b"POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 300000\r\n\r\n" + b"x" * 300_000,
    ],
    ids=["get", "post", "another method", "http/2", "a proxy header", "one letter", "a long body"],
)
async def test_plain_http_is_told_so_and_logged(pki: PKI, data: bytes) -> None:
    async with serving(pki) as (listener, records):
        received = await exchange(listener.port, data)

        assert (await ask_over_tls(pki, listener.port)).startswith(b"HTTP/1.1 200")

    assert received.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert received.endswith(b"\r\n\r\nThe client speaks plain HTTP, and this port speaks TLS; use https://.\n")
    refused, answered = records
    assert (refused.status, refused.client, refused.method) == (400, "127.0.0.1", "-")
    assert "plain HTTP" in refused.reason
    assert f"CF-Ray: {refused.ray}\r\n".encode() in received
    assert parse_ray(refused.ray) == refused.ray
    assert answered.status == 200


@pytest.mark.parametrize(
    "data", [b"\x00", b"\x80\x2e\x01\x03\x01", b"\x16\x03\x01\x00\x05hello", b"\r\n", b"\xff" * 64]
)
async def test_what_is_neither_tls_nor_http_is_cut(pki: PKI, data: bytes) -> None:
    async with serving(pki, limits=Limits(tls_handshake_timeout_seconds=1)) as (listener, records):
        received = await exchange(listener.port, data)

        assert (await ask_over_tls(pki, listener.port)).startswith(b"HTTP/1.1 200")

    assert b"HTTP/" not in received
    assert [record.status for record in records] == [200]


async def test_a_handshake_that_fails_is_in_the_log_with_its_client(pki: PKI, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    old = ssl.create_default_context(cafile=str(pki.ca))
    old.set_ciphers("ECDHE-RSA-AES128-SHA:@SECLEVEL=0")
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    async with serving(pki) as (listener, _), asyncio.timeout(PATIENCE_SECONDS):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await asyncio.open_connection("127.0.0.1", listener.port, ssl=old, server_hostname="a.example")
        while not caplog.records:  # noqa: ASYNC110  # nothing tells that a line was logged
            await asyncio.sleep(0)

    assert [record.getMessage() for record in caplog.records] == [
        "TLS handshake with 127.0.0.1 failed: NO_SHARED_CIPHER"
    ]
    assert vars(caplog.records[0])["fields"] == {"client": "127.0.0.1"}


async def test_connections_that_say_nothing_and_leave_are_not_logged(
    pki: PKI, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with serving(pki) as (listener, records):
        for _ in range(3):
            _, writer = await asyncio.open_connection("127.0.0.1", listener.port)
            writer.close()
            await writer.wait_closed()
        await ask_over_tls(pki, listener.port)

    assert [record.status for record in records] == [200]
    assert caplog.records == []


async def test_a_socket_that_is_closed_waits_for_no_handshake(pki: PKI) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        async with serving(pki) as (listener, _):
            reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
            half, half_writer = await asyncio.open_connection("127.0.0.1", listener.port)
            half_writer.write(b"\x16\x03\x01")
            await ask_over_tls(pki, listener.port)
        for silent in (reader, half):
            assert await read_to_end(silent) == b""
        writer.close()
        half_writer.close()


async def read_to_end(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read()
    except ConnectionResetError:
        return b""


async def test_descriptors_that_are_used_up_are_told_as_on_a_plain_socket(
    pki: PKI, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop, told = asyncio.get_running_loop(), list[dict[str, object]]()
    accept = loop.sock_accept
    failures = [OSError(errno.EMFILE, "Too many open files"), OSError(errno.ECONNABORTED, "aborted")]

    async def accept_later(listening: socket.socket) -> object:
        if failures:
            raise failures.pop(0)
        return await accept(listening)

    monkeypatch.setattr(loop, "sock_accept", accept_later)
    monkeypatch.setattr(tls_accepting, "_RETRY_SECONDS", 0)
    loop.set_exception_handler(lambda _, context: told.append(context))
    async with serving(pki) as (made, _):
        assert b"200 OK" in await ask_over_tls(pki, made.port)

    assert [(str(context["exception"]), context["message"]) for context in told] == [
        ("[Errno 24] Too many open files", "socket.accept() out of system resource")
    ]


async def silent_client(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connected, and slow with its handshake."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"\x16\x03\x01")
        await writer.drain()
        return reader, writer


async def wait_for(records: list[AccessLogRecord], status: int) -> AccessLogRecord:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not any(record.status == status for record in records):  # noqa: ASYNC110  # nothing tells of it
            await asyncio.sleep(0.01)
    return next(record for record in records if record.status == status)


async def test_slow_handshakes_make_room_for_a_client_that_speaks(pki: PKI) -> None:
    async with serving(pki, limits=Limits(connections=20)) as (listener, records):
        slow = [await silent_client(listener.port) for _ in range(20)]

        assert b"200 OK" in await ask_over_tls(pki, listener.port)

        async with asyncio.timeout(PATIENCE_SECONDS):
            assert await read_to_end(slow[0][0]) == b""  # the one that was slow longest
        for _, writer in slow:
            writer.close()
    assert [record.status for record in records] == [200]


async def test_slow_handshakes_of_one_network_are_bounded(pki: PKI) -> None:
    async with serving(pki, limits=Limits(connections_per_address=3)) as (listener, records):
        slow = [await silent_client(listener.port) for _ in range(4)]
        refused = await wait_for(records, 429)
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert await read_to_end(slow[3][0]) == b""
        assert refused.client == "127.0.0.1"
        assert "too many TLS handshakes" in refused.reason

        for _, writer in slow:
            writer.close()
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:  # until the edge has seen that they left
                try:
                    assert b"200 OK" in await ask_over_tls(pki, listener.port)
                    break
                except (ssl.SSLError, ConnectionError):
                    await asyncio.sleep(0.01)


async def test_where_all_connections_are_busy_some_are_told_so_over_tls_and_the_rest_are_closed(
    pki: PKI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls_accepting, "_REFUSED_AT_A_TIME", 1)
    arrived = asyncio.Event()

    class Silent:
        async def fetch(self, request: Request, /) -> Response:
            arrived.set()
            return await asyncio.Future[Response]()

    async with serving(pki, limits=Limits(connections=1), handler=Silent()) as (listener, records):
        busy = asyncio.create_task(ask_over_tls(pki, listener.port))
        await arrived.wait()

        assert b"503 Service Unavailable" in await ask_over_tls(pki, listener.port)
        await wait_for(records, 503)

        _, slow = await silent_client(listener.port)
        last, last_writer = await silent_client(listener.port)
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert await read_to_end(last) == b""
        assert [record.reason for record in records if "handshakes were not begun" in record.reason]
        slow.close()
        last_writer.close()
    await busy
