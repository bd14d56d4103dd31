"""Sends what aiohttp's client asks for out by a script's `fetch()`: its connections write to no socket."""

import asyncio
from types import ModuleType
from typing import TYPE_CHECKING, Final

from edgeworker.messages import URL
from edgeworker.runtime.python import library_requests
from edgeworker.runtime.python.request_wire import WrittenRequest, write_head

if TYPE_CHECKING:
    from aiohttp import ClientRequest
    from aiohttp.client_proto import ResponseHandler

# The session waits for it, with its own timeout.
_NO_TIMEOUT: Final = None


def adapt_aiohttp(library: ModuleType) -> None:
    usual = library.TCPConnector._create_connection

    async def create_connection(self: object, request: "ClientRequest", *rest: object, **options: object) -> object:
        if not library_requests.is_script() or request.headers.get("Upgrade", "").lower() == "websocket":
            usual_protocol: object = await usual(self, request, *rest, **options)
            return usual_protocol
        protocol: ResponseHandler = self._factory()  # type: ignore[attr-defined]  # of the library's copy
        url = request.url
        origin = URL.parse(f"{url.scheme}://{url.raw_authority.rpartition('@')[2]}").origin
        protocol.connection_made(_FetchTransport(protocol, origin, library.ClientOSError))
        return protocol

    library.TCPConnector._create_connection = create_connection


class _FetchTransport(asyncio.Transport):
    """Takes a request, and hands its answer to aiohttp's protocol as a socket would."""

    def __init__(self, protocol: "ResponseHandler", origin: str, failure: type[Exception]) -> None:
        super().__init__()
        self._protocol = protocol
        self._request = WrittenRequest(origin)
        self._failure = failure
        self._work: asyncio.Future[None] | None = None
        self._resumed = asyncio.Event()
        self._resumed.set()
        self._closing = False

    def write(self, content: bytes | bytearray | memoryview) -> None:
        self._request.feed(bytes(content))
        if self._request.is_whole and self._work is None:
            self._work = asyncio.ensure_future(self._answer())

    async def _answer(self) -> None:
        request, protocol = self._request, self._protocol
        try:
            answer = await library_requests.send(
                request.method, request.url, request.headers, request.body, _NO_TIMEOUT
            )
            protocol.data_received(write_head(answer))
            if answer.body is not None:
                async for piece in answer.body.stream():
                    await self._resumed.wait()
                    protocol.data_received(piece)
        except OSError as error:
            protocol.connection_lost(self._failure(error.errno or 0, str(error)))
        else:
            protocol.connection_lost(None)

    def pause_reading(self) -> None:
        self._resumed.clear()

    def resume_reading(self) -> None:
        self._resumed.set()

    def is_reading(self) -> bool:
        return self._resumed.is_set()

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        self._closing = True
        if self._work is not None:
            self._work.cancel()

    def abort(self) -> None:
        self.close()

    def get_extra_info(self, name: str, default: object = None) -> object:
        return default

    def get_write_buffer_size(self) -> int:
        return 0

    def can_write_eof(self) -> bool:
        return False
