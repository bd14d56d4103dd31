"""`logging.basicConfig()` in a script."""

import logging
from collections.abc import Iterator

import pytest

from edgeworker.runtime.python import script_logging
from tests.runtime.stage import Stage


@pytest.fixture(autouse=True)
def levels() -> Iterator[None]:
    root, edge = logging.getLogger(), logging.getLogger("edgeworker")
    before = root.level, edge.level
    root.setLevel(logging.WARNING)
    edge.setLevel(logging.NOTSET)  # another test of this process may have set it
    yield
    script_logging.uninstall()
    root.setLevel(before[0])
    edge.setLevel(before[1])


async def test_the_level_that_a_script_sets_counts_for_it_and_not_for_the_edge(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.add_fetch(
        "logging.getLogger('mine').info('of the script')\nreturn Response('')",
        above="import logging\nlogging.basicConfig(level=logging.INFO, format='%(message)s')\n",
    )
    await stage.get()
    logging.getLogger("edgeworker.server").info("of the edge")

    assert [record.getMessage() for record in caplog.records] == ["of the script"]


async def test_the_levels_are_as_before_when_scripts_are_gone(stage: Stage) -> None:
    stage.add_fetch("return Response('')", above="import logging\nlogging.basicConfig(level='DEBUG')\n")
    assert logging.getLogger().level == logging.DEBUG

    script_logging.uninstall()

    assert logging.getLogger().level == logging.WARNING
    assert logging.getLogger("edgeworker").level == logging.NOTSET
