"""The parent of several processes, with processes that only say what they are told to do."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from edgeworker.host.processes import reload_at_once
from tests.patience import PATIENCE_SECONDS

_PROGRAM = """\
import logging
import os
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path

from edgeworker.host.child_reports import Report, ReportKind
from edgeworker.host.forked_trials import TRIAL_PASSED, TrialRequests
from edgeworker.host.processes import Supervisor, Work
from edgeworker.host.reload_outcome import ReloadOutcomeFile

at_once, longest_seconds, stuck, failing = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3], sys.argv[4]
logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(message)s")


def say(line):
    os.write(1, f"{line}\\n".encode())


def serve(slot, tell, loaded):
    if failing:
        raise ZeroDivisionError("a mistake of ours")
    numbers = {signal.SIGHUP, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    tell(Report(ReportKind.READY))
    while signal.sigwait(numbers) == signal.SIGHUP:
        say(f"begins {slot}")
        if str(slot) == stuck:
            continue
        time.sleep(0.1)
        say(f"ends {slot}")
        tell(Report(ReportKind.RELOADED))
    return 0


with tempfile.TemporaryDirectory() as folder:
    reloads = ReloadOutcomeFile.create(Path(folder))
work = Work(serve, lambda: TRIAL_PASSED, 5.0, lambda what: TRIAL_PASSED, TrialRequests(), lambda: None, reloads)
supervisor = Supervisor(work, 3, reload_at_once=at_once, longest_turn_seconds=longest_seconds)
sys.exit(supervisor.run())
"""
_AN_HOUR = "3600"


@contextmanager
def _running(*arguments: str) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen([sys.executable, "-c", _PROGRAM, *arguments], stdout=subprocess.PIPE, text=True)
    # Its children end with it, and then the reading of what they say.
    too_late = threading.Timer(3 * PATIENCE_SECONDS, process.kill)
    too_late.start()
    try:
        yield process
    finally:
        too_late.cancel()
        process.terminate()
        try:
            process.wait(PATIENCE_SECONDS)
        finally:
            process.kill()
            process.communicate()


def _read_until(process: "subprocess.Popen[str]", *expected: str) -> list[str]:
    """The lines up to the last of the expected ones, in whatever order they come."""
    assert process.stdout is not None
    lines: list[str] = []
    missing = set(expected)
    while missing:
        line = process.stdout.readline()
        assert line, f"ended before {sorted(missing)}: {lines}"
        lines.append(line.rstrip("\n"))
        missing.discard(lines[-1])
    return lines


def test_one_process_after_the_other_reloads() -> None:
    """Cores are left for requests meanwhile."""
    with _running("1", _AN_HOUR, "", "") as process:
        _read_until(process, "ready")

        process.send_signal(signal.SIGHUP)

        lines = _read_until(process, "ends 0", "ends 1", "ends 2")
        assert lines == [f"{what} {slot}" for slot in range(3) for what in ("begins", "ends")]


def test_on_more_processors_more_processes_reload_at_once() -> None:
    with _running("2", _AN_HOUR, "0", "") as process:
        _read_until(process, "ready")

        process.send_signal(signal.SIGHUP)

        # The first one never ends, and the third one waits for the end of the second.
        lines = _read_until(process, "begins 0", "ends 1", "ends 2")
        assert lines.index("ends 1") < lines.index("begins 2")


def test_a_process_whose_reload_takes_too_long_holds_no_other_up() -> None:
    with _running("1", "0", "0", "") as process:
        _read_until(process, "ready")

        process.send_signal(signal.SIGHUP)

        _read_until(process, "begins 0", "ends 1", "ends 2")


def test_a_mistake_of_ours_in_a_process_is_in_the_log_with_its_place() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, "1", _AN_HOUR, "", "failing"],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
        timeout=3 * PATIENCE_SECONDS,
    )

    assert done.returncode == 1
    assert "ZeroDivisionError: a mistake of ours" in done.stdout
    assert ", in serve\n" in done.stdout


@pytest.mark.parametrize(("processors", "at_once"), [(1, 1), (2, 1), (4, 2), (64, 32)])
def test_half_of_the_processors_are_for_processes_that_reload(
    monkeypatch: pytest.MonkeyPatch, processors: int, at_once: int
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: processors)

    assert reload_at_once() == at_once


_LEAVING = """
import os, signal, sys, time
from pathlib import Path
from edgeworker.host.forked_trials import TrialRequests
from edgeworker.host.processes import Supervisor, Work
from edgeworker.host.reload_outcome import ReloadOutcomeFile

place = Path(sys.argv[1])

def serve(slot, tell, loaded):
    if slot == 0 and not (place / "orphan").exists():
        orphan = os.fork()
        if orphan == 0:
            signal.alarm(600)  # so that it ends, whatever becomes of the test
            while True:
                time.sleep(1)
        (place / "draft").write_text(str(orphan))
        (place / "draft").rename(place / "orphan")
        os._exit(1)
    signal.pause()
    return 0

reloads = ReloadOutcomeFile.create(place)
work = Work(serve, lambda: 0, 1.0, lambda what: 0, TrialRequests(), lambda: None, reloads)
Supervisor(work, 2, reload_at_once=1).run()
"""


def _parent_of(process: int) -> int | None:
    """None if it is gone, a zombie counts as being there."""
    try:
        state = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return None
    return int(state.rpartition(")")[2].split()[1])


def test_what_a_killed_process_leaves_behind_is_adopted_and_reaped(tmp_path: Path) -> None:
    """The first process of a container may reap nothing: workerd stayed there as a zombie for each killed process."""
    parent = subprocess.Popen([sys.executable, "-c", _LEAVING, str(tmp_path)])
    until = time.monotonic() + PATIENCE_SECONDS
    try:
        while not (tmp_path / "orphan").exists():
            assert time.monotonic() < until
            time.sleep(0.01)
        orphan = int((tmp_path / "orphan").read_text())
        while _parent_of(orphan) != parent.pid:
            assert time.monotonic() < until, "it was not adopted"
            time.sleep(0.01)

        os.kill(orphan, 9)

        while _parent_of(orphan) is not None:
            assert time.monotonic() < until, "it is a zombie"
            time.sleep(0.01)
    finally:
        parent.kill()
        parent.wait(PATIENCE_SECONDS)
