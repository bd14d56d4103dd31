"""Makes an Edge of a configuration: gives each worker its env and loads its script once."""

import asyncio
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from edgeworker.balancing.board import OriginBoard
from edgeworker.bindings import Resources, ServiceBinding, bind_services
from edgeworker.bindings.service.python_view import OwnExports
from edgeworker.cache.memory import MemoryCache
from edgeworker.cache.store import CacheStore
from edgeworker.config import Config
from edgeworker.config import Worker as WorkerConfig
from edgeworker.edge.chain import Edge
from edgeworker.edge.products import open_products
from edgeworker.edge.script_sockets import ScriptSockets
from edgeworker.edge.trace_context import RequestSpans
from edgeworker.handler import Services
from edgeworker.kv.namespace import KVNamespace, KVReads
from edgeworker.kv.store import KVStore
from edgeworker.messages import Access
from edgeworker.products import registry
from edgeworker.routing import Resolver
from edgeworker.runtime import Worker, load
from edgeworker.runtime.python.load_turns import LoadingPauses, load_in_turns
from edgeworker.server.outbound import OutboundPolicy
from edgeworker.shared_counts import SharedCounts
from edgeworker.state import MemoryState, State
from edgeworker.state.rate_counters import RateCounters

if TYPE_CHECKING:
    from edgeworker.assets import AssetServer
    from edgeworker.runtime.engines.javascript import JavaScriptWorkers
    from edgeworker.runtime.workerd.inspector import InspectedChildren


@dataclass(frozen=True, slots=True)
class PersistentServices:
    """What outlives an edge besides KV: the next configuration's edge goes on with it. By default it is in memory.

    `secrets` is the folder in which products keep keys, or None for an edge in memory. `inspected` is for DevTools, or
    None where no one debugs.
    """

    state: State = field(default_factory=MemoryState)
    cache: CacheStore = field(default_factory=MemoryCache)
    counts: SharedCounts = field(default_factory=SharedCounts)
    origins: OriginBoard = field(default_factory=OriginBoard)
    kv_reads: KVReads = field(default_factory=KVReads)
    spans: RequestSpans | None = None
    secrets: Path | None = None
    inspected: "InspectedChildren | None" = None

    async def close(self) -> None:
        await self.state.close()
        await self.cache.close()


async def build(
    config: Config,
    services: Services,
    store: KVStore,
    persistent: PersistentServices | None = None,
    *,
    beside_requests: LoadingPauses | None = None,
) -> Edge:
    """Registers the configuration's namespaces in the store; store and `persistent` stay the caller's.

    `beside_requests`: another edge serves meanwhile, on this event loop, and scripts are loaded with these pauses.

    Raises ConfigError, ScriptError or StoreError for the first thing that cannot work; no script stays loaded then.
    """
    # With thousands of routes it takes a while.
    resolver = await asyncio.to_thread(Resolver, config) if beside_requests else Resolver(config)
    await store.namespaces.register(config.namespaces)

    persistent = persistent or PersistentServices(MemoryState(services.clock))
    reads = persistent.kv_reads

    def namespace(namespace_id: str) -> KVNamespace:
        return KVNamespace(store, namespace_id, services.clock, reads)

    workers: dict[str, Worker] = {}
    resources = Resources(
        services.clock, namespace, workers.get, persistent.state.atomic, RateCounters(persistent.counts)
    )
    javascript: JavaScriptWorkers | None = None
    sockets = ScriptSockets(
        OutboundPolicy.parse(config.outbound.allow_private), resolver.is_served, config.outbound.allow_native_sockets
    )
    try:
        for configured in config.workers:
            engine = ""
            dev = configured.access_dev
            assets = _open_assets(configured)
            bound = bind_services(configured, resources, assets)
            if configured.is_javascript:
                javascript = javascript or _javascript_workers(config, services, persistent)
                called = _called_entrypoints(config, configured.name)
                isolate = await javascript.load(configured, bound, called)
                engine = str(javascript.choices[configured.name])
            else:
                lenient = config.lenient_python
                loading = partial(load, configured, bound, services.clock, persistent.cache, sockets, lenient=lenient)
                isolate = await load_in_turns(loading, beside_requests) if beside_requests else loading()
            workers[configured.name] = Worker(
                configured.name,
                isolate,
                background=services.background,
                seconds=config.limits.script_seconds,
                assets=assets,
                access=None if dev is None or not config.trigger_urls else Access(dev.aud, dev.identity),
                access_with_assets=_has_access_with_assets(config),
                exports=OwnExports,
                engine=engine,
            )
            if beside_requests:
                await beside_requests.pause_after(beside_requests.pace.step_seconds)
        for worker in workers.values():
            await worker.isolate.open()
        applied = open_products(
            registry.PRODUCTS,
            config,
            services,
            resolver,
            state=persistent.state,
            secrets=persistent.secrets,
            counts=persistent.counts,
        )
        return Edge(config, services, resolver, workers, applied, persistent.origins, persistent.spans)
    except BaseException:
        for worker in workers.values():
            await worker.close()
        raise


def _javascript_workers(config: Config, services: Services, persistent: PersistentServices) -> "JavaScriptWorkers":
    # Most edges have none, and these take a while to load.
    from edgeworker.runtime.engines.javascript import JavaScriptWorkers
    from edgeworker.server.unix_link import UnixLink

    link = UnixLink(services.clock)
    return JavaScriptWorkers(config, link, persistent.cache, services.clock, persistent.inspected)


def _open_assets(worker: WorkerConfig) -> "AssetServer | None":
    if worker.assets is None:
        return None
    from edgeworker.assets import AssetServer

    return AssetServer(worker.assets, worker=worker.name, has_script=worker.main is not None)


def _called_entrypoints(config: Config, worker: str) -> set[str]:
    """The named entrypoints of `worker` that service bindings of this edge lead to."""
    return {
        binding.entrypoint
        for caller in config.workers
        for binding in caller.bindings
        if isinstance(binding, ServiceBinding)
        and binding.worker == worker
        and binding.entrypoint not in (None, "default")
    }


def _has_access_with_assets(config: Config) -> bool:
    if not config.products:
        return False
    from edgeworker.products.access.config import access_config

    access = access_config(config)
    return access is not None and access.with_assets
