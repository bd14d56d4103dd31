"""What DevTools find on the inspector socket. It outlives reloads, and leads to the workerd of now.

An inspector runs any code that it is sent. So a page that a browser has open must not reach it, neither by a WebSocket
(Origin) nor under a host name of its own that leads here (Host).
Source: https://chromedevtools.github.io/devtools-protocol/
"""

import asyncio
import logging
import re
from typing import Final

from aiohttp import ClientError, ClientSession, ClientWebSocketResponse, web
from aiohttp.typedefs import Middleware

from edgeworker.config import Limits
from edgeworker.host.management.application import Answer, new_application
from edgeworker.host.management.devtools_messages import DevToolsMessages
from edgeworker.host.management.running import STOPPING
from edgeworker.messages.hosts import is_address
from edgeworker.routing import is_loopback
from edgeworker.runtime.workerd.inspector import InspectedChildren

_log = logging.getLogger(__name__)

_CONNECT_SECONDS: Final = 30.0
_GOING_AWAY: Final = 1001
# Chrome's own DevTools, and the ones that Cloudflare hosts for wrangler.
_ORIGINS: Final = re.compile(
    r"(?:devtools|chrome-devtools)://[a-z]+|https://devtools\.devprod\.cloudflare\.dev"
    r"|https://(?:[a-z0-9]+\.)?cloudflare-devtools\.pages\.dev"
)
_FRONTEND: Final = "devtools://devtools/bundled/js_app.html?experiments=true&v8only=true&ws="


def inspector_application(children: InspectedChildren, own_host: str, limits: Limits) -> web.Application:
    """`own_host` is where its socket listens."""
    inspector = _Inspector(children, own_host)
    application = new_application(limits, inspector.check_client)
    application.router.add_get("/json/version", inspector.describe_version)
    application.router.add_get("/json", inspector.list_workers)
    application.router.add_get("/json/list", inspector.list_workers)
    application.router.add_get("/{worker}", inspector.debug)
    return application


class _Inspector:
    def __init__(self, children: InspectedChildren, own_host: str) -> None:
        self._children = children
        self._own_host = own_host.lower()

    @property
    def check_client(self) -> Middleware:
        @web.middleware
        async def check(request: web.Request, handler: Answer) -> web.StreamResponse:
            host = re.sub(r":\d+$", "", request.host).lower()
            # A page can lead a host name of its own to this address, but no other address.
            if not (is_loopback(host) or is_address(host) or host == self._own_host):
                return web.Response(status=403, text=f'Host "{host}" is not a name of this inspector; use localhost\n')
            origin = request.headers.get("Origin")
            if origin is not None and _ORIGINS.fullmatch(origin) is None:
                text = f'Origin "{origin}" is not DevTools: a page must not debug workers\n'
                return web.Response(status=403, text=text)
            return await handler(request)

        return check

    async def describe_version(self, _request: web.Request) -> web.Response:
        return web.json_response({"Browser": "workerd", "Protocol-Version": "1.3"})

    async def list_workers(self, request: web.Request) -> web.Response:
        targets = []
        for name in self._children.workers:
            place = f"{request.host}/{name}"
            targets.append(
                {
                    "id": name,
                    "title": f"edgeworker: {name}",
                    "type": "node",
                    "description": f'the worker "{name}"',
                    "webSocketDebuggerUrl": f"ws://{place}",
                    "devtoolsFrontendUrl": f"{_FRONTEND}{place}",
                    "devtoolsFrontendUrlCompat": f"{_FRONTEND}{place}",
                    "faviconUrl": "https://workers.cloudflare.com/favicon.ico",
                    "url": f"https://{name}",
                }
            )
        return web.json_response(targets)

    async def debug(self, request: web.Request) -> web.StreamResponse:
        name, port = request.match_info["worker"], self._children.port
        if port is None or name not in self._children.workers:
            return web.Response(status=404, text=f'workerd runs no worker "{name}" now; see /json/list\n')
        devtools = web.WebSocketResponse(max_msg_size=0)
        if not devtools.can_prepare(request):
            return web.Response(status=426, text="DevTools connect here with a WebSocket\n")
        async with ClientSession() as session:
            try:
                connecting = session.ws_connect(f"ws://127.0.0.1:{port}/{name}", max_msg_size=0)
                child = await asyncio.wait_for(connecting, _CONNECT_SECONDS)
            except (ClientError, OSError, TimeoutError):
                return web.Response(status=503, text="workerd does not answer; try again\n")
            async with child:
                await devtools.prepare(request)
                _log.info('DevTools debug "%s"; limits.cpu_ms is not enforced meanwhile', name)
                with self._children.session() as replaced:
                    await _relay(devtools, child, replaced, request.app[STOPPING])
                await devtools.close(code=_GOING_AWAY)
        return devtools


async def _relay(devtools: web.WebSocketResponse, child: ClientWebSocketResponse, *until: asyncio.Event) -> None:
    messages = DevToolsMessages()

    async def to_child() -> None:
        async for message in devtools:
            if isinstance(message.data, str):
                await child.send_str(messages.for_child(message.data))

    async def to_devtools() -> None:
        async for message in child:
            if isinstance(message.data, str):
                await devtools.send_str(messages.for_devtools(message.data))

    tasks = [asyncio.ensure_future(one) for one in (to_child(), to_devtools(), *(event.wait() for event in until))]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
