"""Several addresses of one server: which one is connected to, and what a failure says."""

import asyncio
from contextvars import ContextVar

import pytest

from edgeworker.server import happy_eyeballs
from edgeworker.server.happy_eyeballs import alternate_families, connect_to_one
from tests.cycles import no_error_keeps_itself

FIRST, SECOND, THIRD = "2001:db8::1", "192.0.2.1", "192.0.2.2"
HANGS = "hangs"
UNREACHABLE = OSError(101, "Network is unreachable")
_whose: ContextVar[str] = ContextVar("whose", default="the edge's")


class Network:
    """`answers` by address: an error, HANGS until `let_go`, or "open"."""

    def __init__(self, **answers: object) -> None:
        self.answers = dict(zip((FIRST, SECOND, THIRD), answers.values(), strict=False))
        self.asked: list[str] = []
        self.cancelled: list[str] = []
        self.dropped: list[str] = []
        self.let_go = asyncio.Event()
        self.stubborn = False
        self.both_asked = asyncio.Event()

    async def connect(self, address: str) -> str:
        self.asked.append(address)
        if len(self.asked) == 2:
            self.both_asked.set()
        answer = self.answers[address]
        if isinstance(answer, OSError):
            raise answer
        if answer == HANGS:
            try:
                await self.let_go.wait()
            except asyncio.CancelledError:
                self.cancelled.append(address)
                if not self.stubborn:
                    raise
        return f"connection to {address}"

    async def run(self) -> tuple[str, str]:
        return await connect_to_one(list(self.answers), self.connect, self.dropped.append)


@pytest.fixture(autouse=True)
def next_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(happy_eyeballs, "NEXT_ADDRESS_SECONDS", 0.001)


async def test_an_address_that_does_not_answer_does_not_hold_up_the_next_one() -> None:
    network = Network(first=HANGS, second="open")

    assert await network.run() == (SECOND, f"connection to {SECOND}")
    await asyncio.sleep(0)
    assert (network.cancelled, network.dropped) == ([FIRST], [])


async def test_the_next_address_is_tried_at_once_where_one_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(happy_eyeballs, "NEXT_ADDRESS_SECONDS", 1e6)
    network = Network(first=UNREACHABLE, second=ConnectionRefusedError(), third="open")

    assert await network.run() == (THIRD, f"connection to {THIRD}")
    assert network.asked == [FIRST, SECOND, THIRD]


async def test_an_address_that_answers_is_the_only_one_that_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(happy_eyeballs, "NEXT_ADDRESS_SECONDS", 1e6)
    network = Network(first="open", second="open")

    assert await network.run() == (FIRST, f"connection to {FIRST}")
    assert network.asked == [FIRST]


async def test_a_connection_that_comes_too_late_is_dropped() -> None:
    network = Network(first=HANGS, second="open")
    network.stubborn = True  # it was there already when it was cancelled

    assert (await network.run())[0] == SECOND
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert network.dropped == [f"connection to {FIRST}"]


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        (UNREACHABLE, ConnectionRefusedError(111, "refused"), "refused"),
        (ConnectionRefusedError(111, "refused"), UNREACHABLE, "refused"),
        (UNREACHABLE, TimeoutError(110, "timed out"), "unreachable"),
    ],
)
async def test_a_refusal_says_more_than_a_missing_route(first: OSError, second: OSError, told: str) -> None:
    with pytest.raises(OSError, match=told):
        await Network(first=first, second=second).run()


async def test_giving_up_ends_all_attempts() -> None:
    network = Network(first=HANGS, second=HANGS)
    running = asyncio.ensure_future(network.run())
    await network.both_asked.wait()

    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await asyncio.sleep(0)
    assert sorted(network.cancelled) == sorted([FIRST, SECOND])


async def test_an_error_that_is_a_bug_is_not_hidden() -> None:
    async def connect(address: str) -> str:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await connect_to_one([FIRST, SECOND], connect, print)


async def test_attempts_are_the_edges_work_also_where_a_script_waits_for_them() -> None:
    """What guards the sockets of scripts asks a context variable."""
    _whose.set("a script's")

    async def connect(address: str) -> str:
        return _whose.get()

    assert (await connect_to_one([FIRST, SECOND], connect, print))[1] == "the edge's"


async def test_a_failure_leaves_no_cycle() -> None:
    async def refuse(address: str) -> str:
        raise ConnectionRefusedError

    with no_error_keeps_itself(), pytest.raises(ConnectionRefusedError):
        await connect_to_one([FIRST, SECOND], refuse, print)


@pytest.mark.parametrize(
    ("addresses", "mixed"),
    [
        ([SECOND], [SECOND]),
        ([SECOND, THIRD], [SECOND, THIRD]),
        (["::1", "::2", "::3", SECOND], ["::1", SECOND, "::2", "::3"]),
        ([SECOND, THIRD, "::1"], [SECOND, "::1", THIRD]),
        (["fe80::1%lo", SECOND], ["fe80::1%lo", SECOND]),
    ],
)
def test_the_families_take_turns(addresses: list[str], mixed: list[str]) -> None:
    assert alternate_families(addresses) == mixed
