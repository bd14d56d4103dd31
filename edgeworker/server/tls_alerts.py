"""TLS contexts that tell a client why its handshake failed: asyncio and uvloop close the connection before the alert.

Source: https://www.rfc-editor.org/rfc/rfc8446#section-6.2
"""

import ssl
from contextlib import suppress
from contextvars import ContextVar
from socket import socket
from typing import Final

# The connection whose handshake begins. Who accepts it sets this in a task of its own, whose callbacks inherit it.
HANDSHAKING: Final[ContextVar[socket]] = ContextVar("HANDSHAKING")


class _ServerConnection(ssl.SSLObject):
    """`outgoing` and `client` are there during the handshake."""

    outgoing: ssl.MemoryBIO | None = None
    client: socket | None = None

    def do_handshake(self) -> None:
        try:
            super().do_handshake()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            raise
        except ssl.SSLError:
            if self.outgoing is not None and self.client is not None:
                # What was written before is with the kernel, or the client does not read.
                with suppress(OSError):
                    self.client.send(self.outgoing.read())
            raise
        self.outgoing = self.client = None


class AlertingContext(ssl.SSLContext):
    sslobject_class = _ServerConnection

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        wrapped = super().wrap_bio(incoming, outgoing, server_side, server_hostname, session)
        if isinstance(wrapped, _ServerConnection):
            wrapped.outgoing, wrapped.client = outgoing, HANDSHAKING.get(None)
        return wrapped
