"""WebSockets that a script opens, in both engines: to a real server, by the edge's subrequests and outbound policy."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.cli.running import dev
from tests.npm_tools import node_tools

ENGINES: Final = [pytest.param("workerd", marks=pytest.mark.node), "embedded"]
WORKER: Final = """
const steps = {
  async constructed(url) {
    const said = [];
    const socket = new WebSocket(url, ["chat", "other"]);
    const early = (() => { try { socket.send("early"); return "sent"; } catch (error) { return error.name; } })();
    said.push(early, socket.readyState, socket.url, socket.binaryType);
    socket.binaryType = "arraybuffer";
    return new Promise((resolve) => {
      socket.addEventListener("open", () => {
        said.push("open", socket.readyState, socket.protocol);
        socket.send("text \\u00e9");
        socket.send(new Uint8Array([1, 2, 3]));
        socket.send("x".repeat(100_000));
        socket.send("close me");
      });
      socket.addEventListener("message", ({ data }) => {
        said.push(typeof data === "string" ? (data.length > 99 ? data.length : data) : [...new Uint8Array(data)]);
      });
      socket.addEventListener("close", ({ code, reason, wasClean }) => resolve([...said, code, reason, wasClean]));
    });
  },
  async fetched(url) {
    const response = await fetch(url.replace("ws:", "http:"), {
      headers: { Upgrade: "websocket", "Sec-WebSocket-Protocol": "chat" },
    });
    const socket = response.webSocket;
    socket.accept();
    const answer = new Promise((resolve) => socket.addEventListener("message", ({ data }) => resolve(data)));
    socket.send("hello");
    const said = [response.status, await answer];
    socket.close(4000, "enough");
    return said;
  },
  async failed(url) {
    const said = [];
    const socket = new WebSocket(url);
    return new Promise((resolve) => {
      socket.addEventListener("error", (event) => said.push(event.type));
      socket.addEventListener("close", ({ code }) => resolve([...said, code, socket.readyState]));
    });
  },
};
export default { async fetch(request) {
  const { pathname, searchParams } = new URL(request.url);
  return Response.json(await steps[pathname.slice(1)](searchParams.get("url")));
} };
"""


class EchoServer:
    """Answers each message with itself, and ends when it is told to."""

    def __init__(self) -> None:
        self.closed_with: asyncio.Queue[tuple[int | None, str | None]] = asyncio.Queue()
        self.url = ""

    async def talk(self, connection: ServerConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for message in connection:
                if message == "close me":
                    await connection.close(4321, "as you wish")
                    return
                await connection.send(message)
        self.closed_with.put_nowait((connection.close_code, connection.close_reason))


@pytest.fixture
async def echo() -> AsyncIterator[EchoServer]:
    server = EchoServer()
    async with serve(server.talk, "127.0.0.1", 0, subprotocols=[Subprotocol("chat")]) as listening:
        (socket,) = listening.sockets
        server.url = f"ws://127.0.0.1:{socket.getsockname()[1]}/talk"
        yield server


@pytest.mark.parametrize("engine", ENGINES)
async def test_a_script_talks_with_a_server(engine: str, tmp_path: Path, echo: EchoServer) -> None:
    (tmp_path / "wrangler.toml").write_text('name = "w"\nmain = "worker.js"\ncompatibility_date = "2026-07-01"\n')
    (tmp_path / "worker.js").write_text(WORKER)
    if engine == "workerd":
        (tmp_path / "node_modules").symlink_to(node_tools() / "node_modules")
    else:
        pytest.importorskip("quickjs")

    with dev("--js-engine", engine, "--allow-private", "127.0.0.1", cwd=tmp_path) as edge:

        async def ask(step: str, url: str) -> object:
            answer = await asyncio.to_thread(edge.get, "localhost", f"/{step}?url={url}")
            said: object = json.loads(answer.text)
            return said

        constructed = await ask("constructed", echo.url)
        fetched = await ask("fetched", echo.url)
        closed = await echo.closed_with.get()
        failed = await ask("failed", "ws://127.0.0.1:9/")

    assert constructed == [
        *("InvalidStateError", 0, echo.url, "blob", "open", 1, "chat"),
        *("text é", [1, 2, 3], 100_000, 4321, "as you wish", True),
    ]
    assert fetched == [101, "hello"]
    assert closed == (4000, "enough")
    assert failed == ["error", 1006, 3]


@pytest.mark.parametrize("engine", ENGINES)
async def test_a_private_server_is_reached_only_where_it_is_allowed(
    engine: str, tmp_path: Path, echo: EchoServer
) -> None:
    (tmp_path / "wrangler.toml").write_text('name = "w"\nmain = "worker.js"\ncompatibility_date = "2026-07-01"\n')
    (tmp_path / "worker.js").write_text(WORKER)
    if engine == "workerd":
        (tmp_path / "node_modules").symlink_to(node_tools() / "node_modules")
    else:
        pytest.importorskip("quickjs")

    with dev("--js-engine", engine, cwd=tmp_path) as edge:
        answer = await asyncio.to_thread(edge.get, "localhost", f"/failed?url={echo.url}")

    assert json.loads(answer.text) == ["error", 1006, 3]
    assert echo.closed_with.empty()
