"""HTTP over unix sockets, both ways: between the edge and a child process that runs workers."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from edgeworker.clock import Clock
from edgeworker.config import Limits, Socket
from edgeworker.handler import Handler
from edgeworker.server.listener import Listener
from edgeworker.server.origin import PoolHandler
from edgeworker.server.origin_endpoint import OriginEndpoint
from edgeworker.server.pool import Pool

_CONNECT_SECONDS: Final = 10.0
_DRAIN_SECONDS: Final = 1.0
# Both ends are ours: the timeouts are those of the connections to clients and to origins.
_ANSWER_SECONDS: Final = 24 * 3600.0
_LIMITS: Final = replace(
    Limits(),
    headers=1024,
    header_bytes=128 * 1024,
    headers_bytes=1024 * 1024,
    request_line_bytes=128 * 1024,
    body_bytes=5 * 1024**3,
    body_grace_seconds=_ANSWER_SECONDS,
    write_timeout_seconds=_ANSWER_SECONDS,
    connections_per_address=100_000,
)


class UnixLink:
    """`serve` answers on sockets, `connect` sends to them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._pools: list[Pool] = []

    async def serve(
        self, path: Path, handler: Handler, answer_at_once: Callable[[bytes], bytes | None]
    ) -> Callable[[], Awaitable[None]]:
        """Listens until what it returns is called. `answer_at_once` is shown each request as bytes first."""
        # What a worker fetches arrives as it was sent.
        listener = Listener(
            handler, Socket(), limits=_LIMITS, clock=self._clock, access_logger=None, tls=None, adds_ray=False
        )
        listener.answer_at_once(answer_at_once)
        server = await asyncio.get_running_loop().create_unix_server(listener.connection, path=str(path))

        async def stop() -> None:
            server.close()
            await listener.close(_DRAIN_SECONDS)

        return stop

    def connect(self, path: Path) -> Handler:
        pool = Pool(
            tls=ssl.create_default_context,  # never called: a unix socket has no TLS
            resolve=_no_addresses,
            connect_timeout_seconds=_CONNECT_SECONDS,
            response_timeout_seconds=_ANSWER_SECONDS,
        )
        self._pools.append(pool)
        # A request that ends the child must not end the next one too: the caller decides what is sent again.
        return PoolHandler(pool, OriginEndpoint(path.name, 0, unix_path=str(path)), repeats=False)

    async def close(self) -> None:
        for pool in self._pools:
            await pool.close()


async def _no_addresses(_endpoint: OriginEndpoint) -> Sequence[str]:
    return ()
