import gc
import weakref
from collections.abc import Iterator

import pytest

from edgeworker.cli import garbage


@pytest.fixture(autouse=True)
def _the_collector_is_restored() -> Iterator[None]:
    thresholds = gc.get_threshold()
    yield
    gc.enable()
    gc.unfreeze()
    gc.set_threshold(*thresholds)


def test_nothing_is_looked_through_while_a_command_starts() -> None:
    garbage.starting()

    assert not gc.isenabled()


def test_what_is_there_when_the_program_is_loaded_is_not_looked_through_again() -> None:
    garbage.starting()
    garbage.program_loaded()
    garbage.serving()

    assert gc.isenabled()
    assert gc.get_freeze_count() > 1000


def test_what_a_reload_leaves_behind_is_collected() -> None:
    class Cycle:
        def __init__(self) -> None:
            self.itself = self

    garbage.program_loaded()
    cycle = Cycle()
    left = weakref.ref(cycle)
    garbage.serving()
    frozen = gc.get_freeze_count()

    del cycle
    garbage.collect_replaced()

    assert left() is None
    assert gc.get_freeze_count() == frozen, (
        "the program is not looked through for it, which would keep requests waiting"
    )
