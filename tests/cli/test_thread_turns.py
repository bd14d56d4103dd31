"""Threads that compute beside an event loop."""

import sys
import threading
from collections.abc import Iterator

import pytest

from edgeworker.cli import thread_turns


@pytest.fixture(autouse=True)
def _the_interval_is_restored() -> Iterator[None]:
    before = sys.getswitchinterval()
    yield
    sys.setswitchinterval(before)


def test_a_thread_keeps_the_interpreter_for_a_shorter_time_during_a_reload_alone() -> None:
    thread_turns.shorten()
    before = sys.getswitchinterval()

    for _ in range(1000):
        with thread_turns.shortened_further():
            during = sys.getswitchinterval()

    assert during < before
    assert sys.getswitchinterval() == before


def test_a_thread_that_gives_way_lets_another_one_run() -> None:
    """Without it, neither would give the interpreter back: their interval is an hour."""
    sys.setswitchinterval(3600.0)
    others = 0
    done = threading.Event()

    def count() -> None:
        nonlocal others
        while not done.is_set():
            others += 1
            done.wait(0.0001)

    counting = threading.Thread(target=count)
    counting.start()
    try:
        give_way = thread_turns.WayGiver()
        seen = others
        while others < seen + 3:
            for _ in range(20_000):
                pass  # a step
            give_way()
    finally:
        done.set()
        counting.join()


def test_steps_that_took_no_time_make_no_pause() -> None:
    give_way = thread_turns.WayGiver()
    began = give_way.began_at
    give_way.began_at = began + 3600.0  # it has not come yet

    give_way()

    assert give_way.began_at == began + 3600.0


def _make_a_step(give_way: thread_turns.WayGiver) -> None:
    give_way.began_at -= 3600.0
    give_way()


def test_a_thread_beside_no_requests_makes_no_pauses() -> None:
    looks: list[bool] = []

    def is_busy() -> bool:
        looks.append(False)
        return looks[-1]

    give_way = thread_turns.WayGiver(is_busy)
    for _ in range(100):
        _make_a_step(give_way)

    assert len(looks) == 100


def test_a_pause_ends_with_the_last_request_under_way() -> None:
    looks: list[bool] = []

    def is_busy() -> bool:
        looks.append(len(looks) < 3)
        return looks[-1]

    _make_a_step(thread_turns.WayGiver(is_busy))

    assert looks == [True, True, True, False]


def test_all_pauses_together_are_bounded_beside_requests_that_never_end() -> None:
    looks = 0

    def is_busy() -> bool:
        nonlocal looks
        looks += 1
        return True

    give_way = thread_turns.WayGiver(is_busy, longest_seconds=0.01)
    for _ in range(100):
        _make_a_step(give_way)

    before = looks
    _make_a_step(give_way)

    assert 0 < before <= 10 + 100, "each look is followed by a millisecond, or by what is left of all of them"
    assert looks == before
