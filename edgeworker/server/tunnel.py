"""A tunnel through a proxy: CONNECT, and then bytes of any protocol.

Source: https://www.rfc-editor.org/rfc/rfc9110#section-9.3.6
"""

import asyncio
from typing import Final

from edgeworker.admission import Field
from edgeworker.errors import OriginError
from edgeworker.server.http1 import heads
from edgeworker.server.http1.transport import as_transport
from edgeworker.server.outbound_proxy import Proxy

_HEAD_LIMIT_BYTES: Final = 16 * 1024


class Tunnel(asyncio.Protocol):
    """Asks `proxy` for a connection with `target` ("host:port"); `open` waits for it."""

    def __init__(self, proxy: Proxy, target: str) -> None:
        self._proxy = proxy
        self._target = target
        self._received = b""
        self._opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def open(self) -> None:
        """Wait until the tunnel is open: the response's head was read, and nothing after it. Raises OriginError."""
        await self._opened

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        fields: list[Field] = [(b"Host", self._target.encode("ascii"))]
        if self._proxy.authorization is not None:
            fields.append((b"Proxy-Authorization", self._proxy.authorization))
        as_transport(transport).write(heads.serialize_head(f"CONNECT {self._target} HTTP/1.1".encode("ascii"), fields))

    def data_received(self, data: bytes) -> None:
        if self._opened.done():
            return
        self._received += data
        head, end, rest = self._received.partition(b"\r\n\r\n")
        if not end:
            if len(head) > _HEAD_LIMIT_BYTES:
                self._fail("sent too large a head")
            return
        status = head.split(b" ", 2)[1:2]
        if not head.startswith(b"HTTP/1.") or not (status and status[0].isdigit()):
            self._fail("did not answer in HTTP")
        elif not status[0].startswith(b"2"):
            self._fail(f"answered {status[0].decode('ascii')}")
        elif rest:
            # In TLS the client speaks first, so these bytes do not come from the other end.
            self._fail("sent more than its answer")
        else:
            self._opened.set_result(None)

    def connection_lost(self, error: Exception | None) -> None:
        if not self._opened.done():
            self._fail("closed the connection")

    def _fail(self, what: str) -> None:
        text = f"the proxy {self._proxy}, asked for {self._target}, {what}"
        self._opened.set_exception(OriginError(text, status=523))
