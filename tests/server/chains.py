"""The whole chain on sockets: a client's bytes, a listener, an edge with a gateway script, and an origin."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edgeworker.clock import SystemClock
from edgeworker.config import Config, Limits, Outbound, Route, Worker, Zone
from edgeworker.host.assembly import Assembly
from edgeworker.kv.memory import MemoryStore
from edgeworker.server import AccessLogRecord
from tests.server.wires import ANY_PORT, USUAL_LIMITS, Play, ScriptedOrigin, origin, serving

NOTHING_PRIVATE: Final = Outbound()

# Passes on what it was asked and says which URL it saw: what a gateway decides on.
GATEWAY = """\
from workers import Response, WorkerEntrypoint, fetch


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        answer = await fetch(request)
        return Response(await answer.text(), status=answer.status, headers={"X-Seen": request.url})
"""


@dataclass
class Chain:
    """`port` is where clients connect. `summaries` has one entry for each request that was finished."""

    port: int
    origin: ScriptedOrigin
    summaries: list[AccessLogRecord]


@asynccontextmanager
async def chain(
    folder: Path,
    play: Play,
    *,
    routes: tuple[str, ...] = ("a.example/api*",),
    script: str = GATEWAY,
    normalize_to_origin: bool = True,
    outbound: Outbound = NOTHING_PRIVATE,
    limits: Limits = USUAL_LIMITS,
) -> AsyncIterator[Chain]:
    """The zone a.example, whose `routes` run `script`; what they do not match goes to the origin at once."""
    main = folder / "worker.py"
    main.write_text(script)
    async with origin(play) as server:
        zone = Zone("a.example", "z1", origin=server.url, normalize_to_origin=normalize_to_origin)
        config = Config(
            workers=(Worker("gateway", main),),
            routes=tuple(Route(pattern, "gateway", zone="a.example") for pattern in routes),
            zones=(zone,),
            outbound=outbound,
            limits=limits,
        )
        assembly = await Assembly.open(config, store=MemoryStore(), clock=SystemClock())
        try:
            async with serving(assembly, limits=limits, socket=ANY_PORT) as (listener, summaries):
                yield Chain(listener.port, server, summaries)
        finally:
            await assembly.close(drain_seconds=1)
