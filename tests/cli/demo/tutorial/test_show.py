"""`edgeworker demo --javascript`."""

import io
import re

import pytest

from edgeworker.cli.demo.tutorial.show import perform
from edgeworker.cli.output import Output


async def test_both_workers_glue_the_same_token_and_each_step_is_verified() -> None:
    pytest.importorskip("quickjs")
    stream = io.StringIO()

    assert await perform(Output(stream, styled=False), keep=False)
    text = stream.getvalue()
    assert "FAILED" not in text
    assert re.search(r"\nok: 22 of 22 checks held\.\n$", text)
    assert "it runs in QuickJS: no workerd is in the project's node_modules" in text
    for worker in ("Python, split-token", "JavaScript, the tutorial's"):
        assert f"ok: {worker}: 200" in text
