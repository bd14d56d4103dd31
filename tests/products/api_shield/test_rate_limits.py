"""Counting requests: bounds, and clocks that jump."""

import pytest

from edgeworker.expressions import RequestFacts
from edgeworker.messages import URL, Client, Headers, Request
from edgeworker.products.api_shield.compiled import CompiledRateLimit
from edgeworker.products.api_shield.config import RateLimitRule
from edgeworker.products.api_shield.rate_limits import RequestCounters
from edgeworker.shared_counts import SharedCounts
from tests.products.api_shield.limits import compiled_limit

DAY = 86_400
NOW = 1_800_000_000 // DAY * DAY
BY_NETWORK = RateLimitRule("n", 2, 60, ("ip.src",))
BY_TOKEN = RateLimitRule("t", 2, 60, ('http.request.headers["authorization"][0]',))


def _facts(ip: str = "203.0.113.7", token: str = "t") -> RequestFacts:
    request = Request("GET", URL.parse("https://example.com/"), Headers({"authorization": token}), client=Client(ip))
    return RequestFacts(request, now_ms=0, tokens={})


def _count(
    counters: RequestCounters, limits: list[CompiledRateLimit], facts: RequestFacts, now: int = NOW
) -> int | None:
    over = counters.count(limits, facts, now=now)
    return None if over is None else over.retry_after_seconds


def test_random_tokens_do_not_push_out_the_counter_of_the_network_that_sends_them() -> None:
    counters, limits = RequestCounters(SharedCounts(buckets=2)), [compiled_limit(BY_NETWORK), compiled_limit(BY_TOKEN)]
    for _ in range(3):
        _count(counters, limits, _facts())

    answers = {_count(counters, limits, _facts(token=f"random {number}")) for number in range(200)}

    assert answers == {60}


def test_counters_are_bounded_and_what_no_longer_counts_goes_first() -> None:
    counters, limits = RequestCounters(SharedCounts(buckets=2)), [compiled_limit(BY_NETWORK)]
    _count(counters, limits, _facts("192.0.2.1"))
    for number in range(10):
        _count(counters, limits, _facts(f"10.0.0.{number}"))
    for _ in range(3):
        _count(counters, limits, _facts("192.0.2.1"), NOW + 60)
    for number in range(15):
        _count(counters, limits, _facts(f"10.0.1.{number}"), NOW + 60)

    assert _count(counters, limits, _facts("192.0.2.1"), NOW + 60) == 60


def test_a_limit_is_that_of_all_processes_and_so_is_its_block() -> None:
    shared, limits = SharedCounts(processes=3), [compiled_limit(BY_NETWORK)]
    processes = [RequestCounters(shared.of_process(slot)) for slot in range(3)]

    answers = [_count(one, limits, _facts()) for one in (*processes, *processes)]
    later = [_count(one, limits, _facts(), NOW + 60) for one in processes]

    assert answers == [None, None, 60, 60, 60, 60]
    assert later == [None, None, 60]


@pytest.mark.parametrize(("jump", "blocked"), [(0, True), (59, True), (60, False), (DAY, False), (-DAY, False)])
def test_a_clock_that_jumps_blocks_no_one_for_longer_than_the_limit_says(jump: int, blocked: bool) -> None:
    counters, limits = RequestCounters(SharedCounts()), [compiled_limit(BY_NETWORK)]
    for _ in range(3):
        _count(counters, limits, _facts())

    assert (_count(counters, limits, _facts(), NOW + jump) is not None) is blocked
