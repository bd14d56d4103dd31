"""How long who guesses waits, and how many passwords are hashed at once: attack O13."""

import asyncio
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issuer import throttle
from issuer.hasher import Busy, Hasher
from issuer.throttle import Attempts, Failures

FREE = throttle.FREE_FAILURES


@pytest.mark.parametrize(
    ("count", "wait"), [(0, 0), (4, 0), (5, 15), (6, 30), (7, 60), (10, 480), (11, 900), (50, 900), (10**9, 900)]
)
def test_each_failure_doubles_the_wait_up_to_a_quarter_of_an_hour(count: int, wait: int) -> None:
    assert Failures(count, 1000).wait_seconds(free=FREE, now=1000) == wait


def test_a_wait_ends_and_failures_are_forgotten() -> None:
    failures = Failures(6, 1000)

    assert failures.wait_seconds(free=FREE, now=1029) == 1
    assert failures.wait_seconds(free=FREE, now=1030) == 0
    assert failures.more(now=1030) == Failures(7, 1030)
    assert failures.more(now=1000 + throttle.FORGOTTEN_SECONDS) == Failures(1, 1000 + throttle.FORGOTTEN_SECONDS)


@given(st.none() | st.text(max_size=30) | st.sampled_from(["[]", "null", "1", '{"t":"failures"}', "{" * 2000]))
def test_what_is_no_record_is_no_failure(text: str | None) -> None:
    assert throttle.load(text) == Failures()
    assert throttle.load(throttle.dump(Failures(3, 4))) == Failures(3, 4)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("198.51.100.7", "198.51.100.8", False),
        ("2001:db8::1", "2001:db8::ffff", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("nonsense:", "nonsense:", True),
        (None, "", True),
    ],
)
def test_a_network_is_one_client(one: str | None, other: str | None, same: bool) -> None:
    assert (throttle.account_key("a@b", one) == throttle.account_key("a@b", other)) is same
    assert (throttle.address_key(one) == throttle.address_key(other)) is same
    assert throttle.account_key("a@b", one) != throttle.account_key("c@b", one)


def test_a_try_counts_before_it_is_known_how_it_ends() -> None:
    attempts = Attempts()
    for _ in range(FREE):
        attempts.begin("k", Failures(), now=1000)
    assert attempts.wait_seconds("k", free=FREE, now=1000) == 15

    attempts.succeed("k")
    assert attempts.wait_seconds("k", free=FREE, now=1000) == 0
    attempts.begin("k", Failures(8, 999), now=1000)  # another isolate knew more
    assert attempts.take_back("k") == Failures(8, 1000)


def test_only_so_many_are_remembered() -> None:
    attempts = Attempts()
    for number in range(10_001):
        attempts.begin(str(number), Failures(FREE, 1000), now=1000)

    assert attempts.wait_seconds("0", free=FREE, now=1000) == 0
    assert attempts.wait_seconds("10000", free=FREE, now=1000) > 0


async def test_only_a_few_passwords_are_hashed_at_once_and_not_many_wait() -> None:
    hasher = Hasher(at_once=2, waiting=3)
    present, most, goes_on = 0, 0, threading.Event()
    lock = threading.Lock()

    def work() -> str:
        nonlocal present, most
        with lock:
            present += 1
            most = max(most, present)
        goes_on.wait(10)
        with lock:
            present -= 1
        return threading.current_thread().name

    tasks = [asyncio.ensure_future(hasher.run(work)) for _ in range(5)]
    await asyncio.sleep(0)
    with pytest.raises(Busy):
        await hasher.run(work)
    goes_on.set()
    names = await asyncio.gather(*tasks)

    assert most <= 2
    assert threading.current_thread().name not in names  # the event loop went on


async def test_a_fault_frees_the_place() -> None:
    hasher = Hasher(at_once=1, waiting=0)

    def fails() -> None:
        raise ValueError("no")

    for _ in range(3):
        with pytest.raises(ValueError, match="no"):
            await hasher.run(fails)
