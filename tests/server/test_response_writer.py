"""Responses as they go to the wire."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from edgeworker.messages import Body, Headers, Request, Response
from edgeworker.server.response_writer import frame_response
from tests.cycles import no_error_keeps_itself
from tests.patience import PATIENCE_SECONDS
from tests.server.wires import END, GET, Answering, exchange, serving


@pytest.mark.parametrize("value", ["a\r\nSet-Cookie: b=c", "a\nb", "a\rb", "a\0b"])
async def test_h9_a_response_cannot_be_split(value: str) -> None:
    async def answer(request: Request) -> Response:
        response = Response(200, body=b"x")
        response.headers.raw.append((b"X-Split", value.encode()))  # past the checks of Headers
        return response

    async with serving(Answering(answer)) as (listener, _):
        received = await exchange(listener.port, GET + END)

    assert received.startswith(b"HTTP/1.1 500 ")
    assert b"Set-Cookie" not in received


@pytest.mark.parametrize("status", [0, 99, 100, 101, 103, 199, 1000])
def test_a_status_that_ends_nothing_is_not_written(status: int) -> None:
    with pytest.raises(ValueError, match="is not a status that a response can end with"):
        frame_response(Response(status), method="GET", date=b"now", keep_alive=True, http10=False)


@pytest.mark.parametrize("status", [600, 999])
def test_a_status_that_no_one_defined_is_passed_on(status: int) -> None:
    """Some origins answer 999; nginx and Cloudflare pass it on."""
    framed = frame_response(Response(status), method="GET", date=b"now", keep_alive=True, http10=False)

    assert framed.head.startswith(b"HTTP/1.1 %d " % status)


async def never() -> AsyncIterator[bytes]:
    raise AssertionError
    yield b""


@pytest.mark.parametrize(
    ("method", "response", "http10", "lines"),
    [
        ("GET", Response(200), False, [b"Content-Length: 0"]),
        ("GET", Response(200, body=b"abc"), False, [b"Content-Length: 3"]),
        # RFC 9112 6.3: what the body is decides, not what a script wrote
        ("GET", Response(200, Headers({"Content-Length": "9"}), b"abc"), False, [b"Content-Length: 3"]),
        ("GET", Response(200, Headers({"Transfer-Encoding": "gzip"}), b"abc"), False, [b"Content-Length: 3"]),
        ("GET", Response(200, body=Body(never())), False, [b"Transfer-Encoding: chunked"]),
        ("GET", Response(200, body=Body(never())), True, [b"Connection: close"]),
        ("GET", Response(200, body=b""), True, [b"Content-Length: 0", b"Connection: keep-alive"]),
        ("HEAD", Response(200, body=b"abc"), False, [b"Content-Length: 3"]),
        ("HEAD", Response(200, Headers({"Content-Length": "9"})), False, [b"Content-Length: 9"]),
        ("HEAD", Response(200, Headers({"Content-Length": "-9"})), False, []),
        ("HEAD", Response(200, body=Body(never())), False, []),
        ("GET", Response(204, Headers({"Content-Length": "9"})), False, []),
        ("GET", Response(304, Headers({"Content-Length": "9"})), False, [b"Content-Length: 9"]),
        ("GET", Response(304), False, []),
        ("GET", Response(205, body=b"abc"), False, [b"Content-Length: 0"]),
    ],
)
def test_the_framing_says_what_is_sent(method: str, response: Response, http10: bool, lines: list[bytes]) -> None:
    framed = frame_response(response, method=method, date=b"now", keep_alive=True, http10=http10)

    assert set(framed.head.split(b"\r\n")[1:-2]) == {*lines, b"Date: now"}
    assert framed.chunked == (b"Transfer-Encoding: chunked" in lines)


def test_a_date_that_is_there_stays() -> None:
    framed = frame_response(
        Response(200, Headers({"date": "then"})), method="GET", date=b"now", keep_alive=True, http10=False
    )

    assert framed.head == b"HTTP/1.1 200 OK\r\ndate: then\r\nContent-Length: 0\r\n\r\n"


class CountingWire(asyncio.Transport):
    """A client that takes what is written once the writer waits for it."""

    def __init__(self) -> None:
        super().__init__()
        self.protocol: asyncio.Protocol | None = None
        self.sizes: list[int] = []
        self.waiting = 0
        self.most_waiting = 0

    def is_closing(self) -> bool:
        return False

    def get_write_buffer_size(self) -> int:
        return self.waiting

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert self.protocol is not None
        self.sizes.append(len(data))
        if not self.waiting:
            self.protocol.pause_writing()
            asyncio.get_running_loop().call_soon(self.take)
        self.waiting += len(data)
        self.most_waiting = max(self.most_waiting, self.waiting)

    def take(self) -> None:
        assert self.protocol is not None
        self.waiting = 0
        self.protocol.resume_writing()


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_large_answer_is_given_to_the_client_piece_by_piece(streamed: bool) -> None:
    content = bytes(1_000_000)

    async def once() -> AsyncIterator[bytes]:
        yield content

    async def answer(request: Request) -> Response:
        return Response(200, body=Body(once()) if streamed else content)

    wire = CountingWire()
    async with serving(Answering(answer)) as (listener, summaries), asyncio.timeout(PATIENCE_SECONDS):
        wire.protocol = connection = listener.connection()
        connection.connection_made(wire)
        connection.data_received(GET + b"\r\n")
        assert connection.task is not None
        await connection.task
        assert summaries[0].sent_bytes == len(content)
        connection.connection_lost(None)

    assert sum(wire.sizes) > len(content)
    assert wire.most_waiting < 70_000


@pytest.mark.parametrize("kind", [ValueError, SystemExit, asyncio.CancelledError])
async def test_an_answer_that_ends_with_its_connection_is_reset_where_it_is_cut_and_the_log_says_why(
    caplog: pytest.LogCaptureFixture, kind: type[BaseException]
) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"part"
        raise kind("the rest is lost")

    async def answer(request: Request) -> Response:
        return Response(200, body=Body(broken()))

    async with serving(Answering(answer)) as (listener, _):
        received = await exchange(listener.port, b"GET / HTTP/1.0\r\nHost: a.example\r\n\r\n")

    assert received.endswith(b"<reset>")
    assert [str(record.exc_info[1]) for record in caplog.records if record.exc_info] == ["the rest is lost"]


async def test_an_answer_that_is_cut_leaves_no_cycle() -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"part"
        raise ValueError("the rest is lost")

    async def answer(request: Request) -> Response:
        return Response(200, body=Body(broken()))

    async with serving(Answering(answer)) as (listener, summaries):
        with no_error_keeps_itself():
            await exchange(listener.port, GET + END)
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not summaries:  # noqa: ASYNC110  # the line is written when the response has ended
                    await asyncio.sleep(0.01)
