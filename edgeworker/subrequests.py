"""Where a worker's fetch() goes.

The rule is `route_subrequest`, which is pure; `Subrequests` carries it out for one invocation.
Sources: https://developers.cloudflare.com/workers/configuration/routing/routes/ (a route is never the target of a
fetch() of its own zone) and https://developers.cloudflare.com/workers/configuration/routing/custom-domains/ (its
custom domains are).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from edgeworker.clock import Clock
from edgeworker.config import Zone
from edgeworker.errors import OriginError
from edgeworker.handler import Handler, PendingResponse
from edgeworker.messages import URL, Headers, NameTable, Request, Response
from edgeworker.routing import Resolver, RunWorker, ToOrigin

# What is done with a field of that name; 0: it is passed on.
_MARK: Final = 1
_HOST: Final = 2
_READ: Final = {b"cdn-loop": _MARK, b"cf-worker": _MARK, b"host": _HOST}
_KINDS: Final[NameTable[bytes, int]] = NameTable(lambda name: _READ.get(name.lower(), 0))


@dataclass(frozen=True, slots=True)
class ThisEdge:
    """A host of another zone that this edge serves: its whole chain is asked."""


@dataclass(frozen=True, slots=True)
class Internet:
    """A host that this edge does not serve."""


Destination = RunWorker | ToOrigin | ThisEdge | Internet


def route_subrequest(url: URL, *, incoming: URL, zone: Zone | None, resolver: Resolver) -> Destination:
    """Where a fetch of `url` goes that was made while `incoming` was answered for `zone`. Pure.

    Within its own zone (or, without a zone, its own host) that is what stands behind the routes.
    """
    if url.host == incoming.host or (zone is not None and resolver.zones.of(url.hostname) is zone):
        return resolver.resolve_origin(url, zone)
    # The default worker and routes without a zone take whatever comes in from outside; to let them take what goes out
    # would turn every host of the internet into this edge.
    return ThisEdge() if resolver.is_served(url.hostname) else Internet()


@dataclass(frozen=True, slots=True)
class SubrequestRouter:
    """What answers at each destination: `same_zone` what stands behind the routes of the worker's own zone (a custom
    domain's worker or an origin), `other_zones` the whole chain of another zone.
    """

    resolver: Resolver
    same_zone: Callable[[Request, RunWorker | ToOrigin], PendingResponse]
    other_zones: Callable[[Request], PendingResponse]
    internet: Handler
    clock: Clock
    max_subrequests: int


class Subrequests:
    """The fetch() of one invocation: counts and bounds requests, and sends each to its destination.

    Raises OriginError if there is no answer at all: too many subrequests, or no server on the internet answers. A
    zone's own origin that is down answers with Cloudflare's 52x page instead, as it does there.
    """

    __slots__ = ("_incoming", "_made", "_router", "_zone")

    def __init__(self, incoming: Request, zone: Zone | None, router: SubrequestRouter) -> None:
        """`zone` is the one that `incoming` was answered for."""
        self._incoming = incoming
        self._zone = zone
        self._router = router
        self._made = 0

    async def fetch(self, request: Request, /) -> Response:
        self._made += 1
        router, incoming = self._router, self._incoming
        if self._made > router.max_subrequests:
            raise OriginError("Too many subrequests.", status=500)
        # Not a copy of `request`: what the edge learnt of its client is not passed on.
        sent = Request(
            request.method,
            request.url,
            self._add_trace_fields(request),
            request.body,
            redirect=request.redirect,
            cf=request.cf,
            hops=incoming.hops + 1,
            client=incoming.client,
            trace=incoming.trace,
            # The script passes on what it was asked for: an origin may want that as it was received.
            raw_target=incoming.raw_target if request.url == incoming.url else None,
        )
        destination = route_subrequest(request.url, incoming=incoming.url, zone=self._zone, resolver=router.resolver)
        trace = incoming.trace
        if trace is None:
            return await self._send(sent, destination)
        begun = router.clock.monotonic()
        outcome = "failed"
        try:
            response = await self._send(sent, destination)
            outcome = str(response.status)
        finally:
            text = f"{request.method} {request.url.origin}{request.url.path} -> {_name(destination)}: {outcome}"
            trace.add("subrequest", text, now=router.clock.monotonic(), since=begun)
        return response

    def _add_trace_fields(self, request: Request) -> Headers:
        """With the fields that say where the request has been; a script cannot leave them out or forge them."""
        # A script may have copied the Host of the request that it answers to one for another host.
        host = request.url.host.encode("ascii")
        fields = [
            field
            for field in request.headers.raw
            if not (kind := _KINDS[field[0]]) or (kind == _HOST and field[1] == host)
        ]
        # Not checked again: the one came in through a parser, and the name of a zone or a host is canonical.
        loops = self._incoming.headers.get_bytes("cdn-loop")
        if loops is not None:
            fields.append((b"CDN-Loop", loops))
        sender = self._incoming.url.hostname if self._zone is None else self._zone.name
        fields.append((b"CF-Worker", sender.encode("ascii")))
        return Headers.from_raw(fields)

    def _send(self, request: Request, destination: Destination) -> PendingResponse:
        match destination:
            case RunWorker() | ToOrigin():
                return self._router.same_zone(request, destination)
            case ThisEdge():
                return self._router.other_zones(request)
            case Internet():
                return self._router.internet.fetch(request)


def _name(destination: Destination) -> str:
    match destination:
        case RunWorker(worker):
            return f"worker {worker}"
        case ToOrigin(_, origin):
            return "no origin" if origin is None else f"origin {origin}"
        case ThisEdge():
            return "this edge"
        case Internet():
            return "the internet"
