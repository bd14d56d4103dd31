"""Connections that a script makes by uvloop, which opens them in C."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from edgeworker.edge.script_sockets import ScriptSockets
from edgeworker.messages import URL, Request
from edgeworker.runtime.python.loop_guard import guarded
from edgeworker.server.outbound import OutboundPolicy
from tests.runtime.stage import IMPORTS, Stage

uvloop = pytest.importorskip("uvloop")
SCRIPT = (
    IMPORTS
    + """
import asyncio

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        loop, port = asyncio.get_running_loop(), int(request.headers["port"])
        try:
            STATEMENT
        except Exception as error:
            return Response(f"{type(error).__name__}: {error}")
        return Response("connected")
"""
)
WAYS = [
    "(await asyncio.open_connection('127.0.0.1', port))[1].close()",
    "(await asyncio.open_connection('localhost', port))[1].close()",
    "(await asyncio.open_connection(b'127.0.0.1', port))[1].close()",
    "(await loop.create_connection(asyncio.Protocol, '127.0.0.1', port))[0].close()",
    "(await loop.create_datagram_endpoint(asyncio.DatagramProtocol, remote_addr=('127.0.0.1', port)))[0].close()",
]
REFUSED = [
    "await loop.create_datagram_endpoint(asyncio.DatagramProtocol, local_addr=('127.0.0.1', 0))",
    "await asyncio.open_unix_connection('/run/docker.sock')",
]


@pytest.fixture
def sync_stage(tmp_path: Path) -> Iterator[Stage]:
    """One whose script is loaded on a loop of its own."""
    stage = Stage(tmp_path)
    yield stage
    asyncio.run(stage.close())


def ask(stage: Stage, statement: str, policy: OutboundPolicy) -> str:
    """What the script answers on such a loop, with a server that listens on this machine."""

    async def main() -> str:
        server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            sockets = ScriptSockets(policy, lambda _host: False)
            worker = stage.add(SCRIPT.replace("STATEMENT", statement), sockets=sockets)
            request = Request("GET", URL.parse("https://w.example/"))
            request.headers.append("port", str(port))
            response = await worker.run(request, stage.origin)
            return "" if response.body is None else (await response.body.read()).decode()

    return on_loop(main)


def on_loop(main: Callable[[], Awaitable[str]]) -> str:
    async def run() -> str:
        return await main()

    with asyncio.Runner(loop_factory=guarded(uvloop.Loop)) as runner:
        return runner.run(run())


@pytest.mark.parametrize("statement", [*WAYS, *REFUSED])
def test_a_private_address_is_not_reached(sync_stage: Stage, statement: str) -> None:
    assert ask(sync_stage, statement, OutboundPolicy.parse(())).startswith("PermissionError: ")


@pytest.mark.parametrize("statement", WAYS)
def test_what_the_policy_allows_is_reached_and_told(
    sync_stage: Stage, statement: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert ask(sync_stage, statement, OutboundPolicy.parse(("*",))) == "connected"
    assert "opens a socket to" in caplog.text


def test_the_edge_itself_connects_as_before() -> None:
    async def main() -> str:
        server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
        async with server:
            _, writer = await asyncio.open_connection("127.0.0.1", server.sockets[0].getsockname()[1])
            writer.close()
        return "connected"

    assert on_loop(main) == "connected"


@pytest.mark.parametrize("call", ["loop.run_until_complete(work())", "asyncio.run(work())"])
def test_a_script_may_wait_on_the_loop_that_runs(sync_stage: Stage, call: str) -> None:
    work = "async def work():\n                await asyncio.sleep(0)\n                return 'waited'"

    assert ask(sync_stage, f"{work}\n            return Response({call})", OutboundPolicy.parse(())) == "waited"


def test_others_are_refused_as_before_while_a_script_is_loaded(sync_stage: Stage) -> None:
    sync_stage.add(SCRIPT)

    async def main() -> str:
        work = asyncio.sleep(0)
        with pytest.raises(RuntimeError, match="already running"):
            asyncio.get_running_loop().run_until_complete(work)
        work.close()
        return "refused"

    assert on_loop(main) == "refused"
