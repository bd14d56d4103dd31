"""A few passwords are hashed at a time; a few wait; the next one is told so."""

import asyncio
import sys
import threading

import pytest

from issuer.password_queue import Busy, PasswordQueue
from tests.patience import PATIENCE_SECONDS


async def test_work_is_done_in_a_thread_of_its_own() -> None:
    assert await PasswordQueue().run(threading.get_ident) != threading.get_ident()


async def test_an_error_of_the_work_is_the_callers() -> None:
    with pytest.raises(ZeroDivisionError):
        await PasswordQueue().run(divmod, 1, 0)


class Work:
    """Ends when it is told to; counts how much of it runs."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.most = self.running = 0
        self._lock = threading.Lock()

    def __call__(self) -> None:
        with self._lock:
            self.running += 1
            self.most = max(self.most, self.running)
        self.gate.wait(PATIENCE_SECONDS)
        with self._lock:
            self.running -= 1


async def test_few_run_and_few_wait_and_the_next_is_refused() -> None:
    work = Work()
    queue = PasswordQueue(max_running=2, max_waiting=1)
    present = [asyncio.create_task(queue.run(work)) for _ in range(3)]
    await asyncio.sleep(0)

    with pytest.raises(Busy):
        await queue.run(work)

    work.gate.set()
    await asyncio.gather(*present)
    assert work.most <= 2
    await queue.run(work)  # there is room again


async def test_a_place_is_free_again_after_an_error() -> None:
    queue = PasswordQueue(max_running=1, max_waiting=0)

    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            await queue.run(divmod, 1, 0)


async def test_where_there_are_no_threads_it_is_done_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """On Cloudflare a request must not wait for work of another one."""
    monkeypatch.setattr(sys, "platform", "emscripten")

    assert await PasswordQueue(max_running=0, max_waiting=0).run(threading.get_ident) == threading.get_ident()
