"""An edge whose state is in a data directory: KV, cache, atomic values and the scripts on top of them."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from edgeworker.balancing.board import OriginBoard
from edgeworker.cache.disk import DiskCache
from edgeworker.clock import Clock
from edgeworker.config import Config
from edgeworker.edge import PersistentServices
from edgeworker.edge.trace_context import RequestSpans
from edgeworker.handler import Handler
from edgeworker.host.assembly import Assembly
from edgeworker.host.datadir import DataDir
from edgeworker.host.origin_health import OriginHealthFile
from edgeworker.host.sockets import Behind, ManagementApi, ManagementSocket
from edgeworker.host.storage import Storage
from edgeworker.kv.namespace import KVReads
from edgeworker.kv.sweeper import sweep_for_ever
from edgeworker.runtime.python.watchdog import Watchdog
from edgeworker.server.access_log import AccessLogger, AccessLogRecord
from edgeworker.server.open_connections import OpenConnections
from edgeworker.shared_counts import SharedCounts
from edgeworker.state import SQLiteState

if TYPE_CHECKING:
    from edgeworker.runtime.workerd.inspector import InspectedChildren


def _nothing() -> None:
    return None


@dataclass(frozen=True, slots=True)
class StoredEdge:
    """An `Opener` for `serve`. `make_api` gets KV and the other state; without it there is no API socket.

    `wrap` puts a handler in front of the edge; `access_logger` gets each finished request. Of several processes
    one `sweeps` what has expired and checks `origins`, whose health the others read from `health_file`;
    `report_health` is called when this process has learned something of it. `others` are more sockets of the
    management plane. `refusal_recorder` gets each finished request too, and those to the management plane that were
    refused. `counts` are those of all processes. `connections` are those of the edge's own sockets; None: as many as
    the configuration says.
    """

    config: Config
    data: DataDir
    clock: Clock
    make_api: Callable[[Storage, SQLiteState], ManagementApi] | None = None
    wrap: Callable[[Handler], Handler] | None = None
    access_logger: AccessLogger | None = None
    refusal_recorder: AccessLogger | None = None
    drain_seconds: float = 0.0
    sweeps: bool = True
    origins: OriginBoard = field(default_factory=OriginBoard)
    health_file: Path | None = None
    report_health: Callable[[], None] = _nothing
    kv_reads: KVReads = field(default_factory=KVReads)
    counts: SharedCounts = field(default_factory=SharedCounts)
    connections: OpenConnections | None = None
    spans: RequestSpans | None = None
    inspected: "InspectedChildren | None" = None
    others: Mapping[str, ManagementSocket] = field(default_factory=dict)

    async def __call__(self, stack: AsyncExitStack) -> Behind:
        """Raises ConfigError, ScriptError or StoreError."""
        storage = Storage.open(self.data.kv_file, self.config.kv, self.clock)
        stack.push_async_callback(storage.close)
        state = SQLiteState(self.data.path, self.clock)
        state.check_version()
        persistent = PersistentServices(
            state,
            DiskCache(self.data.cache_folder),
            secrets=self.data.path / "secrets",
            origins=self.origins,
            kv_reads=self.kv_reads,
            counts=self.counts,
            spans=self.spans,
            inspected=self.inspected,
        )
        stack.push_async_callback(persistent.close)
        api = None if self.make_api is None else self.make_api(storage, state)
        assembly = await Assembly.open(
            self.config, store=storage.edge, clock=self.clock, persistent=persistent, cloudflare_api=api
        )
        stack.push_async_callback(assembly.close, drain_seconds=self.drain_seconds)
        watchdog = Watchdog()
        watchdog.start()
        stack.callback(watchdog.close)
        edge = assembly if self.wrap is None else self.wrap(assembly)
        health = OriginHealthFile(
            self.origins, self.clock, self.health_file, checks=self.sweeps, report=self.report_health
        )

        async def work() -> None:
            async with asyncio.TaskGroup() as group:
                group.create_task(health.run(lambda: assembly.edge.balanced_servers))
                if self.sweeps:
                    group.create_task(sweep_for_ever(storage.whole, self.clock))

        logger = _call_both(self.refusal_recorder, self.access_logger)
        return Behind(edge, api, logger, assembly, work, self.others, self.refusal_recorder, self.connections)


def _call_both(first: AccessLogger | None, second: AccessLogger | None) -> AccessLogger | None:
    if first is None or second is None:
        return first or second

    def log(record: AccessLogRecord) -> None:
        first(record)
        second(record)

    return log
