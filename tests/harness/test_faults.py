"""Faults by seed."""

import pytest

from edgeworker.errors import OriginError
from edgeworker.harness.clock import MovableClock
from edgeworker.harness.faults import Faults, OriginMisfortune
from edgeworker.harness.origin import Origin
from edgeworker.messages import URL, Request


async def _outcomes(faults: Faults) -> list[int]:
    origin = Origin(MovableClock())
    origin.misfortune = OriginMisfortune(faults)
    outcomes = []
    for _ in range(40):
        try:
            response = await origin.at("http://origin.test").fetch(Request("GET", URL.parse("http://a.test/")))
            outcomes.append(response.status)
        except OriginError as error:
            outcomes.append(error.status)
    return outcomes


async def test_the_same_seed_gives_the_same_failures() -> None:
    faults = Faults(seed=7, origin_failures=0.5)

    first = await _outcomes(faults)

    assert first == await _outcomes(faults)
    assert first != await _outcomes(Faults(seed=8, origin_failures=0.5))
    assert 10 < first.count(200) < 30
    assert len(set(first)) > 3


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_a_share_is_between_0_and_1(share: float) -> None:
    with pytest.raises(ValueError, match="a share of all calls"):
        Faults(origin_failures=share)


def test_nothing_goes_wrong_unless_asked() -> None:
    assert not Faults(seed=3).any
    assert Faults(origin_failures=0.1).any
