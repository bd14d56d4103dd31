"""The listener, on real sockets."""

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest

from edgeworker.clock import SystemClock
from edgeworker.config import Limits, Socket
from edgeworker.errors import SocketError
from edgeworker.messages import Body, Headers, RefusalReason, Request, Response
from edgeworker.server import listen
from tests.patience import PATIENCE_SECONDS
from tests.server.wires import Answering, exchange, hello, serving

GET = b"GET /a?b=c HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n"


def parts(answer: bytes) -> tuple[int, dict[str, str], bytes]:
    """Status, fields by lower-case name (the last of each), body as on the wire."""
    top, _, body = answer.partition(b"\r\n\r\n")
    lines = top.decode("latin-1").split("\r\n")
    return int(lines[0].split(" ")[1]), {n.lower(): v for n, _, v in (line.partition(": ") for line in lines[1:])}, body


async def test_a_request_reaches_the_handler_as_it_was_sent() -> None:
    handler = Answering(hello)
    async with serving(handler) as (listener, _):
        await exchange(
            listener.port,
            b"PUT /a/../b?q=%C3 HTTP/1.1\r\nHost: Example.COM\r\nX-One: 1\r\nX-One: \xff\r\n"
            b"Content-Length: 3\r\nConnection: close\r\n\r\nabc",
        )

    request = handler.requests[0]
    assert (request.method, request.url.href) == ("PUT", "http://example.com/b?q=%C3")
    assert request.raw_target == "/a/../b?q=%C3"
    assert request.headers.get_bytes("x-one") == b"1, \xff"
    assert request.client.ip == "127.0.0.1"
    assert request.body is not None
    assert request.body.length == 3


async def test_an_answer_keeps_its_fields_apart_and_says_its_length() -> None:
    async def answer(request: Request) -> Response:
        headers = Headers([("Set-Cookie", "a=1"), ("Set-Cookie", "b=2, c"), ("Connection", "x-gone"), ("X-Gone", "1")])
        return Response(200, headers, b"body")

    async with serving(Answering(answer)) as (listener, _):
        received = await exchange(listener.port, GET)

    status, fields, body = parts(received)
    assert (status, body, fields["content-length"]) == (200, b"body", "4")
    assert b"\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2, c\r\n" in received
    assert "x-gone" not in fields
    assert fields["connection"] == "close"


async def pieces(*content: bytes) -> AsyncIterator[bytes]:
    for piece in content:
        yield piece


@pytest.mark.parametrize(
    ("request_head", "status", "length", "expected"),
    [
        (b"GET / HTTP/1.1", 200, None, b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"),
        (b"GET / HTTP/1.1", 200, 5, b"abcde"),
        (b"GET / HTTP/1.0", 200, None, b"abcde"),
        (b"HEAD / HTTP/1.1", 200, 5, b""),
        (b"HEAD / HTTP/1.1", 200, None, b""),
        (b"GET / HTTP/1.1", 204, None, b""),
        (b"GET / HTTP/1.1", 304, None, b""),
    ],
)
async def test_a_streamed_body_is_framed(request_head: bytes, status: int, length: int | None, expected: bytes) -> None:
    async def answer(request: Request) -> Response:
        return Response(status, body=Body(pieces(b"abc", b"", b"de"), length=length))

    async with serving(Answering(answer)) as (listener, _):
        received = await exchange(listener.port, request_head + b"\r\nHost: a.example\r\nConnection: close\r\n\r\n")

    _, fields, body = parts(received)
    assert body == expected
    assert fields.get("content-length") == (None if length is None else str(length))
    assert ("transfer-encoding" in fields) == (expected.startswith(b"3"))


async def test_the_answer_to_head_keeps_the_length_that_the_origin_told() -> None:
    async def answer(request: Request) -> Response:
        return Response(200, Headers({"Content-Length": "1234"}))

    async with serving(Answering(answer)) as (listener, _):
        received = await exchange(listener.port, b"HEAD / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n")

    assert parts(received)[1]["content-length"] == "1234"


async def test_a_body_shorter_than_its_length_ends_the_connection() -> None:
    async def answer(request: Request) -> Response:
        return Response(200, body=Body(pieces(b"abc"), length=10))

    async with serving(Answering(answer)) as (listener, summaries):
        await exchange(listener.port, b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n")  # returns when it is cut

    assert [summary.complete for summary in summaries] == [False]


async def test_a_bug_of_a_handler_is_a_500_without_details_and_a_traceback_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def answer(request: Request) -> Response:
        raise ZeroDivisionError("secret detail")

    with caplog.at_level(logging.ERROR):
        async with serving(Answering(answer)) as (listener, summaries):
            received = await exchange(listener.port, GET)

    assert parts(received)[0] == 500
    assert b"secret" not in received
    assert "ZeroDivisionError: secret detail" in caplog.text
    assert summaries[0].status == 500


async def test_an_answer_that_cannot_be_written_is_a_500_with_its_ray_and_reason() -> None:
    async def answer(request: Request) -> Response:
        response = Response(199, Headers({"CF-Ray": "8f2a61c09b7d4e35-LOC"}))
        response.served_by = "shop"
        return response

    async with serving(Answering(answer)) as (listener, log):
        status, fields, _ = parts(await exchange(listener.port, GET))

    (record,) = log
    assert (status, fields["cf-ray"], record.ray) == (500, "8f2a61c09b7d4e35-LOC", "8f2a61c09b7d4e35-LOC")
    assert record.refusal == RefusalReason("shop", ("its answer cannot be written as HTTP; the log says why",))


async def test_a_finished_request_is_told_once() -> None:
    async with serving(Answering(hello)) as (listener, summaries):
        await exchange(listener.port, GET)

    (summary,) = summaries
    assert (summary.method, summary.host, summary.path) == ("GET", "example.com", "/a")
    assert (summary.status, summary.sent_bytes, summary.complete) == (200, 5, True)


async def test_requests_on_one_connection_are_answered_in_order() -> None:
    async def answer(request: Request) -> Response:
        return Response(200, body=request.url.path.encode())

    async with serving(Answering(answer)) as (listener, _):
        request = b"GET /%d HTTP/1.1\r\nHost: a.example\r\n\r\n"
        received = await exchange(listener.port, request % 1 + request % 2 + GET)

    assert [piece[:2] for piece in received.split(b"\r\n\r\n")[1:]] == [b"/1", b"/2", b"/a"]


async def test_the_handler_can_be_swapped_while_it_serves() -> None:
    async with serving(Answering(hello)) as (listener, _):
        first = await exchange(listener.port, GET)

        async def other(request: Request) -> Response:
            return Response(201)

        listener.handler = Answering(other)
        second = await exchange(listener.port, GET)

    assert (parts(first)[0], parts(second)[0]) == (200, 201)


async def test_100_continue_is_sent_when_the_body_is_first_read_and_not_before() -> None:
    reading = asyncio.Event()

    async def answer(request: Request) -> Response:
        await reading.wait()
        assert request.body is not None
        return Response(200, body=await request.body.read())

    async with serving(Answering(answer)) as (listener, _), asyncio.timeout(PATIENCE_SECONDS):
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(b"PUT / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await reader.read(1)
        reading.set()
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"ok")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 OK\r\n")
        assert await reader.readexactly(2) == b"ok"
        writer.close()


async def test_a_refused_body_is_never_asked_for() -> None:
    async def answer(request: Request) -> Response:
        return Response(401)

    async with serving(Answering(answer)) as (listener, _):
        received = await exchange(
            listener.port, b"PUT / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
        )

    assert received.startswith(b"HTTP/1.1 401 ")
    assert b"100 Continue" not in received


async def test_a_body_is_not_buffered_when_no_one_reads_it() -> None:
    reading = asyncio.Event()

    async def answer(request: Request) -> Response:
        await reading.wait()
        assert request.body is not None
        size = 0
        async for piece in request.body.stream():
            size += len(piece)
        return Response(200, body=str(size).encode())

    size = 64 * 1024 * 1024
    async with serving(Answering(answer)) as (listener, _), asyncio.timeout(PATIENCE_SECONDS):
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(b"PUT / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % size)
        writer.write(bytes(size))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await writer.drain()  # the edge stopped reading, so the sender has to wait
        reading.set()
        await writer.drain()
        assert (await reader.read()).endswith(b"\r\n\r\n%d" % size)
        writer.close()


async def test_a_port_in_use_is_named() -> None:
    async with serving(Answering(hello)) as (listener, _):
        with pytest.raises(SocketError, match=rf"127\.0\.0\.1:{listener.port}: the port is in use; stop"):
            await listen(Answering(hello), Socket(port=listener.port), limits=Limits(), clock=SystemClock())


@pytest.mark.parametrize("host", ["203.0.113.1", "no such host", "256.1.1.1", "a..b"])
async def test_an_address_that_is_not_ours_is_named(host: str) -> None:
    with pytest.raises(SocketError, match="no such address; use one of this machine"):
        await listen(Answering(hello), Socket(host, 0), limits=Limits(), clock=SystemClock())


async def test_closing_lets_a_request_finish_and_accepts_no_other() -> None:
    begun, finish = asyncio.Event(), asyncio.Event()

    async def answer(request: Request) -> Response:
        begun.set()
        await finish.wait()
        return Response(200, body=b"done")

    async with (
        serving(Answering(answer)) as (listener, _),
        asyncio.timeout(PATIENCE_SECONDS),
        asyncio.TaskGroup() as tasks,
    ):
        answered = tasks.create_task(exchange(listener.port, b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"))
        await begun.wait()
        closed = tasks.create_task(listener.close(PATIENCE_SECONDS))
        await asyncio.sleep(0)  # closing has begun
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", listener.port)
        assert not closed.done()
        finish.set()
        assert (await answered).endswith(b"\r\n\r\ndone")
        await closed


async def test_closing_cuts_what_does_not_finish() -> None:
    begun = asyncio.Event()

    async def answer(request: Request) -> Response:
        begun.set()
        await asyncio.Event().wait()
        raise AssertionError

    async with (
        serving(Answering(answer)) as (listener, _),
        asyncio.timeout(PATIENCE_SECONDS),
        asyncio.TaskGroup() as tasks,
    ):
        answered = tasks.create_task(exchange(listener.port, GET))
        await begun.wait()
        await listener.close(0.01)
        assert await answered in (b"", b"<reset>")


async def test_closing_cuts_a_client_that_does_not_read() -> None:
    begun = asyncio.Event()

    async def answer(request: Request) -> Response:
        begun.set()
        return Response(200, body=bytes(32 * 1024 * 1024))

    async with serving(Answering(answer)) as (listener, _), asyncio.timeout(PATIENCE_SECONDS):
        _, writer = await asyncio.open_connection("127.0.0.1", listener.port, limit=1024)
        writer.write(b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n")
        await begun.wait()
        await listener.close(0.01)
        writer.transport.abort()


async def test_a_client_that_goes_away_cancels_its_request() -> None:
    begun, cancelled = asyncio.Event(), asyncio.Event()

    async def answer(request: Request) -> Response:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()
        raise AssertionError

    async with serving(Answering(answer)) as (listener, _), asyncio.timeout(PATIENCE_SECONDS):
        _, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(GET)
        await begun.wait()
        writer.close()
        await cancelled.wait()


async def test_an_answer_made_of_a_body_that_waits_to_be_asked_for_asks_before_it_begins() -> None:
    async def answer(request: Request) -> Response:
        assert request.body is not None
        return Response(200, body=Body(request.body.stream()))

    async with serving(Answering(answer)) as (listener, _), asyncio.timeout(PATIENCE_SECONDS):
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(b"PUT / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"ok")
        received = await reader.read()
        writer.close()

    assert received.startswith(b"HTTP/1.1 200 OK\r\n")
    assert received.endswith(b"\r\n\r\n2\r\nok\r\n0\r\n\r\n")


async def test_a_client_that_leaves_before_its_answer_is_logged_as_499() -> None:
    begun = asyncio.Event()

    async def answer(request: Request) -> Response:
        request.headers.set("CF-Ray", "c98ff6359c88fa80-LOC")  # as the edge does
        begun.set()
        await asyncio.Event().wait()
        raise AssertionError

    async with serving(Answering(answer)) as (listener, records), asyncio.timeout(PATIENCE_SECONDS):
        _, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(GET)
        await begun.wait()
        writer.close()
        while not records:
            await asyncio.wait([asyncio.get_running_loop().create_future()], timeout=0.01)

    assert [(record.status, record.complete, record.path) for record in records] == [(499, False, "/a")]
    assert (records[0].client, records[0].ray) == ("127.0.0.1", "c98ff6359c88fa80-LOC")


async def test_a_record_has_the_clients_address_and_the_ray_of_the_response() -> None:
    async def answer(request: Request) -> Response:
        return Response(200, Headers({"CF-Ray": "8f2a-LOC"}))

    async with serving(Answering(answer), socket=Socket(port=0, trusted_proxies=("127.0.0.1",))) as (listener, records):
        await exchange(listener.port, GET.replace(b"\r\n\r\n", b"\r\nX-Forwarded-For: 198.51.100.7\r\n\r\n"))

    assert [(record.client, record.ray) for record in records] == [("198.51.100.7", "8f2a-LOC")]


async def test_what_is_refused_unread_is_logged_with_its_reason() -> None:
    async with serving(Answering(hello)) as (listener, records):
        await exchange(listener.port, b"NOT HTTP\r\n\r\n")

    assert [(record.status, record.client, record.path) for record in records] == [(400, "127.0.0.1", "-")]
    assert records[0].reason.startswith("The ")


async def test_what_is_refused_for_its_host_or_target_is_logged_with_its_reason() -> None:
    async with serving(Answering(hello)) as (listener, records):
        await exchange(listener.port, b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n")

    assert [(record.status, record.path, record.reason) for record in records] == [(400, "-", 'Invalid Host: "a b".')]
