"""The split-token script's worker taken out of its edge, for replaying what was recorded of it on Pyodide."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from edgeworker.bindings import JSONBinding, KVBinding, TextBinding
from edgeworker.clock import SystemClock
from edgeworker.config import JSON, Config, Worker
from edgeworker.edge import Edge, build
from edgeworker.handler import Background, Services
from edgeworker.host.bundled import script
from edgeworker.kv.memory import MemoryStore
from edgeworker.kv.namespace import KVNamespace
from edgeworker.messages import Request, Response

NAMESPACE = "split"

ProblemResponse = Callable[[Request], Response]


@dataclass(slots=True)
class Outside:
    """A server that is not ours: the API behind the edge, or the internet."""

    answer: ProblemResponse = field(default=lambda request: Response(200, body=b"fine"))
    requests: list[Request] = field(default_factory=list)

    async def fetch(self, request: Request, /) -> Response:
        self.requests.append(request)
        return self.answer(request)


@dataclass(frozen=True, slots=True)
class Stage:
    edge: Edge
    api: Outside
    tokens: KVNamespace


@asynccontextmanager
async def set_up(
    variables: Mapping[str, JSON] | None = None, *, store: MemoryStore | None = None
) -> AsyncIterator[Stage]:
    """The script with these variables. Raises ScriptError where it cannot be loaded with them."""
    api, clock = Outside(), SystemClock()
    bindings = [
        TextBinding(name, value) if isinstance(value, str) else JSONBinding(name, value)
        for name, value in (variables or {}).items()
    ]
    worker = Worker("gateway", script("split_token") / "worker.py", (KVBinding("TOKENS", NAMESPACE), *bindings))
    config = Config(
        workers=(worker,), default_worker="gateway", default_on_every_host=True, origin="http://api.internal"
    )
    services = Services(clock=clock, background=Background(), internet=api, origin_at=lambda url: api)
    kv = MemoryStore() if store is None else store
    edge = await build(config, services, kv)
    try:
        yield Stage(edge, api, KVNamespace(kv, NAMESPACE, clock))
    finally:
        await edge.close()
