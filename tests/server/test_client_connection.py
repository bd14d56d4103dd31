"""Limits and timeouts of a connection with a client, on real sockets."""

import asyncio

import pytest

from edgeworker.config import Limits
from edgeworker.messages import Request, Response
from edgeworker.server import client_connection
from edgeworker.testing import pipe
from tests.patience import PATIENCE_SECONDS
from tests.server.wires import END, GET, POST, Answering, admitted, exchange, hello, reading, serving, status_of, to_end

SMALL = Limits(
    request_line_bytes=1000,
    header_bytes=1000,
    headers=20,
    headers_bytes=4000,
    body_bytes=1000,
    header_timeout_seconds=0.1,
)


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"GET /" + b"a" * 990 + b" HTTP/1.1\r\nHost: a.example\r\n" + END, 200),
        (b"GET /" + b"a" * 1000 + b" HTTP/1.1\r\nHost: a.example\r\n" + END, 414),
        (GET + b"X: " + b"a" * 900 + b"\r\n" + END, 200),
        (GET + b"X: " + b"a" * 1100 + b"\r\n" + END, 431),
        (GET + b"X" * 1100 + b": a\r\n" + END, 431),
        (GET + b"X: a\r\n" * 15 + END, 200),
        (GET + b"X: a\r\n" * 25 + END, 431),
        (POST + b"Content-Length: 1000\r\n" + END + bytes(1000), 200),
        (POST + b"Content-Length: 1001\r\n" + END + bytes(1001), 413),
        (POST + b"Content-Length: 999999999999\r\n" + END, 413),
    ],
)
async def test_h14_each_limit_has_its_status(data: bytes, status: int) -> None:
    assert (await status_of(data, limits=SMALL))[0] == status


async def test_h14_many_fields_that_come_one_by_one_are_limited_together() -> None:
    async with serving(Answering(admitted), limits=SMALL) as (listener, _), asyncio.timeout(PATIENCE_SECONDS):
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(GET)
        for index in range(8):
            writer.write(b"X-%d: " % index + b"a" * 900 + b"\r\n")
            await asyncio.sleep(0)
        assert (await to_end(reader)).startswith(b"HTTP/1.1 431 ")
        writer.close()


@pytest.mark.parametrize("begun", [b"G", b"GET / HTTP/1.1\r\nHost: a.example\r\nX-A: b\r\n"])
async def test_h18_fields_that_come_too_slowly_are_a_408(begun: bytes) -> None:
    status, requests, _ = await status_of(begun, limits=SMALL)

    assert (status, requests) == (408, [])


async def test_h18_trickling_does_not_help() -> None:
    async with serving(Answering(admitted), limits=SMALL) as (listener, _), asyncio.timeout(PATIENCE_SECONDS):
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        received = asyncio.ensure_future(to_end(reader))
        writer.write(GET)
        while not received.done():
            writer.write(b"X")
            await asyncio.wait([received], timeout=0.02)
        assert (await received).startswith(b"HTTP/1.1 408 ")
        writer.close()


async def test_h18_a_body_that_comes_too_slowly_is_a_408() -> None:
    limits = Limits(body_grace_seconds=0.05)
    async with serving(Answering(reading), limits=limits) as (listener, _):
        received = await exchange(listener.port, POST + b"Content-Length: 5\r\n\r\nabc")

    assert received.startswith(b"HTTP/1.1 408 ")


async def test_h18_an_idle_connection_is_closed() -> None:
    limits = Limits(keepalive_timeout_seconds=0.05)
    async with serving(Answering(admitted), limits=limits) as (listener, _):
        assert await exchange(listener.port, b"") == b""
        assert (await exchange(listener.port, GET + b"\r\n")).startswith(b"HTTP/1.1 200 ")


async def test_h18_a_client_that_does_not_read_is_cut() -> None:
    size = 32 * 1024 * 1024

    async def answer(request: Request) -> Response:
        return Response(200, body=bytes(size))

    limits = Limits(write_timeout_seconds=0.05)
    async with serving(Answering(answer), limits=limits) as (listener, summaries), asyncio.timeout(PATIENCE_SECONDS):
        _, writer = await asyncio.open_connection("127.0.0.1", listener.port, limit=1024)
        writer.write(GET + b"\r\n")
        while not summaries:
            await asyncio.wait([asyncio.get_running_loop().create_future()], timeout=0.01)
        assert not summaries[0].complete
        writer.transport.abort()


async def test_h18_one_address_has_a_limited_number_of_connections() -> None:
    limits = Limits(connections_per_address=2)
    async with serving(Answering(admitted), limits=limits) as (listener, _), asyncio.timeout(PATIENCE_SECONDS):
        held = [await asyncio.open_connection("127.0.0.1", listener.port) for _ in range(2)]
        for reader, writer in held:
            writer.write(GET + b"\r\n")
            await reader.readuntil(b"\r\n\r\n")

        assert (await exchange(listener.port, b"")).startswith(b"HTTP/1.1 429 ")

        held[0][1].close()
        await held[0][1].wait_closed()
        while not (received := await exchange(listener.port, GET + END)).startswith(b"HTTP/1.1 200 "):
            assert received.startswith(b"HTTP/1.1 429 ")
        held[1][1].close()


async def test_h19_a_flood_of_requests_on_one_connection_is_answered_without_being_queued() -> None:
    under_way = most = 0

    async def answer(request: Request) -> Response:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0)
        under_way -= 1
        return Response(200)

    count = 3000
    async with serving(Answering(answer)) as (listener, _):
        received = await exchange(listener.port, (GET + b"\r\n") * count + GET + END)

    assert received.count(b"HTTP/1.1 200 OK\r\n") == count + 1
    assert most == 1


@pytest.mark.parametrize("data", [GET + b"\r\n", GET + b"\r\n" + GET + END, POST + b"Content-Length: 2\r\n\r\nab"])
async def test_a_client_that_has_closed_its_side_gets_its_answers(data: bytes) -> None:
    ended = asyncio.Event()

    async def answer(request: Request) -> Response:
        await ended.wait()
        return Response(200, body=b"late")

    async with serving(Answering(answer)) as (listener, _), asyncio.timeout(PATIENCE_SECONDS):
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(data)
        writer.write_eof()
        asyncio.get_running_loop().call_later(0.05, ended.set)
        received = await to_end(reader)
        writer.close()

    assert received.count(b"\r\n\r\nlate") == data.count(b"HTTP/1.1")
    assert b"\r\nConnection: close\r\n" in received


@pytest.mark.parametrize("before", [0, 1, 3])
async def test_a_client_that_closed_its_side_is_not_waited_for_without_end(before: int) -> None:
    cancelled = asyncio.Event()
    ended = asyncio.Event()

    async def answer(request: Request) -> Response:
        try:
            await ended.wait()
            if len(handler.requests) <= before:
                return Response(200)
            await asyncio.Event().wait()
        except asyncio.CancelledError:  # where the machine is busy, of an earlier request
            cancelled.set()
            raise
        raise AssertionError

    handler = Answering(answer)
    limits = Limits(half_closed_seconds=0.05)
    async with serving(handler, limits=limits) as (listener, _), asyncio.timeout(PATIENCE_SECONDS):
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write((GET + b"\r\n") * (before + 1))
        writer.write_eof()
        asyncio.get_running_loop().call_later(0.02, ended.set)
        await cancelled.wait()
        await to_end(reader)
        writer.close()


@pytest.mark.parametrize(
    ("begun", "status"),
    [
        (b"GET / HT", 400),
        (POST + b"Content-Length: 5\r\n\r\nab", 400),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n5", 400),
    ],
)
async def test_a_request_that_ends_in_the_middle_is_a_400(begun: bytes, status: int) -> None:
    async with serving(Answering(reading)) as (listener, _), asyncio.timeout(PATIENCE_SECONDS):
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(begun)
        writer.write_eof()
        received = await to_end(reader)
        writer.close()

    assert received.startswith(b"HTTP/1.1 %d " % status)


class SlowWire(asyncio.Transport):
    """A client that fetches nothing of the last `left` bytes."""

    def __init__(self) -> None:
        super().__init__()
        self.left = 10
        self.aborted = asyncio.Event()

    def is_closing(self) -> bool:
        return self.aborted.is_set()

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None: ...

    def get_write_buffer_size(self) -> int:
        return self.left

    def abort(self) -> None:
        self.aborted.set()


async def test_the_last_bytes_of_an_answer_are_waited_for_as_long_as_any(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_connection, "_LINGER_SECONDS", 0.01)
    wire = SlowWire()
    async with serving(Answering(admitted)) as (listener, _), asyncio.timeout(PATIENCE_SECONDS):
        connection = listener.connection()
        connection.connection_made(wire)
        connection.close_gracefully()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await wire.aborted.wait()
        wire.left = 0
        await wire.aborted.wait()
        connection.connection_lost(None)


async def test_what_is_pipelined_stays_with_the_client_until_its_turn() -> None:
    begun = asyncio.Event()

    async def answer(request: Request) -> Response:
        begun.set()
        await asyncio.Event().wait()
        raise AssertionError

    near: list[asyncio.BaseTransport] = []

    class Client(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            near.append(transport)

    handler = Answering(answer)
    async with serving(handler) as (listener, _), asyncio.timeout(PATIENCE_SECONDS):
        pipe.connect(Client(), listener.connection())
        (end,) = near
        assert isinstance(end, asyncio.Transport)
        for _ in range(100):
            end.write((GET + b"\r\n") * 1000)
            await asyncio.sleep(0)
        await begun.wait()
        assert end.get_write_buffer_size() > 3_000_000
        assert len(handler.requests) == 1
        end.abort()


class KeepingWire(asyncio.Transport):
    """A client that takes what is written at once."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""

    def is_closing(self) -> bool:
        return False

    def get_write_buffer_size(self) -> int:
        return 0

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data


@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        (GET + b"\r\n", b"HTTP/1.1 200 "),
        (b"OPTIONS * HTTP/1.1\r\nHost: a.example\r\n\r\n", b"HTTP/1.1 204 "),
        (b"GET / HTTP/1.1\r\nHost: a.example\r\nExpect: x\r\n\r\n", b"HTTP/1.1 417 "),
    ],
)
async def test_an_answer_that_waits_for_nothing_is_written_when_its_task_first_runs(sent: bytes, answer: bytes) -> None:
    wire = KeepingWire()
    async with serving(Answering(hello)) as (listener, _):
        connection = listener.connection()
        connection.connection_made(wire)

        connection.data_received(sent)
        await asyncio.sleep(0)  # one turn of the loop

        assert wire.written.startswith(answer)
        connection.connection_lost(None)
