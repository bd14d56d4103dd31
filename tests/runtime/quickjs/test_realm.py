"""What crosses between a script of the embedded engine and the edge: requests, their fields and `cf`, reads of KV."""

import asyncio
import json
from pathlib import Path

import pytest

from edgeworker.messages import URL, Headers, Request, Response
from edgeworker.runtime.contract.isolate import ExceededLimits, LostWithIsolate
from edgeworker.runtime.contract.javascript import EnvEntry, EnvNamespace
from tests.runtime.engines.stage import memory_namespace, staged

pytest.importorskip("quickjs", reason="quickjs-bindings has wheels for CPython 3.11 and 3.13")


async def test_headers_that_were_copied_are_apart(tmp_path: Path) -> None:
    expression = """(() => {
      const one = new Headers({ A: "1", b: "2" }), two = new Headers(one), three = new Headers(two);
      two.append("a", "x"); one.set("b", " 3 "); three.delete("a");
      return [[...one], [...two], [...three], new Request(request).headers.get("host") === request.headers.get("host")];
    })()"""

    async with staged(
        "embedded", tmp_path, f"export default {{ fetch: (request) => Response.json({expression}) }}"
    ) as stage:
        told = json.loads(await stage.text("/"))

    assert told == [
        [["a", "1"], ["b", "3"]],
        [["a", "1, x"], ["b", "2"]],
        [["b", "2"]],
        True,
    ]


async def test_a_request_copied_and_changed_leaves_the_first_as_it_came(tmp_path: Path) -> None:
    source = """export default { async fetch(request) {
      const copy = new Request(request);
      copy.headers.set("X-One", "2");
      copy.headers.append("x-new", "3");
      let refused = "";
      try { request.headers.set("a", "b"); } catch (error) { refused = error.message; }
      const sent = await fetch("http://other.test/", { headers: copy.headers });
      return Response.json([request.headers.get("x-one"), copy.headers.get("X-ONE"), refused, await sent.text()]);
    } }"""

    class Echo:
        async def fetch(self, request: Request, /) -> Response:
            return Response(200, body=json.dumps([request.headers.get("x-one"), request.headers.get("x-new")]).encode())

    async with staged("embedded", tmp_path, source) as stage:
        asked = Request("GET", URL.parse("http://x.test/"), Headers({"x-one": "1"}))
        response = await stage.send(asked, Echo())
        assert response.body is not None
        assert json.loads(await response.body.read()) == ["1", "2", "Can't modify immutable headers.", '["2", "3"]']


async def test_cf_is_the_requests_own_and_goes_on_with_a_copy(tmp_path: Path) -> None:
    source = """export default { async fetch(request) {
      if (request.url.endsWith("/read")) request.cf.country = "XX";
      await fetch(new Request(request, { headers: {} }));
      return Response.json([request.cf.country, new Request(request).cf.country, request.clone().cf.colo]);
    } }"""
    seen: list[object] = []

    class Origin:
        async def fetch(self, request: Request, /) -> Response:
            seen.append(None if request.cf is None else dict(request.cf))
            return Response(200)

    async with staged("embedded", tmp_path, source) as stage:
        told = []
        for path in ("/as-it-came", "/read"):
            asked = Request("GET", URL.parse(f"http://x.test{path}"), cf={"country": "DE", "colo": "LOC"})
            response = await stage.send(asked, Origin())
            assert response.body is not None
            told.append(json.loads(await response.body.read()))

    assert told == [["DE", "DE", "LOC"], ["XX", "XX", "LOC"]]
    assert seen == [{"country": "DE", "colo": "LOC"}, {"country": "XX", "colo": "LOC"}]


async def test_a_loop_of_reads_lets_others_in(tmp_path: Path) -> None:
    source = """export default { async fetch(request, env) {
      if (request.url.endsWith("/other")) { globalThis.stop = true; return new Response("in between"); }
      while (!globalThis.stop) await env.KV.get("k");
      return new Response("stopped");
    } }"""
    env: dict[str, EnvEntry] = {"KV": EnvNamespace(memory_namespace())}

    async with staged("embedded", tmp_path, source, env) as stage:
        loop = asyncio.ensure_future(stage.text("/"))
        await asyncio.sleep(0)

        assert await stage.text("/other") == "in between"
        assert await loop == "stopped"


async def test_a_script_does_not_wait_for_ever_for_what_the_edge_failed_to_do(tmp_path: Path) -> None:
    class Broken:
        async def fetch(self, request: Request, /) -> Response:
            raise RuntimeError("a fault of the edge's own")

    source = """export default { async fetch() {
      try { await fetch("https://x.test/"); } catch (error) { return new Response(String(error)); }
    } }"""

    async with staged("embedded", tmp_path, source) as stage:
        response = await stage.send(Request("GET", URL.parse("https://shop.example.com/")), Broken())
        assert response.body is not None
        assert await response.body.read() == b"Error: internal error"


async def test_what_ends_with_an_isolate_that_another_request_filled_may_be_tried_again(tmp_path: Path) -> None:
    asked = asyncio.Event()

    class Silent:
        async def fetch(self, request: Request, /) -> Response:
            asked.set()
            await asyncio.Event().wait()
            return Response(200)

    source = """const kept = [];
    export default { async fetch(request) {
      if (request.url.endsWith("/grow")) for (;;) kept.push(new Array(100_000).fill(Math.random()));
      if (request.url.endsWith("/wait")) await fetch("https://silent.test/");
      return new Response("alive");
    } }"""

    async with staged("embedded", tmp_path, source) as stage:
        request = Request("GET", URL.parse("https://shop.example.com/wait"))
        waiting = asyncio.ensure_future(stage.send(request, Silent()))
        await asked.wait()
        with pytest.raises(ExceededLimits) as guilty:
            await stage.get("/grow")
        with pytest.raises(LostWithIsolate):
            await waiting

        assert not isinstance(guilty.value, LostWithIsolate)
        assert await stage.text("/") == "alive"
