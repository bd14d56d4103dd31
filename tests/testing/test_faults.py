"""FaultInjection by seed."""

import asyncio
from pathlib import Path

import pytest

from edgeworker.errors import OriginError
from edgeworker.messages import URL, Request
from edgeworker.testing.clock import MovableClock
from edgeworker.testing.faults import FaultInjection, OriginMisfortune
from edgeworker.testing.local import LocalEdge
from edgeworker.testing.origin import Origin
from tests.testing.scripts import edge_of, worker_config


async def _outcomes(faults: FaultInjection) -> list[int]:
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
    faults = FaultInjection(seed=7, origin_failures=0.5)

    first = await _outcomes(faults)

    assert first == await _outcomes(faults)
    assert first != await _outcomes(FaultInjection(seed=8, origin_failures=0.5))
    assert 10 < first.count(200) < 30
    assert len(set(first)) > 3


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_a_share_is_between_0_and_1(share: float) -> None:
    with pytest.raises(ValueError, match="a share of all calls"):
        FaultInjection(origin_failures=share)


SCRIPT = """
async def fetch(self, request):
    try:
        return Response(await self.env.TOKENS.get("k") or "nothing")
    except Exception as error:
        return Response(str(error), status=503)
"""


def _statuses(folder: Path, seed: int) -> list[int]:
    with edge_of(folder, SCRIPT, faults=FaultInjection(seed=seed, kv_failures=0.3)) as edge:
        edge.kv().put("k", "v")
        return [edge.get("/").status for _ in range(30)]


def test_kv_fails_by_seed_for_scripts_and_never_for_the_test(tmp_path: Path) -> None:
    first = _statuses(tmp_path, 1)

    assert set(first) == {200, 503}
    assert first == _statuses(tmp_path, 1)
    assert first != _statuses(tmp_path, 2)


async def test_slow_kv_answers_when_the_clock_was_moved(tmp_path: Path) -> None:
    config = worker_config(tmp_path, SCRIPT)
    async with LocalEdge(config, faults=FaultInjection(kv_slow=1.0, kv_delay_seconds=3)) as edge:
        answer = asyncio.ensure_future(edge.fetch("/"))
        await edge.settle()
        assert not answer.done()

        edge.clock.advance(3)
        await edge.settle()
        assert (await answer).text == "nothing"


def test_a_write_is_seen_elsewhere_after_a_while(tmp_path: Path) -> None:
    clock = MovableClock(1_800_000_000)
    config = worker_config(tmp_path, SCRIPT)
    with LocalEdge(config, clock=clock, faults=FaultInjection(seed=3, kv_eventual_seconds=60)) as edge:
        edge.get("/")
        edge.kv().put("k", "v")

        assert (edge.kv().get("k"), edge.get("/").text) == ("v", "nothing")
        edge.clock.advance(60)
        assert edge.get("/").text == "v"


def test_nothing_goes_wrong_unless_asked() -> None:
    assert not FaultInjection(seed=3).any
    assert FaultInjection(origin_failures=0.1).any
