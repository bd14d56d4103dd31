"""Calls of scripts that would end the process of all workers, or take over its signals."""

import asyncio
import logging
import os
import signal
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from edgeworker.edge.script_sockets import ScriptSockets
from edgeworker.runtime.contract.script_frames import enter_script
from edgeworker.runtime.python import ending_guard, modules
from edgeworker.runtime.python.told_once import ToldOnce
from edgeworker.server.outbound import OutboundPolicy
from tests.runtime.stage import IMPORTS, Stage

HEAD = (
    IMPORTS
    + """
import asyncio, os, signal, subprocess, sys, threading

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        try:
            value = await self.value()
        except (OSError, ValueError, NotImplementedError) as error:
            value = f"{type(error).__name__}: {error}"
        return Response(repr(value))

    async def value(self):
"""
)
# (what a script does, the exception, the name in its text)
REFUSED = [
    ("os._exit(0)", "OSError", "os._exit()"),
    ("os.abort()", "OSError", "os.abort()"),
    ("os.kill(os.getpid(), signal.SIGTERM)", "OSError", "os.kill()"),
    ("os.kill(os.getppid(), signal.SIGTERM)", "OSError", "os.kill()"),
    ("os.kill(0, signal.SIGTERM)", "OSError", "os.kill()"),
    ("os.killpg(os.getpgrp(), signal.SIGTERM)", "OSError", "os.killpg()"),
    ("await asyncio.to_thread(os._exit, 0)", "OSError", "os._exit()"),
    ("signal.raise_signal(signal.SIGTERM)", "OSError", "signal.raise_signal()"),
    ("signal.pthread_kill(threading.get_ident(), signal.SIGTERM)", "OSError", "signal.pthread_kill()"),
    ("signal.alarm(1)", "ValueError", "signal.alarm()"),
    ("signal.setitimer(signal.ITIMER_REAL, 1)", "ValueError", "signal.setitimer()"),
    ("signal.set_wakeup_fd(-1)", "ValueError", "signal.set_wakeup_fd()"),
    (
        "asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, print)",
        "NotImplementedError",
        "loop.add_signal_handler()",
    ),
    (
        "asyncio.get_running_loop().remove_signal_handler(signal.SIGTERM)",
        "NotImplementedError",
        "loop.remove_signal_handler()",
    ),
]


@pytest.fixture(autouse=True)
def untold(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another test of this process may have brought the same warning, of a thread that has no line of a script."""
    monkeypatch.setattr(ending_guard, "_told", ToldOnce())


async def _run(stage: Stage, way: str, *, allow_native: bool = False) -> str:
    policy = ScriptSockets(OutboundPolicy.parse(("*",)), lambda _host: False, allow_native)
    stage.add(HEAD + textwrap.indent(f"return {way}", " " * 8) + "\n", sockets=policy)
    return (await stage.get()).text


@pytest.mark.parametrize(("way", "error", "called"), REFUSED)
async def test_a_script_does_not_end_the_process_and_the_log_names_its_line(
    stage: Stage, way: str, error: str, called: str, caplog: pytest.LogCaptureFixture
) -> None:
    before = {number: signal.getsignal(number) for number in signal.valid_signals()}
    with caplog.at_level(logging.WARNING):
        text = await _run(stage, way)

    assert text.startswith((f"'{error}: ", f'"{error}: '))
    assert f"scripts may not call {called}" in text
    assert f'worker "w": scripts may not call {called}' in caplog.text
    assert "to_thread" in way or f"return {way}" in caplog.text
    assert {number: signal.getsignal(number) for number in signal.valid_signals()} == before


SETS = "signal.signal(signal.SIGTERM, print), signal.getsignal(signal.SIGTERM) is print, "


async def test_a_handler_that_a_script_sets_is_kept_for_it_and_the_process_keeps_its_own(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    before = signal.getsignal(signal.SIGTERM)
    with caplog.at_level(logging.WARNING):
        text = await _run(stage, f"({SETS} signal.signal(signal.SIGTERM, signal.SIG_IGN) is print)")

    assert text == repr((before, True, True))
    assert signal.getsignal(signal.SIGTERM) is before
    assert 'worker "w": signal.signal() has no effect' in caplog.text
    assert SETS in caplog.text


@pytest.mark.parametrize(
    ("way", "error"),
    [
        ("signal.signal(999, print)", "ValueError"),
        ("signal.signal(signal.SIGKILL, print)", "OSError"),
        ("signal.getsignal(999)", "ValueError"),
    ],
)
async def test_what_python_refuses_of_a_handler_is_refused(stage: Stage, way: str, error: str) -> None:
    assert f"{error}: " in await _run(stage, way)


@contextmanager
def _as_when_the_last_script_is_gone() -> Iterator[None]:
    """Another test's edge may still be open in this process: only the last one that is closed does this."""
    ending_guard.uninstall()
    try:
        yield
    finally:
        ending_guard.install()


async def test_the_loop_of_uvloop_is_guarded_too(stage: Stage) -> None:
    uvloop = pytest.importorskip("uvloop")
    stage.add(HEAD + " " * 8 + "return ''\n")
    loop, script = uvloop.new_event_loop(), next(iter(modules._open.values()))
    try:
        with enter_script(script), pytest.raises(NotImplementedError, match="may not call loop"):
            loop.add_signal_handler(signal.SIGTERM, print)
    finally:
        loop.close()
    with _as_when_the_last_script_is_gone():
        assert "add_signal_handler" not in vars(uvloop.Loop)


@pytest.mark.parametrize(
    "way",
    [
        "os.kill(os.getpid(), 0)",
        "signal.getsignal(signal.SIGTERM) is not None",
        "signal.strsignal(signal.SIGTERM)",
    ],
)
async def test_what_only_asks_is_let_through(stage: Stage, way: str) -> None:
    assert "may not" not in await _run(stage, way)


async def test_a_process_that_a_script_may_start_is_one_that_it_may_end(stage: Stage) -> None:
    starts = "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(3600)'])"
    way = f"(lambda child: (child.kill(), child.wait())[1])({starts})"

    assert await _run(stage, way, allow_native=True) == str(-signal.SIGKILL)


async def test_nothing_is_guarded_when_scripts_are_gone(stage: Stage) -> None:
    assert "may not" in await _run(stage, "os._exit(0)")

    with _as_when_the_last_script_is_gone():
        assert not hasattr(os._exit, "__wrapped__")
        assert not hasattr(signal.signal, "__wrapped__")
        assert not hasattr(asyncio.SelectorEventLoop.add_signal_handler, "__wrapped__")
