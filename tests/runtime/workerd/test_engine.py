"""JavaScript workers in workerd: what only this engine has."""

from pathlib import Path

import pytest

from edgeworker.cache.memory import MemoryCache
from edgeworker.clock import SystemClock
from edgeworker.messages import URL, Headers, Request
from edgeworker.runtime.workerd.engine import WorkerdEngine
from edgeworker.server.unix_link import UnixLink
from tests.runtime.engines.stage import staged, workerd

pytestmark = pytest.mark.node


async def test_a_fetch_outside_of_any_invocation_is_refused(tmp_path: Path) -> None:
    source = """let early;
    setTimeout;
    export default { async fetch(request) {
      const socket = new WebSocket("ws://elsewhere.test/");
      const failed = await new Promise((resolve) => socket.addEventListener("error", () => resolve(true)));
      return new Response(String(failed));
    } }"""

    async with staged("workerd", tmp_path, source) as stage:
        assert await stage.text("/") == "true"
        assert stage.outside.requests == []


async def test_a_request_without_the_childs_key_is_refused() -> None:
    clock = SystemClock()
    bridge = WorkerdEngine(workerd(), UnixLink(clock), MemoryCache(), clock).bridge

    for fields in ({}, {"ew-service": "0"}, {"ew-service": "0", "ew-key": "guess"}):
        refused = await bridge.fetch(Request("GET", URL.parse("http://edge/"), Headers(fields)))
        assert refused.status == 403
