"""`URL` over both engines: the cases of the web platform tests.

url/wpt.json is urltestdata.json and setters_tests.json of https://github.com/web-platform-tests/wpt (3-clause BSD
license) as of 2023-07, with what the standard changed since: "^" is encoded in paths, and a space at the end of an
opaque path is encoded where something followed it.
"""

import json
from pathlib import Path
from typing import Final

import pytest

from edgeworker.messages import URL, Body, Headers, Request
from tests.runtime.engines.stage import staged

_FOLDER: Final = Path(__file__).with_name("url")


@pytest.mark.parametrize("engine", ["embedded", "workerd"])
async def test_urls_are_read_and_changed_as_the_standard_says(engine: str, tmp_path: Path) -> None:
    request = Request(
        "POST", URL.parse("https://shop.example.com/"), Headers(), Body((_FOLDER / "wpt.json").read_bytes())
    )

    async with staged(engine, tmp_path, (_FOLDER / "worker.js").read_text()) as stage:
        response = await stage.send(request)
        assert response.body is not None
        wrong = json.loads(await response.body.read())

    assert wrong == []
