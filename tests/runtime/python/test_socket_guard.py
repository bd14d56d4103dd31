"""Sockets that libraries of a script open by themselves."""

import asyncio
import logging
import socket
import textwrap
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from edgeworker.edge.script_sockets import ScriptSockets
from edgeworker.host import event_loop
from edgeworker.messages import URL, Request
from edgeworker.runtime.python import socket_guard
from edgeworker.server.outbound import OutboundPolicy
from tests.runtime.stage import IMPORTS, Stage

# Scripts that leave sockets open.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.usefixtures("garbage_of_module"),
]

HEAD = (
    IMPORTS
    + """
import anyio, asyncio, concurrent.futures, ftplib, http.client, smtplib, socket, ssl, threading, websockets

class Plain(http.client.HTTPConnection):
    def connect(self):  # as httplib2 and others do
        self.sock = socket.create_connection((self.host, self.port), self.timeout)

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        try:
            value = await self.value(int(request.headers["port"]))
        except BaseException as error:
            while isinstance(error, BaseExceptionGroup):
                error = error.exceptions[0]
            value = f"{type(error).__name__}: {error}"
        return Response(repr(value))

    async def value(self, port):
"""
)
WAYS = [
    "socket.create_connection(('127.0.0.1', port)).recv(2)",
    "socket.create_connection(('localhost', port)).recv(2)",
    "s = socket.socket(); s.connect(('127.1', port)); s.recv(2)",
    "s = socket.socket(); s.connect(('localhost', port)); s.recv(2)",
    "s = socket.socket(); s.connect(('', port)); s.recv(2)",
    "s = socket.socket(); s.connect((b'127.0.0.1', port)); s.recv(2)",
    "s = socket.socket(); s.connect_ex(('0.0.0.0', port)); s.recv(2)",
    "s = socket.socket(socket.AF_INET6); s.connect(('::ffff:127.0.0.1', port, 0, 0)); s.recv(2)",
    "s = socket.socket(type=socket.SOCK_DGRAM); s.sendto(b'hi', ('127.0.0.1', port))",
    "s = socket.socket(type=socket.SOCK_DGRAM); s.sendto(b'hi', 0, ('127.0.0.1', port))",
    "s = socket.socket(type=socket.SOCK_DGRAM); s.sendmsg([b'hi'], [], 0, ('127.0.0.1', port))",
    "s = socket.socket(type=socket.SOCK_DGRAM); s.connect(('127.0.0.1', port)); s.send(b'hi')",
    "ssl.create_default_context().wrap_socket(socket.socket(), server_hostname='x').connect(('127.0.0.1', port))",
    "s = socket.socket(socket.AF_UNIX); s.connect('/run/docker.sock')",
    "reader, _ = await asyncio.open_connection('127.0.0.1', port); await reader.read(2)",
    "reader, _ = await asyncio.open_connection('localhost', port, happy_eyeballs_delay=0.1); await reader.read(2)",
    "s = socket.socket(); s.setblocking(False); await asyncio.get_running_loop().sock_connect(s, ('127.0.0.1', port))",
    "await asyncio.get_running_loop().create_datagram_endpoint(asyncio.DatagramProtocol, remote_addr=('::1', port))",
    "stream = await anyio.connect_tcp('127.0.0.1', port); await stream.receive(2)",
    "stream = await anyio.connect_tcp('localhost', port); await stream.receive(2)",
    "c = Plain('127.0.0.1', port); c.request('GET', '/'); c.getresponse()",
    "smtplib.SMTP('127.0.0.1', port)",
    "ftplib.FTP().connect('127.0.0.1', port)",
    "await websockets.connect(f'ws://127.0.0.1:{port}')",
    "(await asyncio.to_thread(socket.create_connection, ('127.0.0.1', port))).recv(2)",
    "(await asyncio.get_running_loop().run_in_executor(None, socket.create_connection, ('127.0.0.1', port))).recv(2)",
    "p = concurrent.futures.ThreadPoolExecutor(); p.submit(socket.create_connection, ('127.0.0.1', port)).result()",
    "await anyio.to_thread.run_sync(socket.create_connection, ('127.0.0.1', port))",
    "await asyncio.create_task(asyncio.to_thread(socket.create_connection, ('127.0.0.1', port)))",
]


@pytest.fixture
def port() -> Iterator[int]:
    """Of a server that says "hi" to everyone, as TCP."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.sendall(b"hi")

    thread = threading.Thread(target=serve)
    thread.start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


async def _run(stage: Stage, way: str, port: int, *allowed: str) -> str:
    *before, last = way.split("; ")
    lines = "\n".join([*before, f"return {last}"])
    policy = ScriptSockets(OutboundPolicy.parse(allowed), "zone.example".__eq__)
    stage.add(HEAD + textwrap.indent(lines, " " * 8) + "\n", sockets=policy)
    return (await stage.get(headers={"port": str(port)})).text


@pytest.mark.parametrize("way", WAYS)
async def test_a_private_address_is_refused_however_a_library_opens_it(stage: Stage, way: str, port: int) -> None:
    text = await _run(stage, way, port)

    assert "allow_private" in text or "internet addresses only" in text or "connection attempts failed" in text
    assert "hi" not in text.replace("this", "").replace("which", "")


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@pytest.mark.parametrize(
    "way",
    [
        "await asyncio.create_task(asyncio.open_connection('127.0.0.1', port))",
        "await asyncio.create_task(anyio.connect_tcp('127.0.0.1', port))",
        "(await asyncio.gather(anyio.connect_tcp('localhost', port)))[0]",
        "await asyncio.get_running_loop().create_task(websockets.connect(f'ws://127.0.0.1:{port}').__aenter__())",
    ],
)
def test_a_task_that_a_library_works_in_is_held_under_the_edges_own_loop(
    tmp_path: Path, way: str, loop: str, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the task's stack ends with is the edge's `run`, which is not what works there."""
    if loop == "uvloop":
        pytest.importorskip("uvloop")
    monkeypatch.setenv(event_loop.LOOP_VARIABLE, loop)
    answers: list[str] = []

    async def main() -> None:
        stage = Stage(tmp_path)
        answers.append(await _run(stage, way, port))
        await stage.close()

    thread = threading.Thread(target=lambda: event_loop.run(main()))
    thread.start()
    thread.join()
    assert "allow_private" in answers[0] or "connection attempts failed" in answers[0]


@pytest.mark.parametrize("way", [way for way in WAYS if "recv(2)" in way or "read(2)" in way or "receive(2)" in way])
async def test_an_allowed_address_is_reached(stage: Stage, way: str, port: int) -> None:
    assert await _run(stage, way, port, "*") in ("b'hi'", "b'h'")


@pytest.mark.parametrize(
    "way",
    [
        "socket.create_connection(('zone.example', port))",
        "socket.gethostbyname('ZONE.example')",
        "socket.gethostbyname_ex('zone.example.')",
        "socket.getaddrinfo(host='zone.example', port=443)",
        "socket.getaddrinfo(b'zone.example', 443)",
        "await asyncio.get_running_loop().getaddrinfo('zone.example', 443)",
        "await asyncio.open_connection('zone.example', port)",
        "await asyncio.to_thread(socket.gethostbyname, 'zone.example')",
    ],
)
async def test_a_host_of_the_edge_is_not_reached_around_it(stage: Stage, way: str, port: int) -> None:
    assert "is served by this edge" in await _run(stage, way, port, "*")


async def test_a_name_that_may_be_private_is_reached_at_what_it_was_looked_up_to(stage: Stage, port: int) -> None:
    assert await _run(stage, "socket.create_connection(('localhost', port)).recv(2)", port, "localhost") == "b'hi'"
    assert "allow_private" in await _run(stage, "socket.create_connection(('127.0.0.1', port))", port, "localhost")


async def test_a_socket_is_told_once_for_each_line(stage: Stage, port: int, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "edgeworker.runtime.python.socket_guard")
    for _ in range(2):
        await _run(stage, "socket.create_connection(('127.0.0.1', port)).recv(2)", port, "*")
    await _run(
        stage, "pass; reader, _ = await asyncio.open_connection('127.0.0.1', port); await reader.read(2)", port, "*"
    )

    texts = [record.getMessage() for record in caplog.records]
    assert len(texts) == 2
    assert f"opens a socket to 127.0.0.1:{port} and blocks all other requests" in texts[0]
    assert "worker.py, line" in texts[0]
    assert "create_connection(('127.0.0.1', port)).recv(2)" in texts[0]
    assert "blocks" not in texts[1]


async def test_callers_that_are_not_scripts_connect_as_before(stage: Stage, port: int) -> None:
    stage.add_fetch("return Response('')")

    with socket.create_connection(("localhost", port)) as connection:
        assert connection.recv(1) == b"h"
    _, writer = await asyncio.open_connection("localhost", port)
    writer.close()
    await writer.wait_closed()


async def test_the_edges_own_work_for_a_script_is_not_the_scripts(stage: Stage, port: int) -> None:
    import edgeworker.server.pool as ours

    class Connecting:
        async def fetch(self, _request: Request, /) -> object:
            names = vars(ours)
            exec(
                "async def go(port):\n    import asyncio\n    return await asyncio.open_connection('localhost', port)",
                names,
            )
            reader, writer = await names.pop("go")(port)
            content = await reader.read(2)
            writer.close()
            await writer.wait_closed()
            raise OSError(content.decode())

    worker = stage.add_fetch(
        "try:\n    return await fetch('https://o.example/')\nexcept OSError as error:\n    return Response(str(error))"
    )
    response = await worker.run(Request("GET", URL.parse("https://a.b/")), Connecting())  # type: ignore[arg-type]

    assert response.body is not None
    assert b"hi" in await response.body.read()


async def test_threads_of_a_pool_that_a_script_began_work_for_others_later(stage: Stage, port: int) -> None:
    """The loop's own pool is filled by whichever comes first."""
    stage.add_fetch("import asyncio\nawait asyncio.to_thread(print)\nreturn Response('')")
    await stage.get()

    connection = await asyncio.to_thread(socket.create_connection, ("localhost", port))

    connection.close()


def test_the_socket_module_is_as_before_when_the_guard_is_taken_away() -> None:
    was_installed = "connect" in vars(socket.socket)
    socket_guard.uninstall()
    before = socket.getaddrinfo, threading.Thread.start, ThreadPoolExecutor.submit, set(vars(socket.socket))

    socket_guard.install()
    assert "connect" in vars(socket.socket)
    socket_guard.uninstall()

    assert (socket.getaddrinfo, threading.Thread.start, ThreadPoolExecutor.submit, set(vars(socket.socket))) == before
    assert "connect" not in before[-1]
    if was_installed:
        socket_guard.install()
