"""Lines through real pipes and sockets whose reader is slow, stuck, or gone."""

import os
import select
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import pytest

from edgeworker.cli.piped_lines import MOST_WAITING_BYTES, PipedLines
from tests.patience import PATIENCE_SECONDS

_LINE = b"a" * 99 + b"\n"


@dataclass
class Reader:
    """The other end, which takes only what it is told to."""

    stream: TextIO
    descriptor: int
    stack: ExitStack

    def take(self) -> bytes:
        """What there is."""
        taken = b""
        while select.select([self.descriptor], [], [], 0)[0] and (piece := os.read(self.descriptor, 65536)):
            taken += piece
        return taken

    def go(self) -> None:
        self.stack.close()


def _pipe(stack: ExitStack) -> tuple[TextIO, int]:
    read, write = os.pipe()
    stack.callback(os.close, read)
    return os.fdopen(write, "w"), read


def _socket(stack: ExitStack) -> tuple[TextIO, int]:
    read, write = socket.socketpair()
    stack.enter_context(read)
    return os.fdopen(write.detach(), "w"), read.fileno()


@pytest.fixture(params=[_pipe, _socket, "of another user"], ids=["pipe", "socket", "pipe of another user"])
def reader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reader]:
    make: Callable[[ExitStack], tuple[TextIO, int]] = _pipe if request.param == "of another user" else request.param
    with ExitStack() as stack:
        stream, descriptor = make(stack)
        if request.param == "of another user":

            def refuse(path: str, flags: int) -> int:
                raise PermissionError(path, flags)

            monkeypatch.setattr(os, "open", refuse)
        yield Reader(stream, descriptor, stack)
        stream.close()


def _over(reader: Reader) -> PipedLines:
    lines = PipedLines.over(reader.stream)
    assert lines is not None
    return lines


def test_files_and_streams_of_python_are_not_piped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (tmp_path / "file").open("w") as file:
        assert PipedLines.over(file) is None
    file.close()
    assert PipedLines.over(file) is None


def test_a_reader_that_takes_nothing_keeps_no_one_waiting_and_gets_all_lines_later(reader: Reader) -> None:
    lines = _over(reader)
    sent = [b"%06d " % number + _LINE for number in range(5000)]

    for line in sent:
        assert lines.write(line) == 0
    assert lines.has_waiting
    taken = reader.take()
    while lines.has_waiting:
        lines.write(b"")
        taken += reader.take()

    assert taken == b"".join(sent)


def test_lines_beyond_the_bound_are_lost_and_counted_and_none_is_cut(reader: Reader) -> None:
    lines = _over(reader)
    count = 4 * MOST_WAITING_BYTES // len(_LINE)

    lost = sum(lines.write(_LINE) for _ in range(count))
    taken = reader.take()
    while lines.has_waiting:
        lines.write(b"")
        taken += reader.take()

    assert 0 < lost < count
    assert taken == _LINE * (count - lost)


def test_a_line_that_is_longer_than_the_bound_is_lost_and_the_next_one_is_whole(reader: Reader) -> None:
    lines = _over(reader)

    assert lines.write(b"x" * (3 * MOST_WAITING_BYTES) + b"\n") == 1
    lines.write(_LINE)
    taken = reader.take()
    while lines.has_waiting:
        lines.write(b"")
        taken += reader.take()

    begun, *rest = taken.split(b"\n")
    assert set(begun) <= {ord("x")}
    assert b"\n".join(rest) in (_LINE, b"")
    assert taken.endswith(_LINE)


def test_a_reader_that_has_gone_is_told_and_what_waits_is_counted(reader: Reader) -> None:
    lines = _over(reader)
    reader.go()

    with pytest.raises(OSError, match="Broken pipe"):
        lines.write(2 * _LINE)

    assert lines.discard() == 2
    assert not lines.has_waiting


def test_at_the_end_the_reader_gets_its_time(reader: Reader) -> None:
    lines = _over(reader)
    for _ in range(5000):
        lines.write(_LINE)
    taken: list[bytes] = []
    size = 5000 * len(_LINE)

    def take_all() -> None:
        while sum(map(len, taken)) < size and select.select([reader.descriptor], [], [], PATIENCE_SECONDS)[0]:
            taken.append(os.read(reader.descriptor, 65536))

    slow = threading.Thread(target=take_all)
    slow.start()
    lines.wait(PATIENCE_SECONDS)
    slow.join()

    assert not lines.has_waiting
    assert b"".join(taken) == 5000 * _LINE


def test_what_waits_in_a_parent_is_not_sent_by_its_children(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = _over(reader)
    for _ in range(5000):
        lines.write(_LINE)
    before = reader.take()
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert before

    lines.wait(PATIENCE_SECONDS)
    assert reader.take() == b""
    lines.write(b"of the child\n")
    assert reader.take() == b"of the child\n"


def test_lines_of_several_processes_arrive_whole(tmp_path: Path) -> None:
    read, write = os.pipe()
    children = []
    for name in b"ab":
        if not (child := os.fork()):
            try:
                with os.fdopen(write, "w") as stream:
                    lines = PipedLines.over(stream)
                    assert lines is not None
                    for _ in range(100):
                        lines.write(20 * (bytes([name]) * 299 + b"\n"))
                    lines.wait(PATIENCE_SECONDS)
            finally:
                os._exit(0)
        children.append(child)
    os.close(write)
    with os.fdopen(read, "rb") as stream:
        arrived = stream.read().splitlines()
    for child in children:
        os.waitpid(child, 0)

    assert {line for line in arrived} == {b"a" * 299, b"b" * 299}
    assert arrived.count(b"a" * 299) == 2000
