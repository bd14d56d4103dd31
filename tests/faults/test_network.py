"""What origins do wrong is told to clients, touches no write, and is over when it ends. All faults: `python -m
tests.faults`."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults import network
from tests.faults.shim import has_compiler
from tests.faults.storage import Outcome

needs_gcc = pytest.mark.skipif(not has_compiler(), reason="needs gcc, which makes the library that fails")


@pytest.mark.parametrize(
    ("fault", "answer"),
    [
        (network.half_closed_origin, "520 whole"),
        (network.length_too_long, "200 cut"),
        (network.length_too_short, "200 whole"),
        pytest.param(network.dns_gone, "530 whole", marks=needs_gcc),
        (network.origin_certificate_expired, "526 whole"),
    ],
    ids=["half-closed", "length too long", "length too short", "DNS gone", "certificate of the origin"],
)
def test_an_origin_that_fails_is_told_and_touches_no_write(
    tmp_path: Path, fault: Callable[[Path], Outcome], answer: str
) -> None:
    outcome = fault(tmp_path)

    assert outcome.wrong == []
    assert outcome.pages_without_ray == 0
    assert set(outcome.answers) == {answer, "put 200", "get 200"}
