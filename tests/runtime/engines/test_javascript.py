"""Which engine runs a JavaScript worker, and such a worker behind a whole edge."""

import json
import os
import re
import sys
from datetime import datetime
from pathlib import Path
from typing import Literal

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from edgeworker.errors import ConfigError
from edgeworker.javascript.settings import JavaScriptSettings
from edgeworker.runtime.engines.javascript import UseEmbedded, UseWorkerd, choose_engine
from edgeworker.testing import Edge
from tests.cli.running import dev, run
from tests.npm_tools import node_tools
from tests.runtime.engines.stage import workerd

ENGINES = [pytest.param("workerd", marks=pytest.mark.node), "embedded"]


def project(folder: Path, files: dict[str, str], engine: str = "workerd") -> Path:
    """Without node_modules for the embedded engine: neither a bundler nor workerd is there."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    if engine == "embedded":
        pytest.importorskip("quickjs")
    else:
        (folder / "node_modules").symlink_to(node_tools() / "node_modules")
    (folder / "edge.toml").write_text(f'[javascript]\nengine = "{engine}"\n')
    return folder


@pytest.mark.node
def test_the_projects_own_workerd_is_taken(tmp_path: Path) -> None:
    project(tmp_path, {})

    choice = choose_engine(JavaScriptSettings(), tmp_path / "src")

    assert isinstance(choice, UseWorkerd)
    assert choice.reason == "it is in the project's node_modules"
    assert choice.program.newest_date >= "2026-07-01"


@pytest.mark.node
def test_a_configured_program_wins(tmp_path: Path) -> None:
    choice = choose_engine(JavaScriptSettings(workerd=workerd().program), tmp_path)

    assert isinstance(choice, UseWorkerd)
    assert choice.program.program == workerd().program


HAVE_WHEELS = ((3, 11), (3, 13))  # of quickjs-bindings 0.1.1


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        (JavaScriptSettings(engine="workerd"), "no workerd is in the project's node_modules or on PATH"),
        (JavaScriptSettings(workerd=Path("/bin/false")), "/bin/false is not a workerd that runs here"),
        (JavaScriptSettings(workerd=Path("/nope/workerd")), "No such file or directory"),
    ],
)
def test_an_engine_that_is_not_there_is_told(
    tmp_path: Path, settings: JavaScriptSettings, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", os.devnull)

    with pytest.raises(ConfigError, match=text):
        choose_engine(settings, tmp_path)


def test_without_a_workerd_in_the_project_the_embedded_engine_is_taken(tmp_path: Path) -> None:
    pytest.importorskip("quickjs")

    choice = choose_engine(JavaScriptSettings(), tmp_path)

    assert choice == UseEmbedded("no workerd is in the project's node_modules")


@pytest.mark.node
def test_the_command_line_names_the_workerd(tmp_path: Path) -> None:
    (tmp_path / "wrangler.toml").write_text('name = "w"\nmain = "w.js"\ncompatibility_date = "2026-01-01"\n')
    (tmp_path / "w.js").write_text("export default { fetch() { return new Response('here') } }")
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "workerd").symlink_to(workerd().program)

    with dev("--workerd", "tools/workerd", cwd=tmp_path) as edge:
        answer = edge.get("localhost")
        engine = edge.ready["javascript"]
    missing = run("check", "--workerd", "tools/none", cwd=tmp_path)

    assert (answer.status, answer.text) == (200, "here")
    assert str(engine).endswith(f"{tmp_path}/tools/workerd is configured")
    assert missing.returncode == 1
    assert f"workerd at {tmp_path}/tools/none: No such file or directory; give the path of the" in missing.stderr


@pytest.mark.node
def test_the_embedded_engine_can_be_asked_for(tmp_path: Path) -> None:
    pytest.importorskip("quickjs")
    project(tmp_path, {})

    choice = choose_engine(JavaScriptSettings(engine="embedded"), tmp_path)

    assert choice == UseEmbedded("it is configured")


@pytest.mark.parametrize(
    ("engine", "text"),
    [
        ("auto", "JavaScript workers need an engine, and there is none: workerd is not in the project's node_modules"),
        ("embedded", 'javascript.engine is "embedded", and QuickJS is not installed; '),
    ],
)
def test_an_embedded_engine_that_is_not_installed_is_told_with_the_ways_out(
    tmp_path: Path, engine: Literal["auto", "embedded"], text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.path", [])
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)

    with pytest.raises(ConfigError) as told:
        choose_engine(JavaScriptSettings(engine=engine), tmp_path)

    assert text in str(told.value)
    # pip would bring nothing where the engine has no wheel.
    way = "pip install edgeworker[javascript]" if sys.version_info[:2] in HAVE_WHEELS else "uv run --python 3.13 edge"
    assert way in str(told.value)


@pytest.mark.parametrize(
    ("package", "command"),
    [
        (None, '"npm install --save-dev wrangler"'),
        ('{"devDependencies": {"hono": "4"}}', '"npm install --save-dev wrangler"'),
        ('{"devDependencies": {"wrangler": "^4"}}', '"npm install"'),
        ('{"dependencies": {"workerd": "^1"}}', '"npm install"'),
        ("[]", '"npm install --save-dev wrangler"'),
        ('{"dependencies": 5', '"npm install --save-dev wrangler"'),
    ],
)
@pytest.mark.parametrize("engine", ["auto", "workerd"])
def test_a_project_that_lists_workerd_is_told_to_install_what_it_lists(
    tmp_path: Path,
    engine: Literal["auto", "workerd"],
    package: str | None,
    command: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setenv("PATH", "")
    if package is not None:
        (tmp_path / "package.json").write_text(package)

    with pytest.raises(ConfigError, match="node_modules") as told:
        choose_engine(JavaScriptSettings(engine=engine), tmp_path / "src")

    assert f"run {command} in the project" in str(told.value)


@pytest.mark.parametrize("engine", ENGINES)
def test_javascript_and_python_workers_call_each_other_in_one_edge(engine: str, tmp_path: Path) -> None:
    project(
        tmp_path,
        {
            "js/wrangler.toml": (
                'name = "js"\nmain = "index.ts"\ncompatibility_date = "2026-07-01"\n'
                'routes = ["api.example.com/*"]\nkv_namespaces = [{ binding = "KV", id = "shared" }]\n'
                'services = [{ binding = "PY", service = "py" }]\n'
            ),
            "js/index.ts": (
                'import { WorkerEntrypoint } from "cloudflare:workers"\n'
                "export default class extends WorkerEntrypoint<{ KV: KVNamespace; PY: any }> {\n"
                "  async fetch(request: Request): Promise<Response> {\n"
                '    await this.env.KV.put("from", "javascript")\n'
                "    const answer = await this.env.PY.fetch(request.url)\n"
                "    return new Response(`${await answer.text()} ${await this.env.PY.add(2, 3)}`)\n  }\n"
                "  double(n: number) { return n * 2 }\n}\n"
            ),
            "py/wrangler.toml": (
                'name = "py"\nmain = "worker.py"\ncompatibility_date = "2026-07-01"\n'
                'compatibility_flags = ["python_workers"]\nkv_namespaces = [{ binding = "KV", id = "shared" }]\n'
                'services = [{ binding = "JS", service = "js" }]\nroutes = ["py.example.com/*"]\n'
            ),
            "py/worker.py": (
                "from workers import Response, WorkerEntrypoint\n\n\nclass Default(WorkerEntrypoint):\n"
                "    async def fetch(self, request):\n"
                "        told = await self.env.KV.get('from')\n"
                "        return Response(f'{request.url} {told} {await self.env.JS.double(21)}')\n\n"
                "    async def add(self, a, b):\n        return a + b\n"
            ),
        },
        engine,
    )

    with Edge([tmp_path / "edge.toml", tmp_path / "js/wrangler.toml", tmp_path / "py/wrangler.toml"]) as edge:
        answer = edge.get("https://api.example.com/x?y=1")

        assert (answer.status, answer.text) == (200, "https://api.example.com/x?y=1 javascript 42 5")
        assert edge.get("https://py.example.com/").text == "https://py.example.com/ javascript 42"


@pytest.mark.parametrize("engine", ENGINES)
def test_an_uncaught_exception_is_page_1101_and_its_place_is_in_the_log(
    engine: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    project(
        tmp_path,
        {
            "wrangler.toml": 'name = "shop"\nmain = "index.ts"\ncompatibility_date = "2026-07-01"\n',
            "index.ts": "interface Env {}\n\nexport default { fetch() { throw new Error('broken') } }\n",
        },
        engine,
    )

    with Edge([tmp_path / "edge.toml", tmp_path / "wrangler.toml"]) as edge:
        answer = edge.get("http://localhost/")

    assert answer.status == 500
    assert "1101" in answer.text
    assert re.search(r"Error: broken\n    at (Object\.)?fetch \(index\.ts:3:\d+\)", caplog.text)


CHAT = """const rooms = [];
export default { async fetch(request, env, ctx) {
  if (new URL(request.url).pathname === "/plain") return new Response("plain");
  if (request.headers.get("upgrade") !== "websocket") return new Response("upgrade", { status: 426 });
  const [client, server] = Object.values(new WebSocketPair());
  server.accept();
  server.send("welcome");
  server.addEventListener("message", async (event) => {
    if (event.data === "loop") for (;;);
    if (event.data === "close") return server.close(4001, "bye");
    if (typeof event.data !== "string") return server.send(new Uint8Array(event.data).map((byte) => byte + 1));
    const answer = await caches.default.match("http://origin.test/");
    server.send(`echo ${event.data} ${answer}`);
  });
  server.addEventListener("close", (event) => rooms.push([event.code, event.reason, event.wasClean]));
  return new Response(null, { status: 101, webSocket: client });
} }
"""


@pytest.mark.parametrize("engine", ENGINES)
async def test_a_websocket_of_a_worker_reaches_the_client(engine: str, tmp_path: Path) -> None:
    wrangler = 'name = "ws"\nmain = "worker.js"\ncompatibility_date = "2026-01-01"\n'
    project(tmp_path, {"wrangler.toml": wrangler, "worker.js": CHAT}, engine)

    with dev(cwd=tmp_path) as edge:
        url = edge.url.replace("http:", "ws:")
        async with connect(url) as socket:
            assert await socket.recv() == "welcome"
            await socket.send("hi")
            assert await socket.recv() == "echo hi undefined"
            await socket.send(b"\x01\x02")
            assert await socket.recv() == b"\x02\x03"
            await socket.send("close")
            with pytest.raises(ConnectionClosed) as closed:
                await socket.recv()
            assert closed.value.rcvd is not None
            assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4001, "bye")
        assert edge.get("localhost", "/").status == 426


async def test_a_loop_in_a_listener_of_the_embedded_engine_ends_the_socket_and_not_the_worker(tmp_path: Path) -> None:
    wrangler = 'name = "ws"\nmain = "worker.js"\ncompatibility_date = "2026-01-01"\n[limits]\ncpu_ms = 200\n'
    project(tmp_path, {"wrangler.toml": wrangler, "worker.js": CHAT}, "embedded")

    with dev(cwd=tmp_path) as edge:
        async with connect(edge.url.replace("http:", "ws:")) as socket:
            assert await socket.recv() == "welcome"
            await socket.send("loop")
            with pytest.raises(ConnectionClosed):
                await socket.recv()
        assert edge.get("localhost", "/plain").text == "plain"


HELLO = {
    "wrangler.toml": 'name = "shop"\nmain = "index.js"\ncompatibility_date = "2026-07-01"\n',
    "index.js": "export default { fetch: () => new Response(new Date().toISOString()) }\n",
}


def test_the_engine_and_its_reason_are_named_wherever_a_worker_is(tmp_path: Path) -> None:
    project(tmp_path, HELLO, "embedded")
    (tmp_path / "edge.toml").unlink()
    told = "QuickJS: no workerd is in the project's node_modules"

    assert f'worker "shop" runs in {told}' in " ".join(run("check", cwd=tmp_path).stdout.split())
    assert f'worker "shop" runs in {told}' in " ".join(run("routes", cwd=tmp_path).stdout.split())
    assert json.loads(run("routes", "--json", cwd=tmp_path).stdout)["javascript"] == [f'worker "shop" runs in {told}']
    with dev("--trace", cwd=tmp_path) as edge:
        edge.get("localhost", "/")
        edge.wait_for(f"shop (default worker) in {told}: 200")
        assert edge.ready["javascript"] == f"JavaScript in {told}"


@pytest.mark.parametrize("engine", ENGINES)
def test_time_is_moved_in_the_embedded_engine_and_workerd_says_why_it_cannot_be(engine: str, tmp_path: Path) -> None:
    project(tmp_path, HELLO, engine)

    with Edge([tmp_path / "edge.toml", tmp_path / "wrangler.toml"]) as edge:
        begun = datetime.fromisoformat(edge.get("/").text)
        if engine == "workerd":
            with pytest.raises(ConfigError, match=r"the clock cannot be moved: \[javascript\] of edge.toml asks for"):
                edge.clock.advance(3600)
            return
        edge.clock.advance(3600)
        assert (datetime.fromisoformat(edge.get("/").text) - begun).total_seconds() >= 3600


@pytest.mark.node
def test_a_test_takes_the_embedded_engine_beside_a_workerd(tmp_path: Path) -> None:
    pytest.importorskip("quickjs")
    project(tmp_path, HELLO)

    with Edge(tmp_path / "wrangler.toml") as edge:
        edge.clock.advance(60)
        assert edge.get("/").status == 200
        assert edge.config.javascript.engine == "embedded"


@pytest.mark.parametrize("engine", ENGINES)
def test_a_worker_calls_its_own_entrypoints_by_ctx_exports(engine: str, tmp_path: Path) -> None:
    source = """import { WorkerEntrypoint } from "cloudflare:workers";
    export class Counter extends WorkerEntrypoint {
      add(a, b) { return a + b + (this.ctx.props.start ?? 0); }
      fetch(request) { return new Response(`counter ${new URL(request.url).pathname}`); }
    }
    export default { async fetch(request, env, ctx) {
      const { Counter } = ctx.exports;
      const answer = await (await Counter.fetch("http://own/x")).text();
      return Response.json([await Counter.add(1, 2), await Counter({ props: { start: 10 } }).add(1, 2), answer]);
    } }
    """
    wrangler = 'name = "own"\nmain = "index.js"\ncompatibility_date = "2026-07-01"\n'
    project(tmp_path, {"wrangler.toml": wrangler, "index.js": source}, engine)

    with Edge([tmp_path / "edge.toml", tmp_path / "wrangler.toml"]) as edge:
        assert edge.get("/").json() == [3, 13, "counter /x"]
