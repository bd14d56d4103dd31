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


@pytest.mark.parametrize("changes", ["logging.basicConfig(level='DEBUG')", "logging.disable(logging.DEBUG - 1)"])
async def test_the_levels_are_as_before_when_scripts_are_gone(stage: Stage, changes: str) -> None:
    stage.add_fetch("return Response('')", above=f"import logging\n{changes}\n")
    assert logging.getLogger().level == logging.DEBUG

    script_logging.uninstall()

    assert logging.getLogger().level == logging.WARNING
    assert logging.getLogger("edgeworker").level == logging.NOTSET


FILE = """
[loggers]
keys = root
[handlers]
keys = null
[formatters]
keys =
[logger_root]
handlers = null
[handler_null]
class = NullHandler
"""
ROOT = {"version": 1, "handlers": {"null": {"class": "logging.NullHandler"}}, "root": {"handlers": ["null"]}}


@pytest.mark.parametrize(
    "silences",
    [
        "from logging.config import dictConfig; dictConfig({'version': 1})",
        "logging.config.dictConfig(ROOT)",
        "ROOT['root']['level'] = 'CRITICAL'; logging.config.dictConfig(ROOT)",
        "logging.config.dictConfig({'version': 1, 'loggers': {'edgeworker': {'level': 'CRITICAL'}}})",
        "logging.config.fileConfig(io.StringIO(FILE))",
        "logging.disable()",
        "logging.disable(logging.CRITICAL)",
        "logging.basicConfig(level='CRITICAL', force=True)",
    ],
)
async def test_what_a_script_does_to_logging_does_not_silence_the_edge(
    stage: Stage, silences: str, caplog: pytest.LogCaptureFixture
) -> None:
    logging.getLogger("edgeworker").setLevel(logging.INFO)
    handlers = logging.getLogger().handlers[:]
    stage.add_fetch(
        silences + "\nreturn Response('')",
        above=f"import io, logging, logging.config\nFILE, ROOT = {FILE!r}, {ROOT!r}\n",
    )
    await stage.get()

    logging.getLogger("edgeworker.server").info("of the edge")
    logging.getLogger("edgeworker.host.new").error("of a room that logs for the first time")

    assert [record.getMessage() for record in caplog.records] == [
        "of the edge",
        "of a room that logs for the first time",
    ]
    assert logging.getLogger().handlers[: len(handlers)] == handlers


async def test_a_script_that_is_loaded_again_configures_its_handlers_anew(stage: Stage) -> None:
    before = logging.getLogger().handlers[:]
    for _ in range(3):
        stage.add_fetch("return Response('')", above=f"import logging.config\nlogging.config.dictConfig({ROOT!r})\n")
        added = [each for each in logging.getLogger().handlers if each not in before]
        assert [type(each) for each in added] == [logging.NullHandler]

    script_logging.uninstall()

    assert logging.getLogger().handlers == before


async def test_the_end_of_the_process_still_flushes_the_handlers_of_the_edge(stage: Stage) -> None:
    flushed: list[str] = []

    class EdgeHandler(logging.Handler):
        def flush(self) -> None:
            flushed.append("flushed")

    handler = EdgeHandler()
    stage.add_fetch("return Response('')", above=f"import logging.config\nlogging.config.dictConfig({ROOT!r})\n")
    flushed.clear()

    logging.shutdown([each for each in vars(logging)["_handlerList"] if each() is handler])

    assert flushed == ["flushed"]


async def test_a_level_that_a_script_disables_may_be_a_name(stage: Stage) -> None:
    stage.add_fetch("return Response('')", above="import logging\nlogging.disable('INFO')\n")

    assert logging.getLogger().level == logging.INFO + 1
