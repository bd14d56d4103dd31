"""Where an edge runs, called from sync and from async code."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from edgeworker.testing.home import Home
from tests.patience import PATIENCE_SECONDS


async def _where() -> tuple[asyncio.AbstractEventLoop, threading.Thread]:
    return asyncio.get_running_loop(), threading.current_thread()


def test_sync_calls_run_one_after_another_on_one_loop_without_a_thread() -> None:
    home = Home()

    first, second = home.run(_where), home.run(_where)

    assert first == second
    assert first[1] is threading.current_thread()
    home.close()
    assert first[0].is_closed()
    assert not home.reachable


def test_once_turned_the_loop_runs_in_a_thread() -> None:
    home = Home()
    loop, _ = home.run(_where)

    home.turn()
    turned, thread = home.run(_where)

    assert turned is loop
    assert thread is not threading.current_thread()
    assert asyncio.run(home.wait(_where)) == (loop, thread)
    home.close()
    assert not thread.is_alive()


def test_a_home_that_no_one_used_is_closed_without_a_loop() -> None:
    home = Home()

    home.close()

    assert not home.settled


async def test_async_calls_run_on_the_loop_of_the_test() -> None:
    home = Home()

    assert await home.wait(_where) == (asyncio.get_running_loop(), threading.current_thread())
    home.close()
    assert home.reachable


async def test_a_loop_becomes_home_by_asking() -> None:
    home = Home()

    assert home.is_here
    assert home.settled


async def test_a_sync_call_from_the_loop_it_lives_on_says_what_to_write() -> None:
    home = Home()
    await home.wait(_where)

    with pytest.raises(RuntimeError, match=r"use `await edge.fetch\(\.\.\.\)`"):
        home.run(_where)


async def test_a_sync_call_from_a_thread_reaches_the_loop_of_the_test() -> None:
    home = Home()
    await home.wait(_where)

    assert await asyncio.to_thread(home.run, _where) == (asyncio.get_running_loop(), threading.current_thread())


async def test_a_first_sync_call_in_async_code_gets_a_thread() -> None:
    home = Home()

    loop, thread = home.run(_where)

    assert loop is not asyncio.get_running_loop()
    assert not home.is_here
    assert await home.wait(_where) == (loop, thread)
    home.close()


def test_a_loop_of_a_test_that_has_ended_is_named_as_the_reason() -> None:
    home = Home()
    asyncio.run(home.wait(_where))

    with pytest.raises(RuntimeError, match="first used on another event loop, which has ended"):
        home.run(_where)
    with pytest.raises(RuntimeError, match="one edge per test"):
        asyncio.run(home.wait(_where))


def test_a_loop_that_waits_can_be_used_between_tests() -> None:
    home = Home()
    with asyncio.Runner() as runner:
        loop, _ = runner.run(home.wait(_where))

        assert home.run(_where)[0] is loop


def test_what_still_runs_at_the_end_is_cancelled() -> None:
    home = Home()
    cancelled = []

    async def forever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.append(True)

    async def begin() -> "asyncio.Task[None]":
        task = asyncio.get_running_loop().create_task(forever())
        await asyncio.sleep(0)
        return task

    task = home.run(begin)
    home.close()

    assert cancelled == [True]
    assert task.cancelled()


@pytest.mark.parametrize("calls", [2, 40])
def test_calls_of_several_threads_meet_on_one_loop(calls: int) -> None:
    """The first caller's thread runs the loop; the others' work must go on when its call has ended."""
    home = Home()
    together = threading.Barrier(4)

    async def work(number: int) -> tuple[int, asyncio.AbstractEventLoop]:
        await asyncio.sleep(0.001 * (number % 5))
        return number, asyncio.get_running_loop()

    def ask(number: int) -> tuple[int, asyncio.AbstractEventLoop]:
        if number < 4 <= calls:
            together.wait(PATIENCE_SECONDS)
        return home.run(lambda: work(number))

    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(ask, range(calls), timeout=PATIENCE_SECONDS))

    assert [number for number, _ in answers] == list(range(calls))
    assert len({loop for _, loop in answers}) == 1
    home.close()


def test_a_call_may_wait_for_the_call_of_another_thread() -> None:
    home = Home()
    came = asyncio.Event()

    async def wait() -> bool:
        begun.set()
        await came.wait()
        return True

    async def come() -> None:
        came.set()

    begun = threading.Event()
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(home.run, wait)
        assert begun.wait(PATIENCE_SECONDS)
        home.run(come)
        assert waiting.result(PATIENCE_SECONDS)
    home.close()


def test_code_in_several_event_loops_meets_on_one_of_them() -> None:
    home = Home()

    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: home.run(_where), range(8), timeout=PATIENCE_SECONDS))
        answers += list(threads.map(lambda _: asyncio.run(home.wait(_where)), range(8), timeout=PATIENCE_SECONDS))

    assert len({loop for loop, _ in answers}) == 1
    home.close()
