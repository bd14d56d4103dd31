"""Processes of scripts, and functions of C that they call by ctypes."""

import asyncio
import logging
import subprocess
import sys
import textwrap

import pytest

from edgeworker.edge.script_sockets import ScriptSockets
from edgeworker.runtime.python import process_guard
from edgeworker.runtime.python.told_once import ToldOnce
from edgeworker.server.outbound import OutboundPolicy
from tests.runtime.stage import IMPORTS, Stage

pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.usefixtures("garbage_of_module"),
]

HEAD = (
    IMPORTS
    + """
import asyncio, ctypes, ctypes.util, multiprocessing, os, platform, socket, subprocess, sys, threading

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        try:
            value = await self.value()
        except OSError as error:
            value = f"{type(error).__name__}: {error}"
        return Response(repr(value))

    async def value(self):
"""
)
SAYS_HI = "[sys.executable, '-c', 'print(\"hi\")']"
PROCESSES = [
    f"subprocess.run({SAYS_HI}, capture_output=True, check=True).stdout",
    f"subprocess.run({SAYS_HI}, capture_output=True, check=True, close_fds=False).stdout",
    "subprocess.check_output('echo hi', shell=True)",
    "os.popen('echo hi').read()",
    f"(await (await asyncio.create_subprocess_exec(*{SAYS_HI}, stdout=-1)).communicate())[0]",
    f"await asyncio.to_thread(subprocess.check_output, {SAYS_HI})",
]
OTHERS = [
    "os.system('echo hi')",
    "os.fork()",
    "os.execvp('echo', ['echo', 'hi'])",
    "os.spawnvp(os.P_WAIT, 'echo', ['echo', 'hi'])",
    "os.posix_spawn('/bin/echo', ['echo', 'hi'], {})",
    "multiprocessing.get_context('fork').Process(target=print).start()",
    "multiprocessing.get_context('spawn').Process(target=abs).start()",
    "ctypes.CDLL(None).socket(2, 1, 0)",
    "ctypes.CDLL(None)['connect']",
    "ctypes.CDLL(None).system(b'true')",
    "socket.create_server(('127.0.0.1', 0))",
    "await asyncio.start_server(print, '127.0.0.1', 0)",
]


@pytest.fixture(autouse=True)
def untold(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another test of this process may have brought the same warning, of a thread that has no line of a script."""
    monkeypatch.setattr(process_guard, "_told", ToldOnce())


async def _run(stage: Stage, way: str, *, allow_native: bool = False) -> str:
    policy = ScriptSockets(OutboundPolicy.parse(("*",)), lambda _host: False, allow_native)
    stage.add(HEAD + textwrap.indent(f"return {way}", " " * 8) + "\n", sockets=policy)
    return (await stage.get()).text


@pytest.mark.parametrize("way", [*PROCESSES, *OTHERS])
async def test_what_goes_past_the_outbound_policy_is_refused(
    stage: Stage, way: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        text = await _run(stage, way)

    assert "outbound.allow_native_sockets = true" in text
    assert 'worker "w": scripts may not use' in caplog.text
    assert "to_thread" in way or f"return {way}" in caplog.text


@pytest.mark.parametrize("way", PROCESSES)
async def test_an_operator_may_let_scripts_start_processes(stage: Stage, way: str) -> None:
    assert "hi" in await _run(stage, way, allow_native=True)


async def test_functions_of_c_that_do_not_connect_are_called(stage: Stage) -> None:
    assert await _run(stage, "ctypes.CDLL(None).abs(-5)") == "5"


@pytest.mark.parametrize(
    "way", ["ctypes.util._findSoname_ldconfig('c') is not None", "platform.processor() is not None"]
)
async def test_the_standard_library_may_ask_the_system(
    stage: Stage, way: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Many libraries look for others with `ctypes.util` while they are imported."""
    assert await _run(stage, way) == "True"
    assert caplog.text == ""


async def test_the_edge_itself_starts_processes_while_scripts_are_loaded(stage: Stage) -> None:
    await _run(stage, "1")

    assert await asyncio.to_thread(subprocess.check_output, [sys.executable, "-c", "print('hi')"]) == b"hi\n"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", "print('hi')", stdout=subprocess.PIPE)
    assert (await process.communicate())[0] == b"hi\n"
