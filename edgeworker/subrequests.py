"""Where a worker's fetch() goes.

The rule is `way_of`, which is pure; `Subrequests` carries it out for one invocation.
Sources: https://developers.cloudflare.com/workers/configuration/routing/routes/ (a route is never the target of a
fetch() of its own zone) and https://developers.cloudflare.com/workers/configuration/routing/custom-domains/ (its
custom domains are).
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from edgeworker.clock import Clock
from edgeworker.config import Zone
from edgeworker.errors import OriginError
from edgeworker.handler import Handler
from edgeworker.messages import URL, Headers, Request, Response
from edgeworker.routing import Resolver, RunWorker, ToOrigin

_MARKS: Final = frozenset({b"cdn-loop", b"cf-worker"})


@dataclass(frozen=True, slots=True)
class ThisEdge:
    """A host of another zone that this edge serves: its whole chain is asked."""


@dataclass(frozen=True, slots=True)
class Internet:
    """A host that this edge does not serve."""


Way = RunWorker | ToOrigin | ThisEdge | Internet


def way_of(url: URL, *, incoming: URL, zone: Zone | None, resolver: Resolver) -> Way:
    """Where a fetch of `url` goes that was made while `incoming` was answered for `zone`. Pure.

    Within its own zone (or, without a zone, its own host) that is what stands behind the routes.
    """
    target_zone = resolver.zones.of(url.hostname)
    if url.host == incoming.host or (zone is not None and target_zone is zone):
        return resolver.behind_routes(url, zone)
    # The default worker and routes without a zone take whatever comes in from outside; to let them take what goes out
    # would turn every host of the internet into this edge.
    if target_zone is not None or resolver.owner_of_host(url.hostname) is not None:
        return ThisEdge()
    return Internet()


@dataclass(frozen=True, slots=True)
class Ways:
    """What carries out each way: `edge` asks the whole chain, `behind` a custom domain's worker or an origin."""

    resolver: Resolver
    behind: Callable[[Request, RunWorker | ToOrigin], Awaitable[Response]]
    edge: Callable[[Request], Awaitable[Response]]
    internet: Handler
    clock: Clock
    max_subrequests: int


class Subrequests:
    """The fetch() of one invocation: counts, bounds, and sends each request its way.

    Raises OriginError where there is no answer at all: too many subrequests, or nobody on the internet answers. A
    zone's own origin that is down answers with Cloudflare's 52x page instead, as it does there.
    """

    __slots__ = ("_incoming", "_made", "_ways", "_zone")

    def __init__(self, incoming: Request, zone: Zone | None, ways: Ways) -> None:
        """`zone` is the one that `incoming` was answered for."""
        self._incoming = incoming
        self._zone = zone
        self._ways = ways
        self._made = 0

    async def fetch(self, request: Request, /) -> Response:
        self._made += 1
        ways, incoming = self._ways, self._incoming
        if self._made > ways.max_subrequests:
            raise OriginError("Too many subrequests.", status=500)
        sent = request.replace(
            headers=self._marked(request),
            hops=incoming.hops + 1,
            client=incoming.client,
            trace=incoming.trace,
            # The script passes on what it was asked for: an origin may want that as it was received.
            raw_target=incoming.raw_target if request.url == incoming.url else None,
        )
        way = way_of(request.url, incoming=incoming.url, zone=self._zone, resolver=ways.resolver)
        trace = incoming.trace
        if trace is None:
            return await self._send(sent, way)
        begun = ways.clock.monotonic()
        outcome = "failed"
        try:
            response = await self._send(sent, way)
            outcome = str(response.status)
        finally:
            text = f"{request.method} {request.url.origin}{request.url.path} -> {_name(way)}: {outcome}"
            trace.add("subrequest", text, now=ways.clock.monotonic(), since=begun)
        return response

    def _marked(self, request: Request) -> Headers:
        """With the fields that say where the request has been; a script cannot leave them out or forge them."""
        fields = [field for field in request.headers.raw if field[0].lower() not in _MARKS]
        # Not checked again: the one came in through a parser, and the name of a zone or a host is canonical.
        for name, value in self._incoming.headers.raw:
            if name.lower() == b"cdn-loop":
                fields.append((b"CDN-Loop", value))
        host = self._incoming.url.hostname if self._zone is None else self._zone.name
        fields.append((b"CF-Worker", host.encode("ascii")))
        return Headers.from_raw(fields)

    async def _send(self, request: Request, way: Way) -> Response:
        match way:
            case RunWorker() | ToOrigin():
                return await self._ways.behind(request, way)
            case ThisEdge():
                return await self._ways.edge(request)
            case Internet():
                return await self._ways.internet.fetch(request)


def _name(way: Way) -> str:
    match way:
        case RunWorker(worker):
            return f"worker {worker}"
        case ToOrigin(_, origin):
            return "no origin" if origin is None else f"origin {origin}"
        case ThisEdge():
            return "this edge"
        case Internet():
            return "the internet"
