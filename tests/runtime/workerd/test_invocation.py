"""Which of the requests under way has ended the child, seen from outside."""

import pytest

from edgeworker.runtime.workerd.invocation import Invocation, describe_lost, find_suspects


def invocation(ray: str, resumed_at: float) -> Invocation:
    made = Invocation(ray, None, "shop", lambda _: None)
    made.resumed_at = resumed_at
    return made


@pytest.mark.parametrize(
    ("resumed", "heard_at", "stuck_since", "suspects"),
    [
        # The last sign of life was after "a" and before "b".
        ({"a": 1.0, "b": 2.0}, 1.5, None, "b"),
        # What came after the event loop had stopped has not begun.
        ({"a": 1.0, "b": 2.0, "c": 3.0}, 1.5, 2.5, "b"),
        ({"a": 1.0, "b": 2.0}, 0.5, None, "ab"),
        # A timer of one of them: nothing says of which.
        ({"a": 1.0, "b": 2.0}, 3.0, None, "ab"),
        # Work of waitUntil(), resumed before the ping that was not answered.
        ({"a": 3.0}, 1.0, 2.0, "a"),
        ({}, 1.0, None, ""),
    ],
)
async def test_the_suspects_are_those_that_had_something_to_compute(
    resumed: dict[str, float], heard_at: float, stuck_since: float | None, suspects: str
) -> None:
    running = [invocation(ray, at) for ray, at in resumed.items()]
    waiting = invocation("waiting", 2.0)

    waiting.begin_waiting()
    found = find_suspects([*running, waiting], heard_at=heard_at, stuck_since=stuck_since)

    assert "".join(one.ray for one in found) == suspects


async def test_a_long_list_of_lost_requests_is_cut() -> None:
    running = [invocation(str(number), 1.0) for number in range(30)]

    assert describe_lost(running, running[:1]).endswith("an event of shop and 19 more")
    assert describe_lost(running[:1], running[:1]) == "It was an event of shop"
    assert describe_lost([], []) == "No request ran"
