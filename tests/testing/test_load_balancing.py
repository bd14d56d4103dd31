"""Load balancers in a test's own edge."""

from collections.abc import Iterator

import pytest

from edgeworker.balancing.settings import HealthMonitor, LoadBalancer, OriginServer
from edgeworker.config import Config, Zone
from edgeworker.errors import OriginError
from edgeworker.testing.local import LocalEdge
from edgeworker.testing.origin_rules import OriginRequest

A, B = "http://10.0.0.1:3000", "http://10.0.0.2:3000"
CONFIG = Config(
    zones=(
        Zone(
            "example.com",
            load_balancers=(
                LoadBalancer(
                    (OriginServer(A), OriginServer(B, backup=True)),
                    monitor=HealthMonitor("/up", interval_seconds=1000.0),
                    fail_seconds=1000.0,
                ),
            ),
        ),
    ),
)


@pytest.fixture
def edge() -> Iterator[LocalEdge]:
    with LocalEdge(CONFIG) as edge:
        yield edge


def _asked(edge: LocalEdge) -> list[str | None]:
    return [request.base for request in edge.origin.requests]


def test_an_origin_that_is_set_unhealthy_gets_no_requests_until_it_is_reset(edge: LocalEdge) -> None:
    edge.get("http://example.com/")
    edge.load_balancing.set_unhealthy(A)
    edge.get("http://example.com/")
    edge.load_balancing.reset(A)
    edge.get("http://example.com/")

    assert _asked(edge) == [A, B, A]


def test_health_can_be_set_before_the_first_request(edge: LocalEdge) -> None:
    edge.load_balancing.set_unhealthy(A)

    edge.get("http://example.com/")

    assert (_asked(edge), edge.load_balancing.is_healthy(A)) == ([B], False)


def test_a_failing_origin_is_passed_over_and_after_some_failures_not_asked(edge: LocalEdge) -> None:
    def answer(request: OriginRequest) -> str:
        if request.base == A:
            raise OriginError("refused", status=521, nothing_sent=True)
        return "from b"

    edge.origin.on("/orders", answer)

    answers = [edge.post("http://example.com/orders", body=b"1").text for _ in range(4)]

    assert answers == ["from b"] * 4
    assert _asked(edge) == [A, B, A, B, A, B, B]
    assert not edge.load_balancing.is_healthy(A)
    edge.clock.advance(1001)
    assert edge.load_balancing.is_healthy(A)


def test_checks_are_made_when_the_test_says_so(edge: LocalEdge) -> None:
    up = edge.origin.on("/up", status=503)

    edge.run(edge.load_balancing.check())

    assert [request.base for request in up.requests] == [A, B]
    assert not edge.load_balancing.is_healthy(A)


@pytest.mark.parametrize("status", [520, 521, 522, 523, 524, 525, 526])
def test_where_no_origin_answers_the_client_gets_cloudflares_page(edge: LocalEdge, status: int) -> None:
    edge.origin.fail("/*", status)

    reply = edge.get("http://example.com/")

    assert (reply.status, reply.text.splitlines()[0]) == (status, f"error code: {status}")


def test_an_origin_that_is_not_there_is_named(edge: LocalEdge) -> None:
    with pytest.raises(LookupError, match=f'no load balancer has the origin "http://x"; there are: {A}, {B}'):
        edge.load_balancing.set_unhealthy("http://x")


def test_the_trace_tells_which_origin_was_chosen_and_why(edge: LocalEdge) -> None:
    edge.load_balancing.set_unhealthy(A)
    edge.get("http://example.com/")

    assert any(step.text == f"{B} (backup)" for step in edge.trace.steps)
