"""Makes an Edge of a configuration: gives each worker its env and loads its script once."""

from edgeworker.bindings import make_env
from edgeworker.config import Config
from edgeworker.edge.chain import Edge
from edgeworker.handler import Services
from edgeworker.kv.namespace import KVNamespace
from edgeworker.kv.store import KVStore
from edgeworker.routing import Resolver
from edgeworker.runtime import Worker, load


async def build(config: Config, services: Services, store: KVStore) -> Edge:
    """Registers the configuration's namespaces in the store; the store stays the caller's.

    Raises ConfigError, ScriptError or StoreError for the first thing that cannot work; no script stays loaded then.
    """
    resolver = Resolver(config)
    await store.namespaces.register(config.namespaces)

    def namespace(namespace_id: str) -> KVNamespace:
        return KVNamespace(store, namespace_id, services.clock)

    workers: dict[str, Worker] = {}
    try:
        for configured in config.workers:
            env = make_env(configured, namespaces=namespace, workers=workers.get)
            isolate = load(configured, env, services.clock)
            workers[configured.name] = Worker(configured.name, isolate, env, background=services.background)
    except BaseException:
        for worker in workers.values():
            await worker.close()
        raise
    return Edge(config, services, resolver, workers)
