"""What the log says of an origin that is down, while many requests come."""

from pathlib import Path

import pytest

from edgeworker.config import Config, Zone
from tests.edge.making import is_down, make

CONFIG = Config(zones=(Zone("example.com", origin="http://127.0.0.1:3000"),))


async def test_lines_about_requests_to_an_origin_that_is_down_are_told_as_one(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The log of `serve` has one of them in ten seconds: the origin's failure must not fill the disk as well."""
    made = await make(tmp_path, CONFIG, {}, origin=is_down)

    for path in ("a", "b"):
        await made.get(f"http://example.com/{path}")

    records = [record for record in caplog.records if record.name.startswith("edgeworker")]
    assert len(records) == 2
    assert len({record.__dict__["repeats"] for record in records}) == 1
