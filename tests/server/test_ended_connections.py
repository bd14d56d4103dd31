"""A connection that has ended leaves nothing for Python's search for cycles, which an edge does seldom."""

import asyncio
import gc
from collections.abc import Iterator

import pytest

from edgeworker.server.http1.request_parser import RequestParser
from edgeworker.server.http1.response_parser import ResponseParser
from tests.patience import PATIENCE_SECONDS
from tests.server.wires import (
    END,
    GET,
    OK,
    Answering,
    admitted,
    answering,
    call,
    client,
    exchange,
    origin,
    read,
    serving,
)

CONNECTIONS = 5


@pytest.fixture(autouse=True)
def _without_search() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def _count(kind: type) -> int:
    return sum(type(one) is kind for one in gc.get_objects())


async def _until_at_most(count: int, kind: type) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while _count(kind) > count:  # noqa: ASYNC110  # nothing tells that an object is gone
            await asyncio.sleep(0.01)


async def test_those_of_clients_leave_no_cycle() -> None:
    async with serving(Answering(admitted)) as (listener, _):
        before = _count(RequestParser)
        for _ in range(CONNECTIONS):
            await exchange(listener.port, GET + b"Connection: close\r\n" + END)

        await _until_at_most(before, RequestParser)


async def test_those_to_origins_leave_no_cycle() -> None:
    async with origin(answering(OK)) as server, client() as internet:
        before = _count(ResponseParser)
        for _ in range(CONNECTIONS):
            await read((await internet.at(server.url).fetch(call())).body)

        await _until_at_most(before + 1, ResponseParser)  # the pool keeps the last one
