"""A child that ends by itself."""

import asyncio
from pathlib import Path

import pytest

from edgeworker.errors import ScriptError
from tests.runtime.engines.stage import staged

pytestmark = pytest.mark.node


async def test_a_child_that_ends_by_itself_is_told_and_started_again(tmp_path: Path) -> None:
    source = """export default { async fetch(request) {
      if (request.url.endsWith("/wait")) await new Promise((resolve) => setTimeout(resolve, 60_000));
      return new Response("alive");
    } }"""

    async with staged("workerd", tmp_path, source) as stage:
        waiting = asyncio.ensure_future(stage.get("/wait"))
        assert await stage.text("/") == "alive"
        assert stage.child is not None
        stage.child._child.kill()
        with pytest.raises(ScriptError, match="workerd ended while a worker ran: "):
            await waiting

        assert await stage.text("/") == "alive"
