"""A transport for httpx: existing clients talk to an edge in a test, without a socket. Needs httpx."""

from collections.abc import AsyncIterator

import httpx

from edgeworker.messages import URL, Body, Client, Headers, Request, Response
from edgeworker.testing.local import LocalEdge

_CLIENT = Client("192.0.2.1", 54321)


class HttpxTransport(httpx.AsyncBaseTransport, httpx.BaseTransport):
    """`httpx.AsyncClient(transport=HttpxTransport(edge))` in async tests, `httpx.Client(...)` in others.

    Closing the client leaves the edge as it is.
    """

    def __init__(self, edge: LocalEdge) -> None:
        self._edge = edge

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The answer's body is streamed."""
        assert isinstance(request.stream, httpx.AsyncByteStream)
        response = await self._edge.answer(_request(request, _body(request, request.stream)))
        return _response(response, _Streamed(response.body))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The answer's body is read first: it cannot be read while the caller does something else."""

        async def whole() -> tuple[Response, bytes]:
            response = await self._edge.answer(_request(request, Body(request.read())))
            return response, b"" if response.body is None else await response.body.read()

        response, content = self._edge.run(whole())
        return _response(response, httpx.ByteStream(content))


class _Streamed(httpx.AsyncByteStream):
    def __init__(self, body: Body | None) -> None:
        self._body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if self._body is not None:
            async for piece in self._body.stream():
                yield piece

    async def aclose(self) -> None:
        if self._body is not None:
            await self._body.close()


def _request(request: httpx.Request, body: Body) -> Request:
    sent = None if body.length == 0 and "content-length" not in request.headers else body
    return Request(
        request.method, URL.parse(str(request.url)), Headers.from_raw(request.headers.raw), sent, client=_CLIENT
    )


def _body(request: httpx.Request, stream: httpx.AsyncByteStream) -> Body:
    announced = request.headers.get("content-length")
    if announced is None and "transfer-encoding" not in request.headers:
        return Body(b"")
    return Body(aiter(stream), length=None if announced is None else int(announced))


def _response(response: Response, stream: httpx.ByteStream | _Streamed) -> httpx.Response:
    extensions = {"http_version": b"HTTP/1.1"}
    if response.status_text:
        extensions["reason_phrase"] = response.status_text.encode("ascii", "replace")
    return httpx.Response(response.status, headers=response.headers.raw, stream=stream, extensions=extensions)
