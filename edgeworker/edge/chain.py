"""The path of a request: reserved paths, routes, workers, origins, and the page for what went wrong."""

import logging
import secrets
from collections.abc import Mapping
from functools import lru_cache
from ipaddress import ip_address
from typing import Final

from edgeworker.admission import MAX_LOOPS, Refusal, admit, without_edge_cookies
from edgeworker.config import Config, Zone
from edgeworker.edge import pages
from edgeworker.edge.cf import Properties
from edgeworker.edge.hints import hints_for
from edgeworker.edge.received import as_received
from edgeworker.edge.triggers import OLD_PATH, PATHS, Triggers
from edgeworker.errors import OriginError
from edgeworker.handler import Handler, Services
from edgeworker.messages import URL, Request, Response
from edgeworker.routing import Resolver, RunWorker, ToOrigin, is_loopback, other_readings
from edgeworker.runtime import Scheduled, ScriptFailure, Worker
from edgeworker.server.outbound import is_public
from edgeworker.subrequests import Subrequests, Ways

_log = logging.getLogger(__name__)

# Stands where Cloudflare names the data centre, in CF-Ray.
COLO: Final = "LOC"
# Paths that belong to the edge, on every host.
_RESERVED: Final = "/cdn-cgi/"
_MISREAD: Final = Refusal(
    400, 'An origin may take the path for one that goes another way here; write it without "//", ";" and "%2F".'
)


class Edge:
    """Answers any request; never raises for what a script or an origin does wrong. Immutable: a new configuration makes
    a new Edge (see edgeworker.host.assembly)."""

    def __init__(self, config: Config, services: Services, resolver: Resolver, workers: Mapping[str, Worker]) -> None:
        self.config = config
        self.resolver = resolver
        self.workers = workers
        self._services = services
        self._clock = services.clock
        self._properties = Properties(config.cf)
        self._origins: dict[str, Handler] = {}
        self._reserved = self._reserved_paths()
        self._ways = Ways(
            resolver=resolver,
            behind=self._answer,
            edge=self.fetch_from_worker,
            internet=services.internet,
            clock=services.clock,
            max_subrequests=config.outbound.max_subrequests,
        )

    async def fetch(self, request: Request, /) -> Response:
        """A request from outside: what the client may not say about itself is removed, then it goes its way."""
        ray = f"{secrets.token_hex(8)}-{COLO}"
        admitted = admit(request, ray=ray)
        if isinstance(admitted, Refusal):
            return _refused(request, admitted)
        given = self._properties.given(admitted)
        if isinstance(given, Refusal):
            return _refused(request, given)
        response = await self._serve(given)
        response.headers.set("CF-Ray", ray)
        return response

    async def fetch_from_worker(self, request: Request, /) -> Response:
        """A worker's fetch() of another zone of this edge: as from outside, but we know which zone sent it."""
        sender = request.headers.get("cf-worker")
        admitted = admit(request, ray=f"{secrets.token_hex(8)}-{COLO}")
        if isinstance(admitted, Refusal):
            return _refused(request, admitted)
        if sender is not None:
            admitted.headers.append("CF-Worker", sender)
        return await self._serve(self._properties.of_another_worker(admitted))

    async def scheduled(self, worker: str, event: Scheduled) -> None:
        """One firing of a cron trigger. Raises ScriptFailure for what the handler raised, or where there is none."""
        nobody = Request("GET", URL("http", "localhost", 80, "/cdn-cgi/handler/scheduled", ""))
        await self.workers[worker].scheduled(event, Subrequests(nobody, None, self._ways))

    async def _serve(self, request: Request) -> Response:
        path = request.url.path
        reserved = self._reserved.get(path)
        if (
            reserved is not None
            and (path.startswith(_RESERVED) or is_loopback(request.url.hostname))
            and not _is_public(request.client.ip)
        ):
            return await reserved.fetch(request)
        if path.startswith(_RESERVED):
            return pages.answer(pages.RESERVED, request)
        resolution = self.resolver.resolve(request.url)
        if isinstance(resolution, RunWorker) and resolution.by == "default worker" and self._is_stranger(request):
            resolution = ToOrigin(resolution.zone, self.config.origin)
        if any(self._goes_another_way(request.url, reading, resolution) for reading in other_readings(path)):
            return pages.refused(_MISREAD)
        if request.trace is not None:
            self._note(request, resolution)
        return await self._answer(request, resolution)

    def _is_stranger(self, request: Request) -> bool:
        """Whether somebody on the internet calls this machine "localhost", to get past the routes of its real names."""
        return not self.config.default_on_every_host and _is_public(request.client.ip)

    def _goes_another_way(self, url: URL, reading: str, resolution: RunWorker | ToOrigin) -> bool:
        """Whether a worker, or the edge itself, would have been passed by if the origin took the path for `reading`."""
        if reading.startswith(_RESERVED):
            return True
        other = self.resolver.resolve(URL(url.scheme, url.hostname, url.port, reading, url.query))
        if not isinstance(other, RunWorker):
            return False
        return not isinstance(resolution, RunWorker) or resolution.worker != other.worker

    def _reserved_paths(self) -> Mapping[str, Handler]:
        """What answers them. A path that is not under /cdn-cgi/ is reserved on localhost only, which no zone has."""
        if not self.config.trigger_urls:
            return {}
        triggers = Triggers(self.config, self._clock, self.workers, self.scheduled)
        return dict.fromkeys((*PATHS, OLD_PATH), triggers)

    async def close(self) -> None:
        """Forgets the scripts. Call it when nothing is under way in this edge any more."""
        for worker in self.workers.values():
            await worker.close()

    async def _answer(self, request: Request, resolution: RunWorker | ToOrigin) -> Response:
        match resolution:
            case RunWorker():
                response = await self._run(request, resolution)
            case ToOrigin():
                response = await self._ask_origin(request, resolution)
        kept = without_edge_cookies(response.headers)
        if kept is not response.headers:
            _log.warning("%s set a cookie whose name is the edge's own; it was left out", response.served_by)
            response.headers = kept
        return response

    async def _run(self, request: Request, resolution: RunWorker) -> Response:
        if request.hops > MAX_LOOPS:
            return _loop(request)
        subrequests = Subrequests(request, resolution.zone, self._ways)
        trace = request.trace
        begun = 0.0 if trace is None else self._clock.monotonic()
        outcome = "failed"
        try:
            response = await self.workers[resolution.worker].run(request, subrequests)
            response.served_by = resolution.worker
            outcome = str(response.status)
        except ScriptFailure as failure:
            return await self._after_failure(request, resolution, failure)
        finally:
            if trace is not None:
                text = f"{resolution.worker} ({resolution.by}): {outcome}"
                trace.add("worker", text, now=self._clock.monotonic(), since=begun)
        return response

    async def _after_failure(self, request: Request, resolution: RunWorker, failure: ScriptFailure) -> Response:
        if failure.pass_through and (request.body is None or not request.body.used):
            behind = self.resolver.behind_routes(request.url, resolution.zone)
            # A custom domain's worker is its own origin: there is nothing behind it to pass through to.
            if isinstance(behind, ToOrigin) and behind.origin is not None:
                return await self._ask_origin(request, behind)
        return pages.answer(pages.SCRIPT_EXCEEDED_LIMITS if failure.exceeded_limits else pages.WORKER_FAILED, request)

    async def _ask_origin(self, request: Request, resolution: ToOrigin) -> Response:
        base = resolution.origin
        if base is None:
            return self._nothing_here(request, resolution)
        origin = self._origins.get(base)
        if origin is None:
            origin = self._origins[base] = self._services.origin_at(base)
        zone = resolution.zone
        normalize = self.config.normalize_to_origin and (zone is None or zone.normalize_to_origin)
        try:
            response = await origin.fetch(request if normalize else as_received(request))
        except OriginError as error:
            _log.warning("origin %s: %s", base, error)
            if request.trace is not None:
                request.trace.add("error", f"origin {base}: {error}", now=self._clock.monotonic())
            response = pages.answer(pages.origin_failed(error), request)
        response.served_by = "origin"
        return response

    def _nothing_here(self, request: Request, resolution: ToOrigin) -> Response:
        zone: Zone | None = resolution.zone
        where = f"zone {zone.name}" if zone is not None else "this host"
        why = f"{resolution.why}; {where} has no origin"
        hints = hints_for(request.url, self.config, zone)
        return pages.answer(pages.nothing_here(request.url.host, request.url.path, why=why, hints=hints), request)

    def _note(self, request: Request, resolution: RunWorker | ToOrigin) -> None:
        trace, now = request.trace, self._clock.monotonic()
        assert trace is not None
        zone = resolution.zone
        trace.add("zone", f"{request.url.host} -> {'no zone' if zone is None else zone.name}", now=now)
        route = "no route" if resolution.route is None else resolution.route.pattern
        match resolution:
            case RunWorker(worker, by):
                trace.add("route", f"{route} -> worker {worker} (by {by})", now=now)
            case ToOrigin(_, origin):
                trace.add("route", f"{route} -> {'no origin' if origin is None else f'origin {origin}'}", now=now)


@lru_cache(maxsize=1024)
def _is_public(ip: str) -> bool:
    try:
        return is_public(ip_address(ip))
    except ValueError:
        return False


def _refused(request: Request, refusal: Refusal) -> Response:
    return _loop(request) if refusal.status == pages.LOOP.status else pages.refused(refusal)


def _loop(request: Request) -> Response:
    _log.warning("loop: %s %s%s came back too often", request.method, request.url.origin, request.url.path)
    return pages.answer(pages.LOOP, request)
