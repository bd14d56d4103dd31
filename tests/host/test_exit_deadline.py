"""A process ends although threads of scripts still run."""

import logging
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from edgeworker.host.exit_deadline import ExitDeadline
from tests.patience import PATIENCE_SECONDS
from tests.runtime.stage import Stage


def test_a_thread_of_a_script_does_not_hold_the_process_up() -> None:
    program = """
import threading, time
from edgeworker.host.exit_deadline import ExitDeadline
threading.Thread(target=time.sleep, args=(3600,), name="left over").start()
ExitDeadline().set(0.01)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
    )

    assert done.returncode == 0
    assert 'a thread still runs, "left over" of a script or a library' in done.stderr


async def test_the_log_names_the_worker_and_the_line(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    ended = threading.Event()
    stage = Stage(tmp_path)
    stage.add_fetch(
        """
        if started.is_set():
            release.set()
        else:
            threading.Thread(target=wait).start()
            started.wait()
        return Response("")
        """,
        above="""
        import threading
        started, release = threading.Event(), threading.Event()
        def wait():
            started.set()
            release.wait()
        """,
    )
    await stage.get()

    with caplog.at_level(logging.WARNING):
        deadline = ExitDeadline(leave=ended.set)
        deadline.set(0)
        assert ended.wait(PATIENCE_SECONDS)
    await stage.get()
    await stage.close()

    assert 'a thread still runs, of worker "w" (' in caplog.text


def test_a_deadline_that_is_set_again_has_moved() -> None:
    ended = threading.Event()
    deadline = ExitDeadline(leave=ended.set)

    deadline.set(3600)
    deadline.set(0)

    assert ended.wait(PATIENCE_SECONDS)
