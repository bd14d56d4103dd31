"""Answers that had begun and cannot be completed: what a client sees, and what is told to those who run the edge."""

from collections.abc import AsyncIterator

import pytest

from edgeworker.errors import OriginError
from edgeworker.messages import Body, RefusalReason, Request, Response
from tests.server.wires import Answering, exchange, serving

GET = b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"


@pytest.mark.parametrize("length", [None, 10, 2])
async def test_an_answer_that_cannot_be_completed_is_cut(length: int | None, caplog: pytest.LogCaptureFixture) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"abc"
        raise RuntimeError("the origin died")

    async def answer(request: Request) -> Response:
        return Response(200, body=Body(broken(), length=length))

    async with serving(Answering(answer)) as (listener, summaries):
        received = await exchange(listener.port, GET)

    assert not received.endswith(b"0\r\n\r\n")
    assert received.count(b"HTTP/1.1") <= 1
    assert [summary.complete for summary in summaries] == [False]
    [reason] = [summary.refusal for summary in summaries]
    assert reason is not None
    failed = "the body failed: RuntimeError; the log says more"
    assert reason.evidence == ("the body has more bytes than its length" if length == 2 else failed,)


async def test_why_an_answer_was_cut_is_what_the_origin_did() -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"abc"
        raise OriginError("http://10.0.0.1:80 closed the connection in the middle of its answer", status=520)

    async def answer(request: Request) -> Response:
        return Response(200, body=Body(broken()))

    async with serving(Answering(answer)) as (listener, summaries):
        await exchange(listener.port, GET)

    assert [summary.refusal for summary in summaries] == [
        RefusalReason(
            "no rule: the answer had begun, and was cut",
            ("http://10.0.0.1:80 closed the connection in the middle of its answer",),
        )
    ]
