from pathlib import Path

import pytest

from edgeworker import config
from edgeworker.errors import ScriptError
from edgeworker.handler import Background, Context
from edgeworker.messages import URL, Request
from edgeworker.runtime import Scheduled, load
from tests.runtime.stage import Origin


async def test_a_worker_of_assets_alone_handles_no_event(tmp_path: Path) -> None:
    isolate = load(config.Worker("w", None, assets=config.Assets(tmp_path)))
    request = Request("GET", URL.parse("http://x.example/"))
    ctx = Context(request, name="w", background=Background(), subrequest=Origin())
    why = 'worker "w" has only static assets and no script: set its "main"'

    assert not isolate.handles("fetch")
    with pytest.raises(ScriptError, match=why):
        await isolate.fetch(request, ctx)
    with pytest.raises(ScriptError, match=why):
        await isolate.scheduled(Scheduled("* * * * *", 0), ctx)
    with pytest.raises(ScriptError, match=why):
        await isolate.call("method", [], {}, ctx)
    await isolate.close()
