"""A connector for aiohttp's client: its sessions talk HTTP/1.1 to an edge in a test, without a socket."""

from typing import TYPE_CHECKING

from aiohttp import BaseConnector, ClientRequest, ClientTimeout
from aiohttp.client_proto import ResponseHandler

from edgeworker.config import Socket
from edgeworker.messages import URL, Request, Response
from edgeworker.server.listener import Listener
from edgeworker.testing import pipe
from edgeworker.testing.local import LocalEdge

if TYPE_CHECKING:
    from aiohttp.tracing import Trace


class AiohttpConnector(BaseConnector):
    """`aiohttp.ClientSession(connector=AiohttpConnector(edge))`, in a test with async.

    Every host and port is the edge, and so is https. The bytes go through the edge's own HTTP server.
    """

    def __init__(self, edge: LocalEdge) -> None:
        super().__init__()
        self._listeners = {scheme: _listener(edge, scheme) for scheme in ("http", "https")}

    async def _create_connection(
        self,
        req: ClientRequest,
        traces: "list[Trace]",
        timeout: ClientTimeout,  # noqa: ASYNC109  # aiohttp's signature
    ) -> ResponseHandler:
        protocol: ResponseHandler = self._factory()
        pipe.connect(protocol, self._listeners["https" if req.is_ssl() else "http"].connection())
        return protocol


def _listener(edge: LocalEdge, scheme: str) -> Listener:
    handler = _Answering(edge, scheme)
    return Listener(handler, Socket(), limits=edge.config.limits, clock=edge.clock, access_logger=None, tls=None)


class _Answering:
    """The edge behind one scheme. There is no TLS in a pipe, so the URL gets the client's scheme."""

    def __init__(self, edge: LocalEdge, scheme: str) -> None:
        self._edge = edge
        self._scheme = scheme

    async def fetch(self, request: Request, /) -> Response:
        if request.url.scheme != self._scheme:
            request = request.replace(url=URL.from_target(self._scheme, request.url.host, request.url.target))
        return await self._edge.answer(request)
