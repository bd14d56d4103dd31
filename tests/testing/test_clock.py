"""The clock that a test moves."""

import asyncio
from datetime import timedelta

import pytest

from edgeworker.clock import SystemClock
from edgeworker.testing.clock import MovableClock


def test_time_stands_still_until_it_is_moved() -> None:
    clock = MovableClock(1000)

    assert (clock.now(), clock.now_ms()) == (1000, 1_000_000)

    clock.advance(61.25)
    clock.advance(timedelta(hours=1))
    assert clock.now_ms() == 1_000_000 + 61_250 + 3_600_000


def test_it_begins_at_the_present_second() -> None:
    before = SystemClock().now()

    assert before <= MovableClock().now() <= SystemClock().now()


def test_monotonic_seconds_move_with_it() -> None:
    clock = MovableClock()
    begun = clock.monotonic()

    clock.advance(60)

    assert 60 <= clock.monotonic() - begun < 90


def test_it_cannot_be_set_back() -> None:
    with pytest.raises(ValueError, match="is advanced, not set back: -1"):
        MovableClock().advance(-1)


async def test_sleepers_are_woken_one_by_one_in_the_order_of_their_time() -> None:
    clock = MovableClock(0)
    woken: list[str] = []

    async def sleeper(name: str, seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append(name)

    tasks = [asyncio.ensure_future(sleeper(*item)) for item in (("c", 30), ("a", 10), ("b", 20), ("a2", 10))]
    await asyncio.sleep(0)
    assert (clock.sleepers, clock.next_due_ms, clock.wake_next()) == (4, 10_000, False)

    clock.advance(20)
    assert woken == []
    order = []
    while clock.wake_next():
        await asyncio.sleep(0)
        order.append(list(woken))

    assert order == [["a"], ["a", "a2"], ["a", "a2", "b"]]
    assert clock.sleepers == 1
    tasks[0].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert (clock.sleepers, clock.next_due_ms) == (0, None)


async def test_a_sleep_of_nothing_lets_others_run() -> None:
    clock = MovableClock()
    ran = asyncio.Event()
    asyncio.get_running_loop().call_soon(ran.set)

    await clock.sleep(0)

    assert ran.is_set()
    assert clock.sleepers == 0


async def test_a_sleeper_that_was_cancelled_a_moment_ago_does_no_harm() -> None:
    clock = MovableClock(0)
    task = asyncio.ensure_future(clock.sleep(1))
    await asyncio.sleep(0)

    clock.advance(1)
    task.cancel()

    assert clock.wake_next()
    with pytest.raises(asyncio.CancelledError):
        await task
