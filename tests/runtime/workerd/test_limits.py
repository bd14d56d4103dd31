"""What else ends when a child has to be ended, and what goes on in the next one."""

import asyncio
from pathlib import Path
from typing import Final

import pytest

from edgeworker.errors import ScriptError
from edgeworker.messages import URL, Body, Request, Response
from edgeworker.runtime.contract.isolate import ExceededLimits, LostWithIsolate
from tests.patience import PATIENCE_SECONDS
from tests.runtime.engines.stage import Stage, staged

pytestmark = pytest.mark.node

# /wait waits for what it fetches, /wrote has sent something before; a body comes with POST.
SOURCE: Final = """const kept = [];
export default { async fetch(request) {
  const { pathname } = new URL(request.url);
  if (pathname === "/loop") for (;;);
  if (pathname === "/heap") for (;;) kept.push(new Array(100_000).fill(Math.random()));
  if (pathname === "/buffers") for (;;) kept.push(new Uint8Array(1 << 20).fill(7));
  if (pathname === "/wrote") await fetch("https://outside.test/write", { method: "POST", body: "x" });
  if (pathname !== "/") return new Response(await (await fetch("https://outside.test/held")).text());
  return new Response("alive");
} }"""


class HeldOutside:
    """Answers /held only when `let_go` is set."""

    def __init__(self) -> None:
        self.let_go = asyncio.Event()
        self.asked = asyncio.Semaphore(0)

    async def fetch(self, request: Request, /) -> Response:
        if request.url.path == "/held":
            self.asked.release()
            await self.let_go.wait()
        return Response(200, body=b"from outside")


async def read(stage: Stage, method: str, path: str, outside: HeldOutside) -> str:
    body = Body(b"content") if method == "POST" else None
    response = await stage.send(Request(method, URL.parse(f"https://shop.example.com{path}"), body=body), outside)
    assert response.body is not None
    return (await response.body.read()).decode()


@pytest.mark.parametrize("guilty", ["/loop", "/heap", "/buffers"])
async def test_what_waits_for_the_edge_goes_on_in_the_next_child_if_it_has_changed_nothing(
    guilty: str, tmp_path: Path
) -> None:
    async with staged("workerd", tmp_path, SOURCE, cpu_ms=1000 if guilty == "/loop" else 30_000) as stage:
        outside = HeldOutside()
        waiting = [
            asyncio.ensure_future(read(stage, method, path, outside))
            for method, path in (("GET", "/wait"), ("GET", "/wrote"), ("POST", "/wait"))
        ]
        for _ in waiting:
            await outside.asked.acquire()

        with pytest.raises(ExceededLimits) as exceeded:
            await read(stage, "GET", guilty, outside)
        await outside.asked.acquire()  # the first one's, again
        outside.let_go.set()
        answers = await asyncio.gather(*waiting, return_exceptions=True)

        assert not isinstance(exceeded.value, LostWithIsolate)
        assert answers[0] == "from outside"
        assert [type(one) for one in answers[1:]] == [LostWithIsolate, LostWithIsolate]
        assert await stage.text("/") == "alive"


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


async def test_work_of_wait_until_is_held_to_the_limits_after_the_answer(tmp_path: Path) -> None:
    source = """export default { async fetch(request, env, ctx) {
      if (request.url.endsWith("/later")) {
        ctx.waitUntil(new Promise((resolve) => setTimeout(resolve, 10)).then(() => { for (;;); }));
      }
      return new Response("answered");
    } }"""

    async with staged("workerd", tmp_path, source, cpu_ms=500) as stage:
        assert await stage.text("/later") == "answered"
        await stage.background.drain(timeout_seconds=PATIENCE_SECONDS)

        assert await stage.text("/") == "answered"
