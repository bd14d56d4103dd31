"""No acknowledged write is lost and no answer is untrue while a disk fails. All faults: `python -m tests.faults`."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults import storage
from tests.faults.shim import has_compiler

pytestmark = pytest.mark.skipif(not has_compiler(), reason="needs gcc, which makes the library that fails")


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (storage.disk_full, "the disk is full; make room on it"),
        (storage.fsync_fails, "check the disk"),
        (storage.reading_fails, "look there first (dmesg)"),
    ],
    ids=["disk full", "fsync", "read"],
)
def test_what_is_acknowledged_while_the_disk_fails_is_there_and_the_rest_is_refused_with_a_page(
    tmp_path: Path, fault: Callable[[Path], storage.Outcome], said: str
) -> None:
    outcome = fault(tmp_path)

    assert outcome.wrong == []
    assert outcome.pages_without_ray == 0
    assert {what for what in outcome.answers if what.endswith(" 500")}  # else nothing failed
    assert set(outcome.answers) <= {"put 200", "put 500", "get 200", "get 500"}
    assert any(said in text for text in outcome.said)
