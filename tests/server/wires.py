"""Both ends of a wire, byte for byte: a client that writes what it is told to, and an origin that does."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from edgeworker.admission import Refusal, admit
from edgeworker.clock import SystemClock
from edgeworker.config import Limits, Outbound, Socket
from edgeworker.handler import Handler
from edgeworker.messages import URL, Body, Headers, Request, Response
from edgeworker.server import AccessLogRecord, Listener, OriginClient, listen
from tests.patience import PATIENCE_SECONDS

ANY_PORT = Socket(port=0)
USUAL_LIMITS = Limits()
ALL_ALLOWED = Outbound(allow_private=("*",))
GET = b"GET / HTTP/1.1\r\nHost: a.example\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a.example\r\n"
END = b"Connection: close\r\n\r\n"
# For what must happen, on a machine that is ten times slower too; a test that waits this long has failed.


@dataclass
class Answering:
    """A handler that keeps the requests it got and answers with `answer`."""

    answer: Callable[[Request], Awaitable[Response]]
    requests: list[Request] = field(default_factory=list)

    async def fetch(self, request: Request, /) -> Response:
        self.requests.append(request)
        return await self.answer(request)


async def hello(request: Request) -> Response:
    return Response(200, body=b"hello")


@asynccontextmanager
async def serving(
    handler: Handler, *, limits: Limits = USUAL_LIMITS, socket: Socket = ANY_PORT
) -> AsyncIterator[tuple[Listener, list[AccessLogRecord]]]:
    """A listener, and the summaries of what it finished."""
    summaries: list[AccessLogRecord] = []
    listener = await listen(handler, socket, limits=limits, clock=SystemClock(), access_logger=summaries.append)
    try:
        yield listener, summaries
    finally:
        await listener.close(0)


async def exchange(port: int, data: bytes, *, host: str = "127.0.0.1") -> bytes:
    """Writes `data` and returns all that comes until the server closes the connection."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(data)
        received = b""
        try:
            while piece := await reader.read(65536):
                received += piece
        except ConnectionResetError:
            received += b"<reset>"
        finally:
            writer.close()
        return received


Play = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class ScriptedOrigin:
    """A server that plays `play` on each connection. `heads` are the request heads that `head()` read."""

    play: Play
    port: int = 0
    connections: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@asynccontextmanager
async def origin(play: Play) -> AsyncIterator[ScriptedOrigin]:
    scripted = ScriptedOrigin(play)
    writers: list[asyncio.StreamWriter] = []
    plays: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        scripted.connections += 1
        writers.append(writer)
        task = asyncio.current_task()
        assert task is not None
        plays.add(task)
        try:
            await play(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the edge gave the connection up, which some tests are about
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    scripted.port = server.sockets[0].getsockname()[1]
    try:
        yield scripted
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()
        if plays:
            await asyncio.wait(plays)
        await server.wait_closed()


async def head(reader: asyncio.StreamReader) -> bytes:
    """A request's head, with the empty line. Raises IncompleteReadError where the connection ends first."""
    return await reader.readuntil(b"\r\n\r\n")


def answering(*answers: bytes, heads: list[bytes] | None = None) -> Play:
    """One answer after the other on a connection, each to one request without a body; then it is closed."""

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            received = await head(reader)
            if heads is not None:
                heads.append(received)
            writer.write(answer)
            await writer.drain()

    return play


@asynccontextmanager
async def client(outbound: Outbound = ALL_ALLOWED) -> AsyncIterator[OriginClient]:
    made = OriginClient(outbound, SystemClock())
    try:
        yield made
    finally:
        await made.close()


async def to_end(reader: asyncio.StreamReader) -> bytes:
    async with asyncio.timeout(PATIENCE_SECONDS):
        return await reader.read()


async def admitted(request: Request) -> Response:
    match admit(request, ray="0123456789abcdef-LHR"):
        case Refusal(status, text):
            return Response(status, body=text.encode())
        case Request():
            return Response(200, body=request.url.target.encode())


async def status_of(data: bytes, *, limits: Limits | None = None) -> tuple[int, list[Request], bytes]:
    """The first status, the requests that the handler saw, and all that was received."""
    handler = Answering(admitted)
    async with serving(handler, limits=limits or Limits()) as (listener, _):
        received = await exchange(listener.port, data)
    return int(received.split(b" ", 2)[1]), handler.requests, received


async def reading(request: Request) -> Response:
    assert request.body is not None
    return Response(200, body=str(len(await request.body.read())).encode())


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def call(method: str = "GET", body: Body | bytes | None = None, headers: Headers | None = None) -> Request:
    content = Body(body) if isinstance(body, bytes) else body
    return Request(method, URL.parse("https://api.example.com/a//b?c=%2F"), headers, content)


async def pieces(*content: bytes) -> AsyncIterator[bytes]:
    for piece in content:
        yield piece


async def read(body: Body | None) -> bytes:
    assert body is not None
    return await body.read()
