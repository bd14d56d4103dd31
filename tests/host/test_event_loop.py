"""Which event loop an edge runs on."""

import asyncio
import logging
import signal
import sys
from collections.abc import Callable

import pytest

from edgeworker.host import event_loop


def _loop_module() -> str:
    seen: list[str] = []

    async def main() -> None:
        seen.append(type(asyncio.get_running_loop()).__module__.partition(".")[0])

    event_loop.run(main())
    return seen[0]


def test_uvloop_is_used_where_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("uvloop")
    monkeypatch.delenv(event_loop.LOOP_VARIABLE, raising=False)

    assert _loop_module() == "uvloop"


def test_an_operator_can_keep_asyncios_own_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(event_loop.LOOP_VARIABLE, "asyncio")

    assert _loop_module() == "asyncio"


def test_nothing_needs_uvloop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(event_loop.LOOP_VARIABLE, raising=False)
    monkeypatch.setitem(sys.modules, "uvloop", None)

    assert _loop_module() == "asyncio"


def _stop(loop: asyncio.AbstractEventLoop) -> None:
    loop.stop()


def _stop_later(loop: asyncio.AbstractEventLoop) -> None:
    loop.call_soon(loop.stop)


def _exit_in_a_callback(loop: asyncio.AbstractEventLoop) -> None:
    loop.call_soon(sys.exit, 3)


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@pytest.mark.parametrize("way", [_stop, _stop_later, _exit_in_a_callback])
def test_a_script_that_stops_the_loop_does_not_end_the_edge(
    loop: str,
    way: Callable[[asyncio.AbstractEventLoop], None],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    if loop == "uvloop":
        pytest.importorskip("uvloop")
    monkeypatch.setenv(event_loop.LOOP_VARIABLE, loop)
    reached: list[str] = []
    tasks: list[int] = []

    async def main() -> None:
        running = asyncio.get_running_loop()
        for step in ("first", "second"):
            way(running)
            running.call_soon(reached.append, f"callback of the {step}")
            await asyncio.sleep(0.01)
            reached.append(step)
        tasks.append(len(asyncio.all_tasks()))

    event_loop.run(main())

    assert tasks == [2]  # `main` and what waits for it
    assert reached == ["callback of the first", "first", "callback of the second", "second"]
    assert caplog.text.count("the loop goes on") + caplog.text.count("which ends that alone") == 2


@pytest.mark.parametrize("error", [ValueError("broken"), SystemExit(2), RuntimeError("Event loop is closed")])
def test_what_main_raises_is_raised(error: BaseException, caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        await asyncio.sleep(0)
        raise error

    with caplog.at_level(logging.DEBUG, "edgeworker.host.event_loop"), pytest.raises(type(error)) as raised:
        event_loop.run(main())

    assert raised.value is error
    assert "goes on" not in caplog.text


def test_ctrl_c_ends_main_as_it_does_under_asyncio_run() -> None:
    ended: list[str] = []

    async def main() -> None:
        try:
            signal.raise_signal(signal.SIGINT)
            await asyncio.sleep(3600)
        finally:
            await asyncio.sleep(0)
            ended.append("cleaned up")

    with pytest.raises(KeyboardInterrupt):
        event_loop.run(main())
    assert ended == ["cleaned up"]
