"""A client's request as aiohttp parsed it, made into the core's Request; strict where the parser is lenient."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Final
from urllib.parse import quote

from aiohttp import HttpVersion10, StreamReader, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http_parser import RawRequestMessage

from edgeworker.admission import Refusal
from edgeworker.config import Limits
from edgeworker.messages import URL, Body, BodyTooLarge, Client, Headers, InvalidURL, Request
from edgeworker.server import proxies
from edgeworker.server.protocol import ClientConnection

_ABSOLUTE: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)(.*)", re.DOTALL)
# Every byte that a URL may hold as it is; the others go through percent-encoding, as WHATWG's parser does it.
_KEPT: Final = "".join(map(chr, range(0x21, 0x7F)))


class BodyRefused(Exception):
    """The client's body cannot be read on: the refusal says why. The listener answers it if it still can."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.text)
        self.refusal = refusal


class Incoming(web.BaseRequest):
    """aiohttp's request, and the parser's own message that it was made from."""

    def __init__(
        self,
        message: RawRequestMessage,
        payload: StreamReader,
        protocol: web.RequestHandler,
        writer: AbstractStreamWriter,
        task: "asyncio.Task[None]",
    ) -> None:
        super().__init__(message, payload, protocol, writer, task, asyncio.get_running_loop())
        assert isinstance(protocol, ClientConnection)
        protocol.begins()
        self.connection = protocol
        self.parsed = message
        self.payload = payload
        self.client_body: ClientBody | None = None

    async def _prepare_hook(self, resp: web.StreamResponse) -> None:
        """Called by aiohttp before it writes a head, which it does for a script's WebSocket only."""
        resp.headers.pop("Server", None)


def read(
    incoming: Incoming, *, scheme: str, client: Client, limits: Limits, cf: Mapping[str, object] | None = None
) -> Request | Refusal:
    """The core's Request, whose body refuses what `limits` does not allow while it is read."""
    message = incoming.parsed
    host: bytes | None = None
    length: bytes | None = None
    expects = False
    coded = False
    for name, value in message.raw_headers:
        match len(name):
            case 4 if name.lower() == b"host":
                host = value
            case 14 if name.lower() == b"content-length":
                length = value
            case 17 if name.lower() == b"transfer-encoding":
                coded = True
            case 6 if name.lower() == b"expect":
                if value.lower() != b"100-continue":
                    return Refusal(417, 'The only expectation that can be met is "100-continue".')
                expects = True
    if coded and message.version <= HttpVersion10:
        return Refusal(400, "HTTP/1.0 has no Transfer-Encoding.")
    url = _url(scheme, host, message.path)
    if isinstance(url, Refusal):
        return url
    size = None if length is None else int(length)
    if size is not None and size > limits.body_bytes:
        return _too_large(limits)
    body: Body | None = None
    if coded or size:
        source = ClientBody(incoming, limits, expects=expects and message.version > HttpVersion10)
        incoming.client_body = source
        body = Body(source, length=size)
    elif size == 0:
        body = Body(b"")
    return Request(
        message.method,
        url,
        Headers.from_raw(message.raw_headers),
        body,
        cf=cf,
        client=client,
        raw_target=message.path,
    )


def behind_proxies(
    message: RawRequestMessage, peer: Client, scheme: str, trusted: Sequence[proxies.Network]
) -> tuple[Client, str]:
    """Client and scheme as the trusted `peer` tells them."""
    chain = [value.decode("latin-1") for name, value in message.raw_headers if name.lower() == b"x-forwarded-for"]
    protocol = [value.lower() for name, value in message.raw_headers if name.lower() == b"x-forwarded-proto"]
    client = proxies.forwarded_client(chain, peer, trusted) if chain else peer
    return client, protocol[0].decode("ascii") if protocol in ([b"http"], [b"https"]) else scheme


def _url(scheme: str, host: bytes | None, target: str) -> URL | Refusal:
    if not host:
        return Refusal(400, "A request needs a Host.")
    name = host.decode("latin-1")
    if not target.isascii():
        target = quote(target.encode("utf-8", "surrogateescape"), safe=_KEPT)
    if not target.startswith("/"):
        absolute = _ABSOLUTE.fullmatch(target)
        if absolute is None:
            return Refusal(400, "The request target must be a path that begins with a slash.")
        if absolute[1].lower() != scheme or absolute[2].lower() != name.lower():
            return Refusal(421, "The request target names another server than Host.")
        target = absolute[3] if absolute[3].startswith("/") else "/" + absolute[3]
    try:
        return URL.from_target(scheme, name, target)
    except InvalidURL as error:
        return Refusal(400, f"{error}.")


def _too_large(limits: Limits) -> Refusal:
    return Refusal(413, f"The body is larger than {limits.body_bytes} bytes.")


class ClientBody:
    """The body as the client sends it. What aiohttp buffers ahead is bounded, and a slow reader slows the client.

    `expects`: the client waits for "100 Continue", which is sent when the first piece is wanted and not before.
    """

    __slots__ = ("_expects", "_incoming", "_limits", "_seen", "_waited", "refusal")

    def __init__(self, incoming: Incoming, limits: Limits, *, expects: bool) -> None:
        self._incoming = incoming
        self._limits = limits
        self._expects = expects
        self._seen = 0
        self._waited = 0.0
        self.refusal: Refusal | None = None

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if self._expects:
            self._expects = False
            transport = self._incoming.transport
            if transport is not None:
                transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        piece = await self._next()
        if not piece:
            raise StopAsyncIteration
        self._seen += len(piece)
        if self._seen > self._limits.body_bytes:
            self.refusal = _too_large(self._limits)
            raise BodyTooLarge(self._limits.body_bytes)
        return piece

    async def _next(self) -> bytes:
        """The next piece, in the time that the slowest allowed client would need for it."""
        loop = asyncio.get_running_loop()
        limits = self._limits
        begun = loop.time()
        allowed = limits.body_grace_seconds + self._seen / limits.body_bytes_per_second - self._waited
        try:
            async with asyncio.timeout(max(0.0, allowed)):
                piece = await self._incoming.payload.readany()
        except TimeoutError as error:
            raise self._refuse(408, "The body came too slowly.") from error
        except web.RequestPayloadError as error:
            raise self._refuse(400, "The body ended early or is not framed as HTTP/1.1 wants.") from error
        except ConnectionError as error:
            raise self._refuse(400, "The connection was closed in the middle of the body.") from error
        self._waited += loop.time() - begun
        return piece

    def _refuse(self, status: int, text: str) -> BodyRefused:
        self.refusal = Refusal(status, text)
        return BodyRefused(self.refusal)
