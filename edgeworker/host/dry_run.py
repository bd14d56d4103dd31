"""Loads each worker of a configuration as `edgeworker dev` does, serves nothing, and says what did not work."""

import ast
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path

from edgeworker.clock import Clock
from edgeworker.config import Config, Worker
from edgeworker.edge import build
from edgeworker.errors import EdgeworkerError
from edgeworker.handler import Background, Services
from edgeworker.kv.memory import MemoryStore
from edgeworker.routing import origin_timeouts_of, origin_tls_of
from edgeworker.server.origin import OriginClient

_EVENTS = ("fetch", "scheduled")


@dataclass(frozen=True, slots=True)
class DryRun:
    """`error` says why the script cannot be loaded. Without one, `handles` are the events that it handles, and
    `entrypoints` the names that a service binding can lead to.
    """

    worker: Worker
    error: str | None = None
    handles: frozenset[str] = frozenset()
    entrypoints: frozenset[str] = frozenset()


def explain_missing_fetch(main: Path | None) -> str:
    """What a script that answers no request probably meant: a misspelt handler, or a class that is not `Default`."""
    if main is None or main.suffix != ".py":
        return "Export a default object with a method `fetch`."
    tree = ast.parse(main.read_bytes())
    methods = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    classes = [node.name for node in tree.body if isinstance(node, ast.ClassDef)]
    close = get_close_matches("fetch", methods - {"fetch"}, n=1, cutoff=0.6)
    if close:
        return f'Is "{close[0]}" meant to be "fetch"?'
    if "fetch" in methods and classes and "Default" not in classes:
        return f'Requests are answered by the class with the name "Default", not by "{classes[0]}".'
    return "Write class Default(WorkerEntrypoint) with a method `async def fetch(self, request)`."


async def dry_run(config: Config, clock: Clock) -> list[DryRun]:
    """Each worker by itself, so that one mistake does not hide the next one."""
    return [await _load(config, worker, clock) for worker in config.workers]


async def _load(config: Config, worker: Worker, clock: Clock) -> DryRun:
    alone = replace(
        config,
        workers=(worker,),
        routes=(),
        custom_domains=(),
        default_worker=worker.name,
        zones=tuple(replace(zone, products=()) for zone in config.zones),
        products=(),
    )
    background = Background()
    client = OriginClient(config.outbound, clock, origin_tls=origin_tls_of(config), timeouts=origin_timeouts_of(config))
    services = Services(clock=clock, background=background, internet=client.internet, origin_at=client.at)
    store = MemoryStore()
    try:
        edge = await build(alone, services, store)
        try:
            isolate = edge.workers[worker.name].isolate
            return DryRun(worker, None, frozenset(filter(isolate.handles, _EVENTS)), frozenset(isolate.entrypoints()))
        finally:
            await edge.close()
    except EdgeworkerError as error:
        return DryRun(worker, str(error))
    finally:
        await background.drain(timeout_seconds=0)
        await store.close()
        await client.close()
