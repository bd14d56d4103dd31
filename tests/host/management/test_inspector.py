"""DevTools and `dev --inspector-port`: a client of the Chrome DevTools Protocol, as DevTools are one."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest

from tests.cli.running import Edge, dev, fetch, run
from tests.npm_tools import node_tools
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.node

SOURCE: Final = """interface Env { A: string }
export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const answer: number = 42;
    console.log("asked", answer);
    if (request.url.endsWith("/pause")) debugger;
    return new Response(`VERSION ${answer}`);
  },
};
"""


def write_project(folder: Path, *, version: str = "first", cpu_ms: int = 30_000) -> None:
    config = f'name = "shop"\nmain = "index.ts"\ncompatibility_date = "2026-07-01"\n[limits]\ncpu_ms = {cpu_ms}\n'
    (folder / "wrangler.toml").write_text(config)
    (folder / "index.ts").write_text(SOURCE.replace("VERSION", version))
    if not (folder / "node_modules").exists():
        (folder / "node_modules").symlink_to(node_tools() / "node_modules")


class DevTools:
    """One session: sends commands, and keeps the events that come meanwhile."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.events: list[dict[str, Any]] = []
        self._last = 0

    async def ask(self, method: str, **params: object) -> Any:
        self._last += 1
        await self.socket.send_json({"id": self._last, "method": method, "params": params})
        while True:
            message = await self.receive()
            if message.get("id") == self._last:
                return message["result"]

    async def wait_for(self, method: str) -> Any:
        for event in self.events:
            if event["method"] == method:
                return event["params"]
        while True:
            message = await self.receive()
            if message.get("method") == method:
                return message["params"]

    async def receive(self) -> dict[str, Any]:
        message: dict[str, Any] = await self.socket.receive_json(timeout=PATIENCE_SECONDS)
        if "method" in message:
            self.events.append(message)
        return message


@asynccontextmanager
async def devtools(url: str) -> AsyncIterator[DevTools]:
    listed = json.loads(fetch(f"{url}/json/list").text)
    async with aiohttp.ClientSession() as session, session.ws_connect(listed[0]["webSocketDebuggerUrl"]) as socket:
        yield DevTools(socket)


def inspector_url(edge: Edge) -> str:
    url = edge.ready["inspector_url"]
    assert isinstance(url, str)
    assert url.startswith("http://127.0.0.1:")
    return url


async def test_devtools_evaluate_stop_in_the_script_and_see_its_source(tmp_path: Path) -> None:
    write_project(tmp_path, cpu_ms=300)

    with dev("--js-engine", "workerd", "--inspector-port", "0", cwd=tmp_path) as edge:
        async with devtools(inspector_url(edge)) as client, aiohttp.ClientSession() as session:
            await client.ask("Runtime.enable")
            await client.ask("Debugger.enable")
            evaluated = await client.ask("Runtime.evaluate", expression="6 * 7")
            asking = asyncio.ensure_future(session.get(f"{edge.url}/pause"))
            paused = await client.wait_for("Debugger.paused")
            await asyncio.sleep(1.5)  # longer than limits.cpu_ms: who debugs is not ended for it
            frame = paused["callFrames"][0]
            local = await client.ask(
                "Debugger.evaluateOnCallFrame", callFrameId=frame["callFrameId"], expression="answer + 1"
            )
            await client.ask("Debugger.resume")
            async with await asking as answer:
                said = await answer.text()
            console = await client.wait_for("Runtime.consoleAPICalled")

    assert evaluated["result"]["value"] == 42
    assert (local["result"]["value"], said) == (43, "first 42")
    assert [one["value"] for one in console["args"]] == ["asked", 42]
    maps = [event["params"]["sourceMapURL"] for event in client.events if event["method"] == "Debugger.scriptParsed"]
    (written,) = [json.loads(base64.b64decode(one.partition(",")[2])) for one in maps if one]
    assert written["sources"] == ["index.ts"]
    assert "interface Env" in written["sourcesContent"][0]
    assert written["sourceRoot"] == f"{tmp_path.as_uri()}/"


async def test_devtools_are_let_go_at_a_reload_and_find_the_new_version(tmp_path: Path) -> None:
    write_project(tmp_path)

    with dev("--js-engine", "workerd", "--inspector-port", "0", cwd=tmp_path) as edge:
        async with devtools(inspector_url(edge)) as client:
            await client.ask("Runtime.enable")
            write_project(tmp_path, version="second")
            edge.wait_for("reloaded")
            closed = await client.socket.receive(timeout=PATIENCE_SECONDS)
        async with devtools(inspector_url(edge)) as client:
            await client.ask("Runtime.enable")
            assert edge.get("localhost", "/").text == "second 42"
            assert (await client.wait_for("Runtime.consoleAPICalled"))["args"][0]["value"] == "asked"

    assert closed.type is aiohttp.WSMsgType.CLOSE


async def test_a_page_in_a_browser_cannot_reach_the_inspector(tmp_path: Path) -> None:
    write_project(tmp_path)

    with dev("--js-engine", "workerd", "--inspector-port", "0", cwd=tmp_path) as edge:
        url = inspector_url(edge)
        rebound = fetch(f"{url}/json/list", headers={"Host": "rebound.example:9229"})
        page = fetch(f"{url}/json/list", headers={"Origin": "https://page.example"})
        async with aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await session.ws_connect(f"{url}/shop", headers={"Origin": "http://localhost:8787"})
            async with session.ws_connect(f"{url}/shop", headers={"Origin": "devtools://devtools"}):
                pass
        answers = [fetch(f"{url}{path}").status for path in ("/json/version", "/nope", "/edgeworker-ping", "/shop")]

    assert (rebound.status, page.status, refused.value.status) == (403, 403, 403)
    assert "rebound.example" in rebound.text
    assert answers == [200, 404, 404, 426]


def test_the_option_is_refused_in_the_embedded_engine(tmp_path: Path) -> None:
    pytest.importorskip("quickjs", reason="quickjs-bindings has wheels for CPython 3.11 and 3.13")
    write_project(tmp_path)

    embedded = run("dev", "--js-engine", "embedded", "--inspector-port", "0", cwd=tmp_path)

    assert 'worker "shop" runs in QuickJS (it is configured), which has no inspector' in embedded.stderr
    assert embedded.returncode != 0


def test_the_option_is_refused_where_there_is_nothing_to_debug(tmp_path: Path) -> None:
    (tmp_path / "worker.py").write_text("")
    (tmp_path / "wrangler.toml").write_text('name = "w"\nmain = "worker.py"\ncompatibility_date = "2026-07-01"\n')
    python = run("dev", "--inspector-port", "0", cwd=tmp_path)
    serve = run("serve", "--inspector-port", "0", cwd=tmp_path)

    assert "--inspector-port is for JavaScript workers, and there is none" in python.stderr
    assert "unrecognized arguments: --inspector-port" in serve.stderr
    assert [one.returncode != 0 for one in (python, serve)] == [True, True]
