"""What a process of the edge tells its parent, in whole reports."""

import os
import threading
from collections.abc import Iterator

import pytest

from edgeworker.host.child_reports import MOST_BYTES, Report, ReportKind, ReportReader, ReportSender
from tests.patience import PATIENCE_SECONDS


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """Its two ends; a test closes the one that writes."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    yield reading, writing
    os.close(reading)


def test_reports_come_in_their_order_and_then_the_end(pipe: tuple[int, int]) -> None:
    reader, sender = ReportReader(pipe[0]), ReportSender(pipe[1])
    sender.send(Report(ReportKind.READY))
    sender.send(Report(ReportKind.LOADED, b"one"))

    assert reader.read() == [Report(ReportKind.READY), Report(ReportKind.LOADED, b"one")]
    assert (reader.read(), reader.is_ended) == ([], False)

    os.close(pipe[1])
    assert (reader.read(), reader.is_ended) == ([], True)


def test_a_report_that_is_longer_than_the_pipe_arrives_whole(pipe: tuple[int, int]) -> None:
    content = bytes(range(256)) * 4096

    def send() -> None:
        ReportSender(pipe[1]).send(Report(ReportKind.LOADED, content))
        os.close(pipe[1])

    thread = threading.Thread(target=send)
    thread.start()
    reader, found = ReportReader(pipe[0]), list[Report]()
    while not reader.is_ended:
        found += reader.read()
    thread.join(PATIENCE_SECONDS)

    assert found == [Report(ReportKind.LOADED, content)]


def test_a_report_whose_sender_was_killed_is_dropped(pipe: tuple[int, int]) -> None:
    os.write(pipe[1], b"L" + (1000).to_bytes(8, "big") + b"half")
    os.close(pipe[1])
    reader = ReportReader(pipe[0])

    assert (reader.read(), reader.is_ended) == ([], True)


@pytest.mark.parametrize("sent", [b"?" + bytes(8), b"L" + (MOST_BYTES + 1).to_bytes(8, "big")], ids=["kind", "length"])
def test_what_is_no_report_of_ours_is_refused(pipe: tuple[int, int], sent: bytes) -> None:
    os.write(pipe[1], sent)
    os.close(pipe[1])

    with pytest.raises(ValueError, match=r"(?i)report"):
        ReportReader(pipe[0]).read()


def test_a_sender_whose_parent_is_gone_goes_on(pipe: tuple[int, int]) -> None:
    reading, writing = os.pipe()
    os.close(reading)

    ReportSender(writing).send(Report(ReportKind.READY))
    os.close(writing)
    os.close(pipe[1])
