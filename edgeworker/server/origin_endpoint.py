"""A server to connect to, and the connections to it that wait for a request."""

import asyncio
from dataclasses import dataclass
from typing import Final

from edgeworker.server.origin_connection import OriginConnection
from edgeworker.server.outbound_proxy import Proxy

_IDLE_SECONDS: Final = 60.0
_IDLE_PER_ENDPOINT: Final = 256
_SWEEP_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class OriginEndpoint:
    """A server to connect to. `host` has no brackets. `tls_name` is what its certificate must hold; None is http.

    Through a `proxy`, https goes in a tunnel, and http as requests to the proxy. With a `unix_path` the server listens
    on that socket, and `host` is only its name in messages.
    """

    host: str
    port: int
    tls_name: str | None = None
    proxy: Proxy | None = None
    unix_path: str | None = None

    @property
    def authority(self) -> str:
        return f"{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"

    def __str__(self) -> str:
        url = f"{'http' if self.tls_name is None else 'https'}://{self.authority}"
        return url if self.proxy is None else f"{url} through {self.proxy}"

    def __hash__(self) -> int:
        # Not the dataclass's: each request looks an endpoint up twice.
        return hash((self.host, self.port, self.tls_name, self.proxy, self.unix_path))


class IdleConnections:
    """Kept-alive connections that wait for a request, by endpoint."""

    __slots__ = ("_by_endpoint", "_sweeping")

    def __init__(self) -> None:
        self._by_endpoint: dict[OriginEndpoint, list[OriginConnection]] = {}
        self._sweeping: asyncio.TimerHandle | None = None

    def take(self, endpoint: OriginEndpoint) -> OriginConnection | None:
        """One that is not known to be dead, the one used last."""
        idle = self._by_endpoint.get(endpoint)
        while idle:
            connection = idle.pop()
            if connection.is_usable and not _is_expired(connection, connection.loop_time()):
                return connection
            connection.abort()
        return None

    def keep(self, endpoint: OriginEndpoint, connection: OriginConnection) -> None:
        """As `put`; from then on those that have waited too long are looked for."""
        self.put(endpoint, connection, now=connection.loop_time())
        if self._sweeping is None:
            self._sweeping = asyncio.get_running_loop().call_later(_SWEEP_SECONDS, self._sweep_again)

    def put(self, endpoint: OriginEndpoint, connection: OriginConnection, *, now: float) -> None:
        idle = self._by_endpoint.get(endpoint)
        if idle is None:
            idle = self._by_endpoint[endpoint] = []
        if len(idle) >= _IDLE_PER_ENDPOINT:
            connection.abort()
            return
        connection.idle_since = now
        idle.append(connection)

    def remove(self, endpoint: OriginEndpoint, connection: OriginConnection) -> None:
        idle = self._by_endpoint.get(endpoint)
        if idle and connection in idle:
            idle.remove(connection)

    def sweep(self, *, now: float) -> bool:
        """Cuts those that have waited too long; returns whether others are left."""
        for endpoint, idle in list(self._by_endpoint.items()):
            for connection in [connection for connection in idle if _is_expired(connection, now)]:
                idle.remove(connection)
                connection.abort()
            if not idle:
                del self._by_endpoint[endpoint]
        return bool(self._by_endpoint)

    def clear(self) -> None:
        if self._sweeping is not None:
            self._sweeping.cancel()
            self._sweeping = None
        self._by_endpoint.clear()

    def _sweep_again(self) -> None:
        loop = asyncio.get_running_loop()
        has_more = self.sweep(now=loop.time())
        self._sweeping = loop.call_later(_SWEEP_SECONDS, self._sweep_again) if has_more else None


def _is_expired(connection: OriginConnection, now: float) -> bool:
    limit = _IDLE_SECONDS if connection.idle_seconds is None else min(_IDLE_SECONDS, connection.idle_seconds)
    return now - connection.idle_since >= limit
