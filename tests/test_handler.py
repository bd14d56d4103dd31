import asyncio
import logging

import pytest

from edgeworker.handler import Background, Context
from edgeworker.messages import URL, Request, Response


class _Nowhere:
    async def fetch(self, request: Request, /) -> Response:
        raise AssertionError("no subrequest was wanted")


def _context(background: Background) -> Context:
    request = Request("GET", URL.parse("http://example.com/path"))
    return Context(request, name="w", background=background, subrequest=_Nowhere())


async def test_drain_waits_for_work_and_for_the_work_it_begins() -> None:
    background = Background()
    done: list[str] = []

    async def inner() -> None:
        await asyncio.sleep(0)
        done.append("inner")

    async def outer() -> None:
        await asyncio.sleep(0)
        background.spawn(inner(), name="inner")
        done.append("outer")

    background.spawn(outer(), name="outer")
    assert await background.drain() == 0

    assert done == ["outer", "inner"]
    assert background.pending == 0


async def test_what_does_not_end_is_cancelled_at_the_timeout() -> None:
    background = Background()
    background.spawn(asyncio.Event().wait(), name="forever")

    assert await background.drain(timeout_seconds=0.01) == 1
    assert background.pending == 0


async def test_a_failure_of_wait_until_is_logged_with_its_request(caplog: pytest.LogCaptureFixture) -> None:
    background = Background()

    async def fail() -> None:
        raise RuntimeError("late")

    with caplog.at_level(logging.ERROR):
        _context(background).wait_until(fail())
        await background.drain()

    assert "worker 'w' (GET /path)" in caplog.text
    assert "late" in caplog.text


async def test_wait_until_refuses_what_cannot_be_awaited() -> None:
    with pytest.raises(TypeError, match="awaitable, not int"):
        _context(Background()).wait_until(3)  # type: ignore[arg-type]
