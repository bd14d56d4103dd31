"""The access log: the line of nginx's "combined", files that are moved away, a pipe that no one reads."""

import os
import signal
import time
from pathlib import Path

import pytest

from edgeworker.cli.serve.request_file import combined_line
from tests.cli.running import SECONDS
from tests.cli.serve.serving import serve, write_project
from tests.metrics.test_counters import record


def test_a_line_is_as_nginx_writes_it_without_what_may_be_secret() -> None:
    line = combined_line(record(client="203.0.113.7", ray="abc-LOC", path="/a"), now_ms=1_764_352_800_500)

    assert line == (
        '203.0.113.7 - - [28/Nov/2025:18:00:00 +0000] "GET /a HTTP/1.1" 200 7 "-" "-" a.test abc-LOC shop 0.0200 -\n'
    )


def test_what_a_client_wrote_cannot_end_the_line_or_the_quotes() -> None:
    line = combined_line(record(path='/"\n\\x'), now_ms=0)

    assert line.count("\n") == 1
    assert '"GET /\\x22\\x0A\\x5Cx HTTP/1.1"' in line


def test_the_access_log_is_a_file_that_logrotate_can_move(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    config = write_project(tmp_path)
    log, moved = tmp_path / "access.log", tmp_path / "access.log.1"
    before = os.umask(0)
    request.addfinalizer(lambda: os.umask(before))

    with serve("-c", str(config), "--access-log", str(log), cwd=tmp_path) as served:
        served.get("/one?token=secret")
        wait_for_text(log, '"path": "/one"')
        log.rename(moved)
        served.get("/two")
        wait_for_text(moved, '"path": "/two"')
        served.send(signal.SIGUSR1)
        while not log.exists():
            time.sleep(0.01)
        served.get("/three")
        wait_for_text(log, '"path": "/three"')

    # Addresses and paths are for the owner and the group, whatever the umask.
    assert [file.stat().st_mode & 0o777 for file in (log, moved)] == [0o640, 0o640]
    assert "secret" not in moved.read_text()
    assert "/three" not in moved.read_text()


def test_a_program_that_reads_the_access_log_no_more_keeps_no_request_waiting(tmp_path: Path) -> None:
    config = write_project(tmp_path)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)

    with serve("-c", str(config), "--processes", "2", "--access-log", str(pipe), cwd=tmp_path) as served:
        path = "/" + "a" * 8000  # twice in a line, and a pipe holds 64 KiB
        for _ in range(20):
            assert served.get(path).status == 200
        assert os.read(reader, 10) == b'{"time": "'
        assert served.stop() == 0
    os.close(reader)


def wait_for_text(file: Path, text: str) -> None:
    until = time.monotonic() + 3 * SECONDS
    while text not in file.read_text():
        assert time.monotonic() < until, file.read_text()
        time.sleep(0.01)
