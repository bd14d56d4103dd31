"""Who is at the other end of a connection, and whether it may stay; for each kind of socket that we listen on."""

import asyncio
from dataclasses import replace

from edgeworker.admission import Refusal
from edgeworker.messages import Client
from edgeworker.server import proxies
from edgeworker.server.client_tls import NO_TLS, ClientTLS
from edgeworker.server.listener_state import ListenerState, peer_of


class Peer:
    """`client` is who is at the other end, or whom its PROXY header names. `trusted`: it is a proxy whose word about
    its client is believed. `awaits_proxy_header`: what comes next is a PROXY header.
    """

    __slots__ = ("_counted_address", "_listener", "_proxy_header", "awaits_proxy_header", "client", "trusted")

    def __init__(self, listener: ListenerState) -> None:
        self.client = Client("")
        self.trusted = False
        self._listener = listener
        self._counted_address: str | None = None
        self.awaits_proxy_header = listener.proxy_protocol
        self._proxy_header = b""  # what has arrived of it

    @property
    def has_begun_proxy_header(self) -> bool:
        return self._proxy_header != b""

    def admit(self, transport: asyncio.Transport, tls: ClientTLS = NO_TLS) -> Refusal | None:
        """Count the connection. A refusal is answered, unless the connection was aborted here: where each has to begin
        with a PROXY header, only proxies may connect.
        """
        self.client = peer_of(transport)
        if tls is not NO_TLS:
            self.client = replace(self.client, tls_version=tls.version, tls_cipher=tls.cipher)
        self.trusted = proxies.is_trusted(self.client.ip, self._listener.trusted)
        if self.trusted:
            return None  # a trusted proxy may have any number of connections
        if self._listener.proxy_protocol:
            transport.abort()
            return None
        return self._count()

    def release(self) -> None:
        """The connection has ended."""
        if self._counted_address is not None:
            self._listener.release_connection(self._counted_address)
            self._counted_address = None

    def _count(self) -> Refusal | None:
        """Count the connection for the client's address, which may have too many already."""
        if not self._listener.admit_connection(self.client.ip):
            return Refusal(429, "There are too many connections from this address.")
        self._counted_address = self.client.ip
        return None

    def read_proxy_header(self, data: bytes) -> bytes | Refusal | proxies.NeedMoreData | proxies.InvalidProxyHeader:
        """What follows the PROXY header, once all of it is there. The connection counts for the client named there."""
        written = self._proxy_header + data
        match proxies.read_proxy_header(written):
            case proxies.ProxyHeader(client, rest):
                self.awaits_proxy_header, self._proxy_header = False, b""
                if client is not None:
                    self.client = client
                    self.trusted = proxies.is_trusted(client.ip, self._listener.trusted)
                refusal = None if self.trusted else self._count()
                return rest if refusal is None else refusal
            case proxies.NeedMoreData() as more:
                self._proxy_header = written
                return more
            case proxies.InvalidProxyHeader() as invalid:
                return invalid
