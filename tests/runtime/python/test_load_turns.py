"""A script that is loaded while others serve requests: the event loop turns between its modules."""

import asyncio
import socket
import sys
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from edgeworker.config import Worker
from edgeworker.errors import ScriptError
from edgeworker.runtime import Isolate, load
from edgeworker.runtime.python.load_turns import (
    QUICK_PACE,
    REQUESTS_FIRST_PACE,
    LoadingPace,
    LoadingPauses,
    load_in_turns,
)
from tests.patience import PATIENCE_SECONDS

_WORKER = """\
import asyncio
import threading

from workers import Response, WorkerEntrypoint

import first
import second

THREAD = threading.get_ident()
LOOP = asyncio.get_running_loop()


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return Response(first.SAYS + second.SAYS)
"""


_EACH_MODULE_IS_A_STEP = LoadingPauses(LoadingPace(step_seconds=0.0, pause_seconds=0.0))
_AN_HOUR = 3600.0
_PAUSES_OF_AN_HOUR = LoadingPace(step_seconds=0.0, pause_seconds=_AN_HOUR)


@pytest.fixture
def worker(tmp_path: Path) -> Worker:
    (tmp_path / "worker.py").write_text(_WORKER)
    (tmp_path / "first.py").write_text("SAYS = 'a'\n")
    (tmp_path / "second.py").write_text("SAYS = 'b'\n")
    return Worker("w", tmp_path / "worker.py")


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of installed libraries."""
    folder = tmp_path / "installed"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    yield folder
    for name in [name for name in sys.modules if name.startswith("library_of_turns")]:
        del sys.modules[name]


async def _turns_of(worker: Worker) -> tuple[int, Isolate]:
    """How many turns the loop had meanwhile, and what was loaded."""
    turns = 0
    done = False

    async def count() -> None:
        nonlocal turns
        while not done:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.ensure_future(count())
    await asyncio.sleep(0)
    turns = 0
    try:
        isolate = await load_in_turns(partial(load, worker), _EACH_MODULE_IS_A_STEP)
    finally:
        done = True
        await counting
    return turns, isolate


async def test_the_event_loop_turns_before_each_module(worker: Worker) -> None:
    turns, isolate = await _turns_of(worker)

    assert turns >= 3  # worker.py and its two modules
    await isolate.close()


async def test_the_event_loop_turns_before_each_class_of_a_module(worker: Worker) -> None:
    plain, isolate = await _turns_of(worker)
    await isolate.close()
    assert worker.main is not None
    (worker.main.parent / "first.py").write_text("class A: ...\nclass B(A): ...\nclass C(A): ...\nSAYS = 'a'\n")

    turns, isolate = await _turns_of(worker)

    assert turns >= plain + 3
    await isolate.close()


@pytest.mark.parametrize(
    ("step", "pause"),
    [
        pytest.param(0.0001, 0.002, id="the shortest"),
        pytest.param(0.001, 0.01, id="ten times the step"),
        pytest.param(3.0, 0.05, id="never long, whatever a script does when it is imported"),
    ],
)
def test_a_pause_is_as_long_as_the_step_was(step: float, pause: float) -> None:
    assert REQUESTS_FIRST_PACE.pause_after(step) == pytest.approx(pause)
    assert QUICK_PACE.pause_after(step) == pytest.approx(0.002)


async def test_a_load_beside_no_requests_makes_no_pauses(worker: Worker) -> None:
    pauses = LoadingPauses(_PAUSES_OF_AN_HOUR, lambda: False, longest_seconds=_AN_HOUR)

    async with asyncio.timeout(PATIENCE_SECONDS):
        isolate = await load_in_turns(partial(load, worker), pauses)

    await isolate.close()


async def test_a_pause_ends_with_the_last_request_under_way(worker: Worker) -> None:
    looks = 0

    def is_busy() -> bool:
        nonlocal looks
        looks += 1
        return looks % 3 > 0

    pauses = LoadingPauses(_PAUSES_OF_AN_HOUR, is_busy, longest_seconds=_AN_HOUR)

    async with asyncio.timeout(PATIENCE_SECONDS):
        isolate = await load_in_turns(partial(load, worker), pauses)

    assert looks >= 3 * 3  # of worker.py and its two modules
    await isolate.close()


async def test_all_pauses_together_are_bounded_beside_requests_that_never_end(worker: Worker) -> None:
    pauses = LoadingPauses(_PAUSES_OF_AN_HOUR, lambda: True, longest_seconds=0.01)

    async with asyncio.timeout(PATIENCE_SECONDS):
        isolate = await load_in_turns(partial(load, worker), pauses)

    await isolate.close()


async def test_a_request_that_came_during_a_step_is_begun_before_the_next_one(worker: Worker) -> None:
    """The loop reads it, starts its task, and runs that: in between nothing is under way."""
    served: list[bytes] = []
    ours, theirs = socket.socketpair()
    reader, writer = await asyncio.open_unix_connection(sock=ours)

    async def serve() -> None:
        served.append(await reader.readexactly(1))

    serving = asyncio.ensure_future(serve())
    await asyncio.sleep(0)
    theirs.send(b"r")

    await LoadingPauses(QUICK_PACE, lambda: False).pause_after(0.0)

    assert served == [b"r"]
    await serving
    writer.close()
    theirs.close()


async def test_a_class_is_made_in_the_frame_that_it_is_written_in(worker: Worker) -> None:
    """Metaclasses look there for what annotations mean (pydantic's does)."""
    assert worker.main is not None
    (worker.main.parent / "first.py").write_text("""\
import sys

class Looking(type):
    def __new__(cls, name, bases, members, *, key):
        frame = sys._getframe(1)
        return super().__new__(cls, name, bases, {**members, "KEY": key, "FRAME": frame.f_code.co_name})

def make():
    class Looked(metaclass=Looking, key="k"):
        def own(self):
            return __class__.__qualname__
    return Looked

FOUND = make()
SAYS = " ".join((FOUND.KEY, FOUND.FRAME, FOUND().own(), FOUND.__module__))
""")

    _, isolate = await _turns_of(worker)

    main = next(module for name, module in sys.modules.items() if name.startswith("w@") and name.endswith(":first"))
    assert vars(main)["SAYS"] == "k make make.<locals>.Looked first"
    await isolate.close()


async def test_a_module_that_is_loaded_in_turns_runs_in_the_thread_and_on_the_loop_that_serve_requests(
    worker: Worker,
) -> None:
    _, isolate = await _turns_of(worker)

    main = next(module for name, module in sys.modules.items() if name.startswith("w@") and name.endswith(":worker"))
    found = vars(main)
    assert found["THREAD"] == threading.get_ident()
    assert found["LOOP"] is asyncio.get_running_loop()
    await isolate.close()


async def test_a_mistake_in_a_module_is_told_as_without_turns(worker: Worker) -> None:
    assert worker.main is not None
    (worker.main.parent / "second.py").write_text("SAYS = nothing\n")

    with pytest.raises(ScriptError) as plainly:
        load(worker)
    with pytest.raises(ScriptError) as in_turns:
        await load_in_turns(partial(load, worker), _EACH_MODULE_IS_A_STEP)

    assert str(in_turns.value) == str(plainly.value)
    assert not [name for name in sys.modules if name.startswith("w@")]


async def test_a_load_that_is_cancelled_leaves_no_module_behind(worker: Worker) -> None:
    loading = asyncio.ensure_future(load_in_turns(partial(load, worker), _EACH_MODULE_IS_A_STEP))
    for _ in range(1000):
        if [name for name in sys.modules if name.startswith("w@") and name.endswith(":workers")]:
            break
        await asyncio.sleep(0)

    loading.cancel()

    with pytest.raises(asyncio.CancelledError):
        await loading
    assert not [name for name in sys.modules if name.startswith("w@")]


async def test_no_turn_is_given_while_a_library_is_half_imported(worker: Worker, library: Path) -> None:
    """Another request's import of the library would find it half loaded."""
    assert worker.main is not None
    (library / "library_of_turns.py").write_text("import settings_of_turns\n\nSAYS = settings_of_turns.SAYS\n")
    (worker.main.parent / "settings_of_turns.py").write_text("SAYS = 'c'\n")
    (worker.main.parent / "first.py").write_text("from library_of_turns import SAYS\n")
    half: list[bool] = []
    done = False

    async def look() -> None:
        while not done:
            module = sys.modules.get("library_of_turns")
            half.append(module is not None and not hasattr(module, "SAYS"))
            await asyncio.sleep(0)

    looking = asyncio.ensure_future(look())
    isolate = await load_in_turns(partial(load, worker), _EACH_MODULE_IS_A_STEP)
    done = True
    await looking

    assert len(half) > 1
    assert not any(half)
    await isolate.close()
