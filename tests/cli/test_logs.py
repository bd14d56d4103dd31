import asyncio
import errno
import io
import json
import logging
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import pytest

from edgeworker.cli import logs
from edgeworker.cli.piped_lines import MOST_WAITING_BYTES
from edgeworker.messages import URL, Client, Headers, Request
from edgeworker.messages.log_fields import log_fields
from tests.patience import PATIENCE_SECONDS


@dataclass
class LimitedFile:
    file: TextIO
    path: Path
    room: int = 0  # bytes
    real_write = staticmethod(os.write)

    def write(self, descriptor: int, content: bytes) -> int:
        if descriptor != self.file.fileno():
            return self.real_write(descriptor, content)
        if not self.room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = self.real_write(descriptor, content[: self.room])
        self.room -= written
        return written


@pytest.fixture(autouse=True)
def _root_logger_is_restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.getLogger("edgeworker").setLevel(logging.NOTSET)


def test_json_lines_carry_the_fields_of_a_record(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up(as_json=True)

    logging.getLogger("edgeworker.x").info("hello %s", "there", extra={"fields": {"status": 200}})

    line = json.loads(capsys.readouterr().err)
    assert (line["message"], line["level"], line["logger"], line["status"]) == (
        "hello there",
        "info",
        "edgeworker.x",
        200,
    )


def test_text_lines_name_the_level_only_when_something_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up(as_json=False)
    log = logging.getLogger("edgeworker.x")

    log.info("fine")
    log.debug("too much")
    try:
        raise ValueError("inner")
    except ValueError:
        log.error("bad", exc_info=sys.exc_info())

    said = capsys.readouterr().err
    assert said.startswith("fine\nerror: bad\n")
    assert "ValueError: inner" in said
    assert "too much" not in said


def test_a_line_about_a_request_says_when_who_and_which_one(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    logs.set_up(as_json=False)
    request = Request(
        "GET", URL.parse("http://a/"), Headers({"CF-Ray": "c98ff6359c88fa80-LOC"}), client=Client("203.0.113.7")
    )
    # Of logging, up to Python 3.12 and from 3.13 on.
    monkeypatch.setattr("time.time", lambda: 1_800_000_000.5)
    monkeypatch.setattr("time.time_ns", lambda: 1_800_000_000_500_000_000)

    logging.getLogger("edgeworker.x").warning("530: nothing\nhere", extra=log_fields(request))

    line = "warning: 2027-01-15T08:00:00Z 203.0.113.7 c98ff6359c88fa80-LOC 530: nothing\nhere\n"
    assert capsys.readouterr().err == line


def test_others_libraries_are_heard_from_warnings_on(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up(as_json=False)

    logging.getLogger("asyncio").info("chatter")
    logging.getLogger("asyncio").warning("slow")

    assert capsys.readouterr().err == "warning: slow\n"


def test_what_is_printed_becomes_whole_lines_of_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up(as_json=True)
    stream = logs.PrintedLines()

    print("a", 1, file=stream)
    print("half", end="", file=stream)
    print(" and half\nnext", file=stream)

    messages = [json.loads(line)["message"] for line in capsys.readouterr().err.splitlines()]
    assert messages == ["a 1", "half and half", "next"]


def test_what_is_printed_without_a_line_end_is_not_kept_for_ever(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up(as_json=False)
    stream = logs.PrintedLines()

    for _ in range(3):
        print("x" * 40_000, end="", file=stream)

    assert capsys.readouterr().err == "x" * 80_000 + "\n"


async def test_lines_that_may_wait_are_written_together_at_the_end_of_the_loops_turn() -> None:
    stream = _Counting()
    log = logs.LogStream(stream)

    log.later("one\n")
    log.later("two\n")
    assert stream.getvalue() == ""
    await asyncio.sleep(0)

    assert (stream.getvalue(), stream.writes) == ("one\ntwo\n", 1)
    log.later("three\n")
    await asyncio.sleep(0)
    assert stream.getvalue() == "one\ntwo\nthree\n"


async def test_a_record_does_not_overtake_the_lines_before_it() -> None:
    stream = io.StringIO()
    log = logs.LogStream(stream)

    log.later("one\n")
    log.handle(logging.LogRecord("x", logging.WARNING, "", 0, "two", None, None))

    assert stream.getvalue() == "one\ntwo\n"


async def test_lines_that_wait_at_the_end_are_written() -> None:
    stream = io.StringIO()
    log = logs.LogStream(stream)

    log.later("one\n")
    log.close()

    assert stream.getvalue() == "one\n"


async def test_a_reader_that_went_away_is_not_a_failure_of_the_request() -> None:
    class Gone(io.StringIO):
        def write(self, text: str, /) -> int:
            raise BrokenPipeError

    log = logs.LogStream(Gone())

    log.later("one\n")
    log.write_waiting()


async def test_a_reader_that_takes_nothing_delays_no_request_and_is_told_later_what_it_missed() -> None:
    read, write = os.pipe()
    count = 2 * MOST_WAITING_BYTES // 100
    with os.fdopen(read, "rb", buffering=0) as reader, os.fdopen(write, "w") as stream:
        log = logs.LogStream(stream)
        for _ in range(count):
            log.later("x" * 99 + "\n")
            await asyncio.sleep(0)
        os.set_blocking(read, False)
        taken, until = b"", time.monotonic() + PATIENCE_SECONDS
        while not taken.endswith(b"its reader takes no more\n") and time.monotonic() < until:
            taken += reader.read(65536) or b""
            await asyncio.sleep(0)

    *lines, told = taken.splitlines()
    assert set(lines) == {b"x" * 99}
    assert told == b"%d line(s) of this log could not be written: its reader takes no more" % (count - len(lines))


_ENDING = """
import asyncio, sys
from edgeworker.cli import logs

async def main():
    stream = logs.set_up(as_json=False)
    for number in range(2000):
        stream.later(f"{number} " + "x" * 100 + "\\n")

asyncio.run(main())
"""


def test_the_last_lines_reach_a_pipe_when_the_process_ends() -> None:
    done = subprocess.run([sys.executable, "-c", _ENDING], capture_output=True, text=True, check=True)

    assert [line.split()[0] for line in done.stderr.splitlines()] == [str(number) for number in range(2000)]


class _Counting(io.StringIO):
    writes = 0

    def write(self, text: str, /) -> int:
        self.writes += 1
        return super().write(text)


def test_what_a_client_did_has_a_time_as_text_too(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up(as_json=False)
    log = logging.getLogger("edgeworker.host.management.application")

    log.info("REST API: %s", "PUT /x 200", extra={"fields": {"client": "127.0.0.1"}})
    log.info("ready")

    timed, plain = capsys.readouterr().err.splitlines()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ REST API: PUT /x 200", timed)
    assert plain == "ready"


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[LimitedFile]:
    """A file whose size is bounded, as a disk is that is full."""
    with open(tmp_path / "log", "a", encoding="utf-8") as file:
        yield LimitedFile(file, tmp_path / "log")


def test_lines_that_cannot_be_written_are_lost_and_later_counted(
    full_disk: LimitedFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = logs.LogStream(full_disk.file)
    told: list[tuple[int, str]] = []
    stream.tell_lost = lambda lost, why: told.append((lost, why))
    log = logging.getLogger("edgeworker.x")
    logging.getLogger().handlers[:] = [stream]

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full_disk.write)
        full_disk.room = 18
        for number in range(5):
            log.error("line %d", number)
    log.error("after")

    assert full_disk.path.read_text().splitlines() == ["line 0", "line 1", "line", "after"]
    assert told == [(3, "No space left on device")]


def test_a_new_file_does_not_begin_with_the_end_of_a_line_of_the_old_one(
    full_disk: LimitedFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = logs.LogStream(full_disk.file)
    logging.getLogger().handlers[:] = [stream]
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full_disk.write)
        full_disk.room = 3
        logging.getLogger("edgeworker.x").error("line")

    with (tmp_path / "new").open("a", encoding="utf-8") as new:
        stream.replace_stream(new)
        logging.getLogger("edgeworker.x").error("after")

    assert full_disk.path.read_text() == "lin"
    assert (tmp_path / "new").read_text().startswith("after\n")


def test_the_same_log_says_how_many_of_its_lines_were_lost(
    full_disk: LimitedFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = logs.LogStream(full_disk.file)
    logging.getLogger().handlers[:] = [stream]
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full_disk.write)
        logging.getLogger("edgeworker.x").error("lost")

    logging.getLogger("edgeworker.x").error("after")
    logging.getLogger("edgeworker.x").error("and more")

    assert full_disk.path.read_text().splitlines() == [
        "after",
        "1 line(s) of this log could not be written: No space left on device",
        "and more",
    ]


def test_a_log_that_is_closed_stops_no_one() -> None:
    reading, writing = os.pipe()
    with os.fdopen(writing, "w") as file:
        stream = logs.LogStream(file)
        logging.getLogger().handlers[:] = [stream]
        os.close(reading)
        logging.getLogger("edgeworker.x").error("no one reads it")

    logging.getLogger("edgeworker.x").error("it is closed")


def test_a_file_that_was_cut_goes_on_at_its_begin(tmp_path: Path) -> None:
    """logrotate's `copytruncate`."""
    with open(tmp_path / "log", "a", encoding="utf-8") as file:
        logging.getLogger().handlers[:] = [logs.LogStream(file)]
        logging.getLogger("edgeworker.x").error("old")
        os.truncate(tmp_path / "log", 0)
        logging.getLogger("edgeworker.x").error("new")

    assert (tmp_path / "log").read_bytes() == b"new\n"
