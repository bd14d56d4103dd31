"""How checks and requests change what is known of an origin."""

from edgeworker.balancing.health import UNKNOWN, CheckResult, OriginHealth, after_check, after_request, validity_seconds
from edgeworker.balancing.settings import HealthMonitor, LoadBalancer, OriginServer

MONITOR = HealthMonitor(interval_seconds=10, timeout_seconds=5, consecutive_down=2, consecutive_up=3)
BALANCER = LoadBalancer((OriginServer("http://a"),), max_failures=3, fail_seconds=10)
GOOD, BAD = CheckResult(0, 0.1, None), CheckResult(0, 0.1, "no")


def _checked(results: str, health: OriginHealth = UNKNOWN) -> str:
    """`results` has "+" and "-"; the answer is the health after each."""
    states = ""
    for number, result in enumerate(results):
        health = after_check(health, GOOD if result == "+" else BAD, MONITOR, now=number * 10.0)
        states += "+" if health.is_healthy(number * 10.0) else "-"
    return states


def test_the_first_check_decides_and_later_ones_when_enough_say_so_in_a_row() -> None:
    assert _checked("-") == "-"
    assert _checked("+-+--") == "++++-"
    assert _checked("-++-+++") == "------+"


def test_what_checks_found_counts_only_while_checks_go_on() -> None:
    health = after_check(UNKNOWN, BAD, MONITOR, now=100.0)
    end = 100.0 + validity_seconds(MONITOR)

    assert not health.is_healthy(end - 0.1)
    assert health.is_healthy(end)
    assert health.reason(end) == "nothing failed"


def test_an_origin_that_fails_often_in_a_row_is_left_alone_for_a_while_and_again_after_one_more_failure() -> None:
    health = UNKNOWN
    for _ in range(2):
        health = after_request(health, BALANCER, failed=True, now=0.0)
    assert health.is_healthy(0.0)

    health = after_request(health, BALANCER, failed=True, now=0.0)
    assert not health.is_healthy(9.9)
    assert health.is_healthy(10.0)

    health = after_request(health, BALANCER, failed=True, now=10.0)
    assert (health.is_healthy(19.9), health.is_healthy(20.0)) == (False, True)


def test_a_request_that_succeeds_ends_the_row_of_failures() -> None:
    health = UNKNOWN
    for _ in range(20):
        health = after_request(health, BALANCER, failed=True, now=0.0)
        health = after_request(health, BALANCER, failed=False, now=0.0)

    assert health == UNKNOWN


def test_requests_tell_nothing_where_max_failures_is_0() -> None:
    health = UNKNOWN
    for _ in range(20):
        health = after_request(health, LoadBalancer(BALANCER.origins, max_failures=0), failed=True, now=0.0)

    assert health.is_healthy(0.0)


def test_what_a_person_set_counts_more_than_checks_and_requests() -> None:
    failed = after_check(OriginHealth(set_healthy=True), BAD, MONITOR, now=0.0)

    assert failed.is_healthy(0.0)
    assert not after_check(OriginHealth(set_healthy=False), GOOD, MONITOR, now=0.0).is_healthy(0.0)
    assert failed.reason(0.0) == "set by hand"
