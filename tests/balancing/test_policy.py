"""Which origin a request goes to."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeworker.balancing.health import UNKNOWN, OriginHealth
from edgeworker.balancing.policy import AllBusy, Decision, NoneLeft, UseOrigin, choose_origin, may_retry
from edgeworker.balancing.settings import OriginServer

SICK = OriginHealth(set_healthy=False)
A = OriginServer("http://a")
B = OriginServer("http://b", weight=3)
BACKUP = OriginServer("http://c", backup=True)
OFF = OriginServer("http://d", enabled=False)
NARROW = OriginServer("http://e", max_connections=1)


@pytest.mark.parametrize(
    ("origins", "health", "in_use", "tried", "decision"),
    [
        pytest.param((A,), (UNKNOWN,), (0,), (), UseOrigin(0, "healthy"), id="the only one"),
        pytest.param((A, B), (SICK, UNKNOWN), (0, 0), (), UseOrigin(1, "healthy"), id="not a sick one"),
        pytest.param((A, BACKUP), (UNKNOWN, UNKNOWN), (0, 0), (), UseOrigin(0, "healthy"), id="a backup waits"),
        pytest.param((A, BACKUP), (SICK, UNKNOWN), (0, 0), (), UseOrigin(1, "backup"), id="failover to the backup"),
        pytest.param(
            (A, BACKUP), (SICK, SICK), (0, 0), (), UseOrigin(0, "none is healthy"), id="a sick one before none"
        ),
        pytest.param((A, B), (UNKNOWN, UNKNOWN), (0, 0), (0,), UseOrigin(1, "healthy"), id="not one that was tried"),
        pytest.param((A, BACKUP), (UNKNOWN, UNKNOWN), (0, 0), (0,), UseOrigin(1, "backup"), id="a retry at the backup"),
        pytest.param((A, B), (UNKNOWN, UNKNOWN), (0, 0), (0, 1), NoneLeft(), id="all were tried"),
        pytest.param((OFF,), (UNKNOWN,), (0,), (), NoneLeft(), id="a disabled one never"),
        pytest.param((NARROW, A), (UNKNOWN, UNKNOWN), (1, 0), (), UseOrigin(1, "healthy"), id="one that has room"),
        pytest.param((NARROW,), (UNKNOWN,), (1,), (), AllBusy(), id="no room anywhere"),
        pytest.param((NARROW, A), (UNKNOWN, SICK), (1, 0), (), AllBusy(), id="a sick one gets no overflow"),
    ],
)
def test_an_origin_is_chosen(
    origins: tuple[OriginServer, ...],
    health: tuple[OriginHealth, ...],
    in_use: tuple[int, ...],
    tried: tuple[int, ...],
    decision: Decision,
) -> None:
    assert choose_origin(origins, health, in_use, now=0.0, random_value=0.0, tried=tried) == decision


def test_weights_are_shares() -> None:
    chosen = Counter(
        decision.index
        for number in range(400)
        if isinstance(
            decision := choose_origin((A, B), (UNKNOWN, UNKNOWN), (0, 0), now=0.0, random_value=number / 400),
            UseOrigin,
        )
    )

    assert chosen == {0: 100, 1: 300}


@given(
    st.lists(st.tuples(st.integers(1, 9), st.booleans(), st.booleans(), st.booleans()), min_size=1, max_size=6),
    st.floats(0, 1, exclude_max=True),
)
def test_a_healthy_origin_is_preferred_whatever_the_chance(
    drawn: list[tuple[int, bool, bool, bool]], random_value: float
) -> None:
    origins = [OriginServer(f"http://{i}", weight=w, backup=b, enabled=e) for i, (w, b, e, _) in enumerate(drawn)]
    health = [UNKNOWN if is_healthy else SICK for _, _, _, is_healthy in drawn]

    decision = choose_origin(origins, health, [0] * len(origins), now=0.0, random_value=random_value)

    usable = [index for index, server in enumerate(origins) if server.enabled]
    if not usable:
        assert decision == NoneLeft()
        return
    assert isinstance(decision, UseOrigin)
    assert decision.index in usable
    if any(health[index] is UNKNOWN for index in usable):
        assert health[decision.index] is UNKNOWN
    if any(health[index] is UNKNOWN and not origins[index].backup for index in usable):
        assert not origins[decision.index].backup


@pytest.mark.parametrize(
    ("method", "nothing_sent", "body_is_there", "allowed"),
    [
        # https://www.rfc-editor.org/rfc/rfc9110#section-9.2.2
        ("GET", False, True, True),
        ("PUT", False, True, True),
        ("DELETE", False, True, True),
        ("POST", False, True, False),
        ("PATCH", False, True, False),
        ("POST", True, True, True),
        ("PUT", False, False, False),
        ("POST", True, False, False),
    ],
)
def test_only_what_cannot_happen_twice_is_sent_again(
    method: str, nothing_sent: bool, body_is_there: bool, allowed: bool
) -> None:
    assert may_retry(method, nothing_sent=nothing_sent, body_is_there=body_is_there) is allowed
