"""How long who guesses waits, and how many passwords are hashed at once: attack O13."""

import asyncio
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issuer import login_backoff
from issuer.login_backoff import FORGOTTEN_SECONDS, FailureLimit, LoginAttempts, LoginFailures
from issuer.password_queue import Busy, PasswordQueue
from tests.patience import PATIENCE_SECONDS

ACCOUNT, ADDRESS = FailureLimit("account", doubles=True), FailureLimit("address", doubles=False)


@pytest.mark.parametrize(
    ("count", "wait"), [(0, 0), (4, 0), (5, 15), (6, 30), (7, 60), (10, 480), (11, 900), (50, 900), (10**9, 900)]
)
def test_each_failure_doubles_the_wait_up_to_a_quarter_of_an_hour(count: int, wait: int) -> None:
    assert ACCOUNT.wait_seconds(LoginFailures(count, 500, 1000), now=1000) == wait


def test_a_wait_ends_and_failures_are_forgotten() -> None:
    failures = LoginFailures(6, 500, 1000)

    assert ACCOUNT.wait_seconds(failures, now=1029) == 1
    assert ACCOUNT.wait_seconds(failures, now=1030) == 0
    attempts = LoginAttempts()
    assert attempts.begin(ACCOUNT, failures, now=1030) == LoginFailures(7, 500, 1030)
    later = 1030 + FORGOTTEN_SECONDS
    assert attempts.begin(ACCOUNT, failures, now=later) == LoginFailures(1, later, later)


def test_an_address_that_many_share_waits_for_the_end_of_its_window_and_no_longer() -> None:
    full = LoginFailures(login_backoff.FAILURES_OF_ADDRESS, 1000, 1500)

    assert ADDRESS.wait_seconds(LoginFailures(full.count - 1, 1000, 1500), now=1500) == 0
    assert ADDRESS.wait_seconds(full, now=1500) == 100
    assert ADDRESS.wait_seconds(LoginFailures(10**6, 1000, 1599), now=1599) == 1
    assert ADDRESS.wait_seconds(full, now=1600) == 0
    assert LoginAttempts().begin(ADDRESS, full, now=1600) == LoginFailures(1, 1600, 1600)


@given(st.none() | st.text(max_size=30) | st.sampled_from(["[]", "null", "1", '{"t":"failures"}', "{" * 2000]))
def test_what_is_not_a_record_is_not_a_failure(text: str | None) -> None:
    assert login_backoff.load(text) == LoginFailures()
    assert login_backoff.load(login_backoff.dump(LoginFailures(3, 4, 5))) == LoginFailures(3, 4, 5)


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
    assert (login_backoff.limits("a@b", one) == login_backoff.limits("a@b", other)) is same
    assert login_backoff.limits("a@b", one)[0] != login_backoff.limits("c@b", one)[0]
    assert login_backoff.limits("a@b", one)[1:] == login_backoff.limits("c@b", one)[1:]


def test_a_try_counts_before_it_is_known_how_it_ends() -> None:
    attempts = LoginAttempts()
    for _ in range(login_backoff.FREE_FAILURES):
        attempts.begin(ACCOUNT, LoginFailures(), now=1000)
    assert attempts.wait_seconds(ACCOUNT, LoginFailures(), now=1000) == 15

    attempts.take_back(ACCOUNT)
    assert attempts.wait_seconds(ACCOUNT, LoginFailures(), now=1000) == 0
    attempts.forget(ACCOUNT)
    assert attempts.begin(ACCOUNT, LoginFailures(8, 1, 999), now=1000) == LoginFailures(
        9, 1, 1000
    )  # another isolate knew more


def test_only_so_many_are_remembered() -> None:
    attempts = LoginAttempts()
    for number in range(10_001):
        attempts.begin(
            FailureLimit(str(number), doubles=True), LoginFailures(login_backoff.FREE_FAILURES, 1, 1000), now=1000
        )

    assert attempts.wait_seconds(FailureLimit("0", doubles=True), LoginFailures(), now=1000) == 0
    assert attempts.wait_seconds(FailureLimit("10000", doubles=True), LoginFailures(), now=1000) > 0


async def test_only_a_few_passwords_are_hashed_at_once_and_not_many_wait() -> None:
    hasher = PasswordQueue(max_running=2, max_waiting=3)
    present, most, goes_on = 0, 0, threading.Event()
    lock = threading.Lock()

    def work() -> str:
        nonlocal present, most
        with lock:
            present += 1
            most = max(most, present)
        goes_on.wait(PATIENCE_SECONDS)
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
    hasher = PasswordQueue(max_running=1, max_waiting=0)

    def fails() -> None:
        raise ValueError("no")

    for _ in range(3):
        with pytest.raises(ValueError, match="no"):
            await hasher.run(fails)
