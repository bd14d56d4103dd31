"""An edge with everything it stands on, whose configuration can be replaced while it runs."""

import asyncio
import linecache
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, Self

from edgeworker.clock import Clock
from edgeworker.config import Config
from edgeworker.edge import Edge, PersistentServices, build
from edgeworker.handler import Background, Handler, Services
from edgeworker.host.cloudflare_api import LocalCloudflareAPI
from edgeworker.kv.store import KVStore
from edgeworker.messages import Request, Response
from edgeworker.routing import origin_timeouts_of, origin_tls_of
from edgeworker.runtime import Scheduled
from edgeworker.runtime.python.load_turns import QUICK_PACE, LoadingPauses
from edgeworker.server.origin import OriginClient
from edgeworker.state import MemoryState

_log = logging.getLogger(__name__)

_MOST_UNCOLLECTED: Final = 8


class _Generation:
    """One configuration's edge and how many requests are in it."""

    __slots__ = ("client", "edge", "in_flight", "retired")

    def __init__(self, edge: Edge, client: OriginClient) -> None:
        self.edge = edge
        self.client = client
        self.in_flight = 0
        self.retired = False


class Assembly:
    """A Handler: the edge of the current configuration.

    `reload` builds the new edge first and then swaps one reference: a request in flight finishes on the edge it began
    on, and a configuration that cannot work leaves the old one serving.
    """

    def __init__(
        self,
        store: KVStore,
        persistent: PersistentServices,
        clock: Clock,
        generation: _Generation,
        background: Background,
        cloudflare_api: Handler | None = None,
    ) -> None:
        self._cloudflare_api = cloudflare_api
        self.store = store
        self._persistent = persistent
        self.clock = clock
        self.background = background
        self._current = generation
        self._retired: list[_Generation] = []
        # Called when what reloads replaced is closed, and is garbage: once for several reloads in a row.
        self.collect_replaced: Callable[[], None] = _leave_to_python
        self._uncollected = 0
        self.pace = QUICK_PACE

    @classmethod
    async def open(
        cls,
        config: Config,
        *,
        store: KVStore,
        clock: Clock,
        persistent: PersistentServices | None = None,
        cloudflare_api: Handler | None = None,
        pauses: LoadingPauses | None = None,
    ) -> Self:
        """`store` and `persistent` stay the caller's to close. `cloudflare_api` is for workers, where the configuration
        says so. `pauses`: other processes serve meanwhile, on the same processors.

        Raises ConfigError, ScriptError or StoreError.
        """
        background, persistent = Background(), persistent or PersistentServices(MemoryState(clock))
        generation = await _generation(
            config, store, persistent, clock, background, cloudflare_api, beside_requests=pauses
        )
        return cls(store, persistent, clock, generation, background, cloudflare_api)

    @property
    def edge(self) -> Edge:
        return self._current.edge

    @property
    def config(self) -> Config:
        return self._current.edge.config

    @property
    def in_flight(self) -> int:
        """Requests under way, on the current edge and on those that it replaced."""
        return sum(generation.in_flight for generation in (*self._retired, self._current))

    def is_busy(self) -> bool:
        """Whether requests are under way. Threads may ask as well."""
        return self.in_flight > 0

    async def fetch(self, request: Request, /) -> Response:
        # As `_in_use`, without the cost of a context manager for each request.
        generation = self._current
        generation.in_flight += 1
        try:
            return await generation.edge.fetch(request)
        finally:
            self._leave(generation)

    async def scheduled(self, worker: str, event: Scheduled) -> None:
        """See Edge.scheduled."""
        with self._in_use() as edge:
            await edge.scheduled(worker, event)

    @contextmanager
    def _in_use(self) -> Iterator[Edge]:
        generation = self._current
        generation.in_flight += 1
        try:
            yield generation.edge
        finally:
            self._leave(generation)

    def _leave(self, generation: _Generation) -> None:
        generation.in_flight -= 1
        if generation.retired and generation.in_flight == 0:
            self._close_later(generation)

    async def reload(self, config: Config) -> None:
        """Raises ConfigError or ScriptError, and then nothing has changed."""
        linecache.checkcache()  # else tracebacks of the new scripts show lines of the old ones
        new = await _generation(
            config,
            self.store,
            self._persistent,
            self.clock,
            self.background,
            self._cloudflare_api,
            beside_requests=LoadingPauses(self.pace, self.is_busy),
        )
        old, self._current = self._current, new
        old.retired = True
        self._persistent.origins.keep_only(one.balancer for one in new.edge.balanced_servers)
        self._retired.append(old)
        if old.in_flight == 0:
            self._close_later(old)

    async def close(self, *, drain_seconds: float | None = None) -> None:
        """Waits at most `drain_seconds` for what scripts gave to waitUntil, then lets go of scripts and connections."""
        cut = await self.background.drain(timeout_seconds=drain_seconds)
        if cut:
            _log.warning("%d waitUntil task(s) did not end within %.0f s and were cancelled", cut, drain_seconds)
        for generation in [*self._retired, self._current]:
            await _close(generation)
        self._retired.clear()

    def _close_later(self, generation: _Generation) -> None:
        # A body may still be streaming out of a script although its fetch() has returned; the time that a drain has is
        # what it gets. Until then nothing but memory is held.
        delay = generation.edge.config.limits.drain_timeout_seconds
        asyncio.get_running_loop().call_later(delay, self._close_now, generation)

    def _close_now(self, generation: _Generation) -> None:
        if generation in self._retired:
            self._retired.remove(generation)
            self.background.spawn(self._close_replaced(generation), name="closing a replaced edge")

    async def _close_replaced(self, generation: _Generation) -> None:
        await _close(generation)
        self._uncollected += 1
        if not self._retired or self._uncollected >= _MOST_UNCOLLECTED:
            self._uncollected = 0
            self.collect_replaced()


async def _generation(
    config: Config,
    store: KVStore,
    persistent: PersistentServices,
    clock: Clock,
    background: Background,
    cloudflare_api: Handler | None,
    *,
    beside_requests: LoadingPauses | None = None,
) -> _Generation:
    client = OriginClient(config.outbound, clock, origin_tls=origin_tls_of(config), timeouts=origin_timeouts_of(config))
    internet: Handler = client.internet
    if config.cloudflare_api_for_workers and cloudflare_api is not None:
        internet = LocalCloudflareAPI(cloudflare_api, internet)
    services = Services(clock=clock, background=background, internet=internet, origin_at=client.at)
    try:
        edge = await build(config, services, store, persistent, beside_requests=beside_requests)
        return _Generation(edge, client)
    except BaseException:
        await client.close()
        raise


def _leave_to_python() -> None:
    """Nothing is collected by us."""


async def _close(generation: _Generation) -> None:
    await generation.edge.close()
    await generation.client.close()
