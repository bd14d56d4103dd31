"""A headless Chromium that is used as a person uses it, over its DevTools protocol. Pages run no scripts.

https://chromedevtools.github.io/devtools-protocol/
"""

import asyncio
import base64
import itertools
import json
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp

from tests.cli.running import environment
from tests.cli.test_browser import program
from tests.patience import PATIENCE_SECONDS

SECONDS = PATIENCE_SECONDS

Values = Mapping[str, object]


class Page:
    """One tab."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, session: aiohttp.ClientSession, address: str) -> None:
        """`address` is where the browser's DevTools listen."""
        self._socket = socket
        self._session = session
        self._address = address
        self._ids = itertools.count(1)
        self._events: list[dict[str, object]] = []

    async def call(self, method: str, **parameters: object) -> dict[str, object]:
        number = next(self._ids)
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        while True:
            message = json.loads((await asyncio.wait_for(self._socket.receive(), SECONDS)).data)
            if message.get("id") == number:
                assert "error" not in message, (method, message)
                result: dict[str, object] = message["result"]
                return result
            self._events.append(message)

    async def event(self, method: str) -> None:
        """Waits until this has happened since the last `forget`."""
        while all(event.get("method") != method for event in self._events):
            self._events.append(json.loads((await asyncio.wait_for(self._socket.receive(), SECONDS)).data))

    async def start(self) -> None:
        await self.call("Page.enable")
        await self.call("Emulation.setScriptExecutionDisabled", value=True)

    @asynccontextmanager
    async def another_tab(self) -> "AsyncIterator[Page]":
        """Of the same browser, with the same cookies."""
        async with self._session.put(f"http://{self._address}/json/new?about:blank") as answer:
            tab = json.loads(await answer.text())
        async with self._session.ws_connect(tab["webSocketDebuggerUrl"], max_msg_size=0) as socket:
            page = Page(socket, self._session, self._address)
            await page.start()
            yield page

    async def look(self, *, width: int, height: int, dark: bool) -> None:
        await self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )
        features = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        await self.call("Emulation.setEmulatedMedia", features=features)

    async def open(self, url: str) -> None:
        self._events.clear()
        await self.call("Page.navigate", url=url)
        await self.event("Page.loadEventFired")

    async def reload(self) -> None:
        self._events.clear()
        await self.call("Page.reload")
        await self.event("Page.loadEventFired")

    async def node(self, selector: str) -> int:
        root = await self.call("DOM.getDocument")
        assert isinstance(root["root"], dict)
        found = await self.call("DOM.querySelector", nodeId=root["root"]["nodeId"], selector=selector)
        node = found["nodeId"]
        assert isinstance(node, int)
        assert node, f"there is no {selector} in {await self.html()}"
        return node

    async def html(self) -> str:
        root = await self.call("DOM.getDocument")
        assert isinstance(root["root"], dict)
        found = await self.call("DOM.getOuterHTML", nodeId=root["root"]["nodeId"])
        return str(found["outerHTML"])

    async def url(self) -> str:
        history = await self.call("Page.getNavigationHistory")
        index, entries = history["currentIndex"], history["entries"]
        assert isinstance(index, int)
        assert isinstance(entries, list)
        return str(entries[index]["url"])

    async def type(self, selector: str, text: str) -> None:
        await self.call("DOM.focus", nodeId=await self.node(selector))
        await self.call("Input.insertText", text=text)

    async def press(self, key: str, *, code: int, text: str = "", load: bool = False) -> None:
        self._events.clear()
        for kind in ("keyDown", "keyUp"):
            pressed: Values = {"type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code}
            await self.call(
                "Input.dispatchKeyEvent", **pressed, **({"text": text} if text and kind == "keyDown" else {})
            )
        if load:
            await self.event("Page.loadEventFired")

    async def click(self, selector: str) -> None:
        """In the middle of the element, and waits for the page that follows."""
        node = await self.node(selector)
        await self.call("DOM.scrollIntoViewIfNeeded", nodeId=node)
        box = await self.call("DOM.getBoxModel", nodeId=node)
        assert isinstance(box["model"], dict)
        corners = box["model"]["content"]
        x, y = sum(corners[0::2]) / 4, sum(corners[1::2]) / 4
        self._events.clear()
        for kind in ("mousePressed", "mouseReleased"):
            await self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)
        await self.event("Page.loadEventFired")

    async def cookies(self) -> list[dict[str, object]]:
        found = (await self.call("Network.getCookies"))["cookies"]
        assert isinstance(found, list)
        return found

    async def content_width(self) -> int:
        """In CSS pixels: more than the viewport's where something sticks out."""
        size = (await self.call("Page.getLayoutMetrics"))["cssContentSize"]
        assert isinstance(size, dict)
        return int(size["width"])

    async def screenshot(self) -> bytes:
        """A PNG of the whole page."""
        metrics = await self.call("Page.getLayoutMetrics")
        size = metrics["cssContentSize"]
        assert isinstance(size, dict)
        clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        shot = await self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
        return base64.b64decode(str(shot["data"]))


@asynccontextmanager
async def chromium(home: Path, *, port: str) -> AsyncIterator[Page]:
    """A browser for which every host is this port of the loopback address. `home` may hold what it trusts."""
    profile = home / "profile"
    command = [
        program("chromium", "chromium-browser", "google-chrome"),
        *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage", "--no-first-run"),
        *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-proxy-server"),
        *("--hide-scrollbars", "--remote-debugging-port=0", f"--host-resolver-rules=MAP * 127.0.0.1:{port}"),
        f"--user-data-dir={profile}",
        "about:blank",
    ]
    env = environment(HOME=str(home), XDG_CONFIG_HOME=str(home), XDG_CACHE_HOME=str(home))
    process = _started(command, env)
    try:
        assert process.stderr is not None
        address = await asyncio.wait_for(asyncio.to_thread(_address, process), SECONDS)
        async with aiohttp.ClientSession() as session:
            tools = urlsplit(address).netloc
            async with session.get(f"http://{tools}/json") as answer:
                targets = json.loads(await answer.text())
            tab = next(target for target in targets if target["type"] == "page")
            async with session.ws_connect(tab["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                page = Page(socket, session, tools)
                await page.start()
                yield page
    finally:
        process.kill()
        process.wait()
        if process.stderr is not None:
            process.stderr.close()


def _started(command: list[str], env: dict[str, str]) -> "subprocess.Popen[str]":
    return subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def _address(process: "subprocess.Popen[str]") -> str:
    """Chromium says on stderr where its DevTools listen."""
    assert process.stderr is not None
    said = ""
    for line in process.stderr:
        said += line
        if "DevTools listening on " in line:
            return line.rpartition(" ")[2].strip()
    raise AssertionError(f"chromium did not start: {said}")
