"""Kept-alive connections to origins, by endpoint."""

import asyncio
import errno
import ssl
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Final

from edgeworker.errors import OriginError
from edgeworker.server.happy_eyeballs import connect_to_one
from edgeworker.server.http1.transport import as_transport
from edgeworker.server.origin_connection import OriginConnection
from edgeworker.server.origin_endpoint import IdleConnections, OriginEndpoint
from edgeworker.server.outbound_proxy import Proxy
from edgeworker.server.tunnel import Tunnel

# The addresses that may be connected to for an endpoint, in the order in which to try them; they are the proxy's where
# there is one, and the endpoint was found to be allowed. Raises OriginError.
Resolve = Callable[[OriginEndpoint], Awaitable[Sequence[str]]]


class Pool:
    """`tls` makes the TLS context when the first https origin is met: reading the certificate store takes a while."""

    def __init__(
        self,
        *,
        tls: Callable[[], ssl.SSLContext],
        resolve: Resolve,
        connect_timeout_seconds: float,
        response_timeout_seconds: float,
        idle_timeout_seconds: float | None = None,
    ) -> None:
        self._tls = tls
        self._resolve = resolve
        self._connect_timeout = connect_timeout_seconds
        self._response_timeout = response_timeout_seconds
        self._idle_timeout = response_timeout_seconds if idle_timeout_seconds is None else idle_timeout_seconds
        self._idle = IdleConnections()
        self._connections: set[OriginConnection] = set()
        self._context: ssl.SSLContext | None = None

    def take_idle(self, endpoint: OriginEndpoint) -> OriginConnection | None:
        """A kept-alive connection that is not known to be dead, the one used last."""
        return self._idle.take(endpoint)

    async def connect(self, endpoint: OriginEndpoint) -> OriginConnection:
        """A new connection. Raises OriginError."""
        progress = _Progress()
        try:
            async with asyncio.timeout(self._connect_timeout):
                return await self._connect(endpoint, progress)
        except TimeoutError as error:
            raise _timed_out(endpoint, progress, self._connect_timeout) from error
        except OriginError as error:
            error.nothing_sent = True
            raise

    async def close(self) -> None:
        """Cuts every connection, idle or not."""
        self._idle.clear()
        connections = list(self._connections)
        for connection in connections:
            connection.abort()
        for connection in connections:
            await connection.wait_closed()

    async def _connect(self, endpoint: OriginEndpoint, progress: "_Progress") -> OriginConnection:
        if endpoint.unix_path is not None:
            return await self._connect_unix(endpoint, endpoint.unix_path)
        try:
            addresses = await self._resolve(endpoint)
        except OSError as error:
            raise OriginError(f"{endpoint}: the name cannot be resolved", status=530, code=1016) from error
        failure: OriginError | None = None
        left = list(addresses)
        while left:
            progress.step = _CONNECTING
            try:
                if endpoint.proxy is not None:
                    return await self._connect_through_proxy(endpoint, endpoint.proxy, left.pop(0))
                if endpoint.tls_name is None:
                    return await self._connect_plain(endpoint, left)
                return await self._connect_tls(endpoint, left, progress)
            except OSError as error:
                failure = _to_origin_error(endpoint, error)
                failure.__cause__ = error
        try:
            raise failure or OriginError(f"{endpoint}: the name has no address", status=530, code=1016)
        finally:
            del failure  # else it holds itself by its traceback, until garbage is looked for

    async def _connect_unix(self, endpoint: OriginEndpoint, path: str) -> OriginConnection:
        try:
            loop = asyncio.get_running_loop()
            _, connection = await loop.create_unix_connection(lambda: self._make_connection(endpoint), path)
        except OSError as error:
            raise _to_origin_error(endpoint, error) from error
        self._connections.add(connection)
        return connection

    async def _connect_plain(self, endpoint: OriginEndpoint, left: list[str]) -> OriginConnection:
        """`left` are the addresses; it is empty afterwards."""
        addresses = list(left)
        left.clear()
        _, connection = await connect_to_one(addresses, partial(self._open_plain, endpoint), _abort_connection)
        self._connections.add(connection)
        return connection

    async def _open_plain(self, endpoint: OriginEndpoint, address: str) -> OriginConnection:
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(partial(self._make_connection, endpoint), address, endpoint.port)
        return connection

    async def _connect_tls(self, endpoint: OriginEndpoint, left: list[str], progress: "_Progress") -> OriginConnection:
        """`left` are the addresses; those that were tried are removed."""
        addresses = list(left)
        left.clear()
        address, transport = await connect_to_one(addresses, partial(_open_waiting, endpoint.port), _abort_transport)
        left += [one for one in addresses if one != address]
        progress.step = _HANDSHAKING
        return await self._start_tls(endpoint, transport)

    async def _start_tls(self, endpoint: OriginEndpoint, transport: asyncio.Transport) -> OriginConnection:
        loop = asyncio.get_running_loop()
        connection = self._make_connection(endpoint)
        try:
            context = self._tls_context()
            secure = await loop.start_tls(transport, connection, context, server_hostname=endpoint.tls_name)
        except BaseException:
            transport.abort()
            raise
        if secure is None:
            raise ConnectionResetError("the connection was lost in the TLS handshake")
        connection.connection_made(secure)
        self._connections.add(connection)
        return connection

    async def _connect_through_proxy(self, endpoint: OriginEndpoint, proxy: Proxy, address: str) -> OriginConnection:
        """`address` is the proxy's."""
        loop = asyncio.get_running_loop()
        if endpoint.tls_name is None:
            _, plain = await loop.create_connection(lambda: self._make_connection(endpoint), address, proxy.port)
            self._connections.add(plain)
            return plain
        transport, tunnel = await loop.create_connection(lambda: Tunnel(proxy, endpoint.authority), address, proxy.port)
        try:
            await tunnel.open()
        except BaseException:
            transport.abort()
            raise
        return await self._start_tls(endpoint, transport)

    def _tls_context(self) -> ssl.SSLContext:
        self._context = self._context or self._tls()
        return self._context

    def _make_connection(self, endpoint: OriginEndpoint) -> OriginConnection:
        return OriginConnection(
            str(endpoint),
            timeout_seconds=self._response_timeout,
            idle_timeout_seconds=self._idle_timeout,
            on_idle=partial(self._idle.keep, endpoint),  # compiled, and called for each request
            on_lost=lambda connection: self._forget_connection(endpoint, connection),
        )

    def _forget_connection(self, endpoint: OriginEndpoint, connection: OriginConnection) -> None:
        self._connections.discard(connection)
        self._idle.remove(endpoint, connection)


class _Waiting(asyncio.Protocol):
    """Reads nothing: what a server says belongs to the TLS handshake that begins next."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        as_transport(transport).pause_reading()


async def _open_waiting(port: int, address: str) -> asyncio.Transport:
    transport, _ = await asyncio.get_running_loop().create_connection(_Waiting, address, port)
    return as_transport(transport)


def _abort_transport(transport: asyncio.Transport) -> None:
    transport.abort()


def _abort_connection(connection: OriginConnection) -> None:
    connection.abort()


_RESOLVING: Final = 0
_CONNECTING: Final = 1
_HANDSHAKING: Final = 2


class _Progress:
    """How far a connection has come."""

    __slots__ = ("step",)

    def __init__(self) -> None:
        self.step = _RESOLVING


def _timed_out(endpoint: OriginEndpoint, progress: _Progress, seconds: float) -> OriginError:
    if progress.step == _RESOLVING and endpoint.unix_path is None:
        text = f"{endpoint}: the name was not resolved within {seconds:g} seconds"
        return OriginError(text, status=530, code=1016, nothing_sent=True)
    if progress.step == _HANDSHAKING:
        text = f"{endpoint} accepted a connection, but no TLS handshake within {seconds:g} seconds; does it speak TLS?"
        return OriginError(text, status=525, nothing_sent=True)
    text = f"{endpoint} did not accept a connection within {seconds:g} seconds"
    return OriginError(text, status=522, nothing_sent=True)


def _to_origin_error(endpoint: OriginEndpoint, error: OSError) -> OriginError:
    match error:
        case ssl.SSLCertVerificationError():
            return OriginError(f"{endpoint}: its certificate is not valid: {error.verify_message}", status=526)
        case ssl.SSLError():
            return OriginError(f"{endpoint}: the TLS handshake failed: {error.reason or error}", status=525)
        case ConnectionRefusedError():
            return OriginError(f"{endpoint} refused the connection; is the server running?", status=521)
        case ConnectionResetError() if endpoint.tls_name is not None:
            return OriginError(f"{endpoint}: the connection was cut during the TLS handshake", status=525)
        case _ if error.errno in (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EADDRNOTAVAIL):
            return OriginError(f"{endpoint} cannot be reached: no route to it", status=523)
        case _ if error.errno == errno.ETIMEDOUT:
            return OriginError(f"{endpoint} did not accept a connection", status=522)
        case _ if error.errno in (errno.EMFILE, errno.ENFILE):
            return OriginError(f"{endpoint} cannot be asked: this edge has no more file descriptors", status=503)
        case _:
            return OriginError(
                f"{endpoint} cannot be connected to: {error.strerror or type(error).__name__}", status=521
            )
