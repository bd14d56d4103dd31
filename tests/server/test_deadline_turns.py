"""Deadlines that pass together are acted on a few at a time, and each of them is."""

import asyncio
from itertools import pairwise

import pytest

from edgeworker.config import Limits
from edgeworker.server import deadline_turns
from edgeworker.server.deadline_turns import A_TURN, DeadlineTurns
from tests.patience import PATIENCE_SECONDS
from tests.server.wires import GET, Answering, admitted, exchange, serving


class _Due:
    def __init__(self, turns: DeadlineTurns, acted: "list[_Due]") -> None:
        self._turns = turns
        self._acted = acted

    def act_on_deadline(self) -> None:
        if self._turns.take(self):
            self._acted.append(self)


async def test_each_turn_of_the_loop_takes_a_few_in_their_order() -> None:
    turns, acted = DeadlineTurns(), list[_Due]()
    due = [_Due(turns, acted) for _ in range(5 * A_TURN)]
    for one in due:
        one.act_on_deadline()
    at_each_turn = [len(acted)]

    while len(acted) < len(due):
        await asyncio.sleep(0)
        at_each_turn.append(len(acted))

    assert at_each_turn[0] == A_TURN
    assert max(after - before for before, after in pairwise(at_each_turn)) == A_TURN
    assert acted == due


async def test_a_turn_that_is_over_leaves_room_for_the_next_one() -> None:
    turns, acted = DeadlineTurns(), list[_Due]()

    for _ in range(3):
        for _ in range(A_TURN):
            _Due(turns, acted).act_on_deadline()
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    assert len(acted) == 3 * A_TURN


async def test_h18_many_that_are_too_slow_together_are_each_a_408() -> None:
    async with serving(Answering(admitted), limits=Limits(header_timeout_seconds=0.05)) as (listener, _):
        received = await asyncio.gather(*[exchange(listener.port, GET) for _ in range(4 * A_TURN)])

    assert {one[:13] for one in received} == {b"HTTP/1.1 408 "}


async def test_what_comes_while_a_deadline_waits_for_its_turn_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadline_turns, "A_TURN", 0)
    limits = Limits(header_timeout_seconds=0.05)
    async with serving(Answering(admitted), limits=limits) as (listener, _), asyncio.timeout(PATIENCE_SECONDS):
        turns = listener.connection()._listener.deadline_turns
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(GET)
        while not turns._waiting:  # noqa: ASYNC110  # nothing tells that a deadline has passed
            await asyncio.sleep(0.01)

        writer.write(b"\r\n")
        assert (await reader.readuntil(b"\r\n")).startswith(b"HTTP/1.1 200 ")
        monkeypatch.setattr(deadline_turns, "A_TURN", 1)
        turns._next_turn()
        assert not turns._waiting
        writer.write(GET + b"\r\n")
        assert (await reader.readuntil(b"HTTP/1.1 200 ")).endswith(b"HTTP/1.1 200 ")
        writer.close()
