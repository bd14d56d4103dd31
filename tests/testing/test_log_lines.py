"""What is logged is kept for whom it belongs to."""

import asyncio
import logging

from edgeworker.testing.log_lines import LogLine, collect_lines


async def _log(logger: str, text: str) -> None:
    await asyncio.sleep(0)
    logging.getLogger(logger).warning("%s", text)


async def test_lines_go_to_the_edge_in_whose_work_they_were_made() -> None:
    one: list[LogLine] = []
    other: list[LogLine] = []
    with collect_lines(one):
        first = asyncio.ensure_future(_log("edgeworker.test", "one"))
    with collect_lines(other):
        second = asyncio.ensure_future(_log("a_script", "other"))
    await asyncio.gather(first, second)
    logging.getLogger("edgeworker.test").warning("nobody's")

    assert one == [LogLine("WARNING", "edgeworker.test", "one")]
    assert other == [LogLine("WARNING", "a_script", "other")]


def test_a_traceback_is_part_of_the_text() -> None:
    lines: list[LogLine] = []
    with collect_lines(lines):
        try:
            raise ValueError("broken")
        except ValueError:
            logging.getLogger("edgeworker.test").exception("failed")

    assert lines[0].text.startswith("failed\nTraceback")
    assert lines[0].text.endswith("ValueError: broken")


def test_what_edgeworker_tells_is_kept_too() -> None:
    lines: list[LogLine] = []
    with collect_lines(lines):
        logging.getLogger("edgeworker.test").info("told")

    assert [line.level for line in lines] == ["INFO"]
