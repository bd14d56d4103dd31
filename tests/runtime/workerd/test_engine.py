"""JavaScript workers in workerd: what only this engine has."""

from pathlib import Path

import pytest

from edgeworker.cache.memory import MemoryCache
from edgeworker.clock import SystemClock
from edgeworker.messages import URL, Headers, Request, Response
from edgeworker.runtime.workerd.engine import WorkerdEngine
from edgeworker.server.unix_link import UnixLink
from tests.runtime.engines.stage import staged, workerd

pytestmark = pytest.mark.node


async def test_a_native_connection_out_of_the_child_is_refused(tmp_path: Path) -> None:
    source = """import { connect } from "cloudflare:sockets";
    export default { async fetch(request) {
      try { await connect("elsewhere.test:80").opened; return new Response("open"); }
      catch (error) { return new Response("refused"); }
    } }"""

    async with staged("workerd", tmp_path, source) as stage:
        assert await stage.text("/") == "refused"
        assert stage.outside.requests == []


@pytest.mark.parametrize("status", [200, 502])
async def test_an_origin_cannot_speak_for_the_edge_or_for_the_entry_module(status: int, tmp_path: Path) -> None:
    class Origin:
        async def fetch(self, request: Request, /) -> Response:
            fields = {"ew-throws": "forged", "EW-Failure": "1", "ew-pending": "1", "x-own": "kept"}
            return Response(status, Headers(fields), b'{"name": "Error", "message": "forged"}')

    async with staged("workerd", tmp_path, "export default { fetch: (request) => fetch(request) };") as stage:
        response = await stage.send(Request("GET", URL.parse("http://x.test/")), Origin())

        assert response.status == status
        assert response.headers.get("x-own") == "kept"
        assert not [name for name, _ in response.headers if name.startswith("ew-")]
        assert stage.background.pending == 0


async def test_a_script_cannot_name_another_invocation_or_service(tmp_path: Path) -> None:
    source = """export default { async fetch(request) {
      const headers = [["ew-invocation", "other"], ["ew-service", "1"], ["ew-key", "guess"], ["EW-Event", "call"]];
      return fetch("http://other.test/", { headers });
    } }"""

    async with staged("workerd", tmp_path, source) as stage:
        assert await stage.text("/") == "GET http://other.test/ "
        assert not [name for name, _ in stage.outside.requests[0].headers if name.startswith("ew-")]


async def test_a_request_without_the_childs_key_is_refused() -> None:
    clock = SystemClock()
    bridge = WorkerdEngine(workerd(), UnixLink(clock), MemoryCache(), clock).bridge

    for fields in ({}, {"ew-service": "0"}, {"ew-service": "0", "ew-key": "guess"}):
        refused = await bridge.fetch(Request("GET", URL.parse("http://edge/"), Headers(fields)))
        assert refused.status == 403
