"""The brake on unknown tokens of scripts/split_token."""

import pytest

from miss_limiter import MissLimiter


def test_a_client_waits_for_the_rest_of_the_minute_after_its_limit() -> None:
    misses = MissLimiter(2)
    misses.count("192.0.2.1", now=100)
    assert misses.seconds_to_wait("192.0.2.1", now=100) == 0
    misses.count("192.0.2.1", now=110)

    assert misses.seconds_to_wait("192.0.2.1", now=110) == 50
    assert misses.seconds_to_wait("192.0.2.2", now=110) == 0
    assert misses.seconds_to_wait("192.0.2.1", now=159.9) == 1
    assert misses.seconds_to_wait("192.0.2.1", now=160) == 0


def test_a_new_minute_begins_with_the_next_miss() -> None:
    misses = MissLimiter(1)
    misses.count("192.0.2.1", now=100)
    misses.count("192.0.2.1", now=170)

    assert misses.seconds_to_wait("192.0.2.1", now=170) == 60


def test_a_clock_that_goes_back_locks_no_one_out() -> None:
    misses = MissLimiter(1)
    misses.count("192.0.2.1", now=1_000_000)

    assert misses.seconds_to_wait("192.0.2.1", now=100) == 0


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8:0:0:ffff::2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("fe80::1%eth0", "fe80::2", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("not:an:address", "not:an:address", True),
    ],
)
def test_an_ipv6_network_counts_as_one_client(one: str, other: str, same: bool) -> None:
    misses = MissLimiter(1)
    misses.count(one, now=0)

    assert (misses.seconds_to_wait(other, now=0) > 0) is same


def test_0_is_no_limit_and_an_unknown_client_is_not_counted() -> None:
    unlimited, limited = MissLimiter(0), MissLimiter(1)
    unlimited.count("192.0.2.1", now=0)
    limited.count(None, now=0)

    assert unlimited.seconds_to_wait("192.0.2.1", now=0) == 0
    assert limited.seconds_to_wait(None, now=0) == 0


def test_many_clients_take_bounded_memory_and_the_oldest_is_forgotten() -> None:
    misses = MissLimiter(1)
    for number in range(10_001):
        misses.count(f"client-{number}", now=0)

    assert misses.seconds_to_wait("client-0", now=0) == 0
    assert misses.seconds_to_wait("client-1", now=0) == 60
    assert misses.seconds_to_wait("client-10000", now=0) == 60
