"""One edge at a time on a data directory."""

import errno
import fcntl
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from edgeworker.errors import StoreError
from edgeworker.host.data_lock import LOCK, find_holder, hold_data
from tests.patience import PATIENCE_SECONDS

HOLDING = """
import sys
from pathlib import Path
from edgeworker.host.data_lock import hold_data
hold_data(Path(sys.argv[1]))
print(flush=True)
"""


def _hold(data: Path, after: str = "sys.stdin.read()") -> "subprocess.Popen[bytes]":
    """A process that has the lock, once its first line was read."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDING + after, str(data)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"\n"
    return process


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    process.wait(PATIENCE_SECONDS)
    process.communicate()


def test_a_second_process_is_refused_and_told_who_holds_it_until_that_one_is_killed(tmp_path: Path) -> None:
    process = _hold(tmp_path)
    try:
        with pytest.raises(StoreError) as refused:
            hold_data(tmp_path)
    finally:
        _end(process)

    assert f"{tmp_path}: another edge (process {process.pid})" in str(refused.value)
    assert f"(kill {process.pid})" in str(refused.value)
    assert "--persist-to" in str(refused.value)
    hold_data(tmp_path)


def test_the_file_is_for_its_owner_only(tmp_path: Path) -> None:
    hold_data(tmp_path)

    file = tmp_path / LOCK
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


FORKING = """
import os
if not os.fork():
    opened = os.open(os.devnull, os.O_RDONLY)  # gets the number that the lock had
    if not os.fork():
        try:
            os.fstat(opened)
        except OSError:
            print("closed", flush=True)
print(flush=True)
sys.stdin.read()
"""


def test_children_that_outlive_the_holder_do_not_hold_the_lock_and_keep_their_own_files(tmp_path: Path) -> None:
    process = _hold(tmp_path, FORKING)  # all three wait for the end of stdin
    assert process.stdout is not None
    said = [process.stdout.readline() for _ in range(3)]
    process.kill()
    process.wait(PATIENCE_SECONDS)
    try:
        hold_data(tmp_path)
    finally:
        process.communicate()

    assert said == [b"\n"] * 3


@pytest.mark.parametrize("content", [b"", b"x", b"-5", b"0", b"1", b"99999999999999999999", b"\xff", b"4\x00"])
def test_a_holder_that_is_not_known_is_not_named(tmp_path: Path, content: bytes) -> None:
    process = _hold(tmp_path)
    try:
        (tmp_path / LOCK).write_bytes(content)
        with pytest.raises(StoreError, match=r": another edge uses this data directory"):
            hold_data(tmp_path)
    finally:
        _end(process)


def test_a_holder_of_this_id_is_in_another_container_and_not_named(tmp_path: Path) -> None:
    process = _hold(tmp_path)
    try:
        (tmp_path / LOCK).write_text(str(os.getpid()))
        with pytest.raises(StoreError, match=r": another edge uses"):
            hold_data(tmp_path)
    finally:
        _end(process)


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS])
def test_a_file_system_without_locks_is_warned_of(
    tmp_path: Path, number: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(_descriptor: int, _operation: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refuse)

    hold_data(tmp_path)

    assert f"this file system has no locks ({os.strerror(number)})" in caplog.text


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("")

    with pytest.raises(StoreError, match="run/lock: cannot be opened"):
        hold_data(tmp_path)


def test_the_holder_is_found_while_it_runs(tmp_path: Path) -> None:
    assert find_holder(tmp_path) is None
    process = _hold(tmp_path)

    assert find_holder(tmp_path) == process.pid
    _end(process)
    assert find_holder(tmp_path) is None  # its id is still in the file


def test_a_holder_that_is_not_on_this_machine_is_no_process_of_it(tmp_path: Path) -> None:
    process = _hold(tmp_path)
    (tmp_path / LOCK).write_text("999999999")

    with pytest.raises(StoreError, match="the edge that uses it does not run here; ask on its machine"):
        find_holder(tmp_path)
    _end(process)


def test_a_process_that_does_not_have_the_file_is_not_the_holder_whatever_the_file_says(tmp_path: Path) -> None:
    process = _hold(tmp_path)
    with subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE) as other:
        (tmp_path / LOCK).write_text(str(other.pid))

        with pytest.raises(StoreError, match="the edge that uses it does not run here"):
            find_holder(tmp_path)
    _end(process)


LOOKED_AT = """
import fcntl, os, sys, time
from pathlib import Path
from edgeworker.host.data_lock import LOCK, hold_data
file = Path(sys.argv[1]) / LOCK
file.parent.mkdir()
file.touch()
looking = os.open(file, os.O_RDONLY)
fcntl.flock(looking, fcntl.LOCK_SH)
time.sleep = lambda seconds: os.close(looking)
hold_data(Path(sys.argv[1]))
"""


def test_a_look_for_the_holder_keeps_no_edge_from_its_start(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", LOOKED_AT, str(tmp_path)], check=True, timeout=PATIENCE_SECONDS)
