"""A line that each request brings about is written now and then, with how many there were."""

import asyncio
import io
import logging
from collections.abc import Iterator

import pytest

from edgeworker.cli import repeated_lines
from edgeworker.cli.logs import LogStream
from edgeworker.cli.repeated_lines import RepeatedLines
from tests.patience import PATIENCE_SECONDS


@pytest.fixture
def out() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    handler = LogStream(stream)
    handler.addFilter(RepeatedLines())
    root = logging.getLogger()
    before, root.handlers[:] = root.handlers[:], [handler]
    yield stream
    root.handlers[:] = before


def _fail(number: int, what: str = "full") -> None:
    logging.getLogger("edgeworker.x").error("request %d: %s", number, what, extra={"repeats": what})


def _raise(text: str) -> None:
    try:
        raise ValueError(text)
    except ValueError:
        logging.getLogger("edgeworker.x").exception("a request could not be served")


async def _until(out: io.StringIO, text: str) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while text not in out.getvalue():  # noqa: ASYNC110  # another task of this loop writes it
            await asyncio.sleep(0.01)


async def test_of_many_lines_the_first_is_written_and_how_many_more_there_were(
    out: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repeated_lines, "INTERVAL_SECONDS", 0.2)
    for number in range(5000):
        _fail(number)
    assert out.getvalue() == "request 0: full\n"

    await _until(out, "more of these")

    assert out.getvalue() == "request 0: full\nrequest 0: full: 4999 more of these in the last 0.2 s\n"


async def test_after_an_interval_without_any_the_next_is_written_at_once(
    out: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repeated_lines, "INTERVAL_SECONDS", 0.01)
    _fail(1)
    _fail(2)
    await _until(out, "1 more of these")

    async with asyncio.timeout(PATIENCE_SECONDS):
        while "request 3" not in out.getvalue():
            _fail(3)
            await asyncio.sleep(0.05)


async def test_lines_that_tell_of_something_else_are_written(out: io.StringIO) -> None:
    _fail(1)
    _fail(2, "locked")
    logging.getLogger("edgeworker.x").error("the same")
    logging.getLogger("edgeworker.x").error("the same")

    assert out.getvalue().splitlines() == ["request 1: full", "request 2: locked", "the same", "the same"]


async def test_a_traceback_is_written_once_whatever_its_message_says(out: io.StringIO) -> None:
    for number in range(100):
        _raise(f"a text of request {number}")

    assert out.getvalue().count("Traceback") == 1
    assert "a text of request 0" in out.getvalue()


async def test_no_more_than_a_bound_of_different_ones_are_written(out: io.StringIO) -> None:
    for number in range(5000):
        _fail(number, f"what a client chose: {number}")

    assert len(out.getvalue().splitlines()) <= 60


def test_where_no_event_loop_runs_each_is_written(out: io.StringIO) -> None:
    _fail(1)
    _fail(2)

    assert out.getvalue().splitlines() == ["request 1: full", "request 2: full"]
