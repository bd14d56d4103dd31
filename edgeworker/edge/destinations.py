"""Carries out a resolution: runs the worker or asks the origin. What goes wrong there ends as a page."""

import logging
import secrets
from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import TYPE_CHECKING, Final

from edgeworker.admission import MAX_LOOPS, without_edge_cookies
from edgeworker.balancing.board import OriginBoard, OriginRecord
from edgeworker.balancing.settings import LoadBalancer
from edgeworker.clock import Clock
from edgeworker.config import Config
from edgeworker.edge import pages
from edgeworker.edge.clients import is_public_client
from edgeworker.edge.hints import hints_for
from edgeworker.edge.origin_path import as_sent_by_client
from edgeworker.errors import OriginError
from edgeworker.handler import Handler, PendingResponse, Services
from edgeworker.messages import RefusalReason, Request, Response
from edgeworker.messages.log_fields import log_fields
from edgeworker.routing import Resolver, RunWorker, ToOrigin
from edgeworker.runtime import ScriptFailure, Worker
from edgeworker.subrequests import SubrequestRouter, Subrequests

if TYPE_CHECKING:
    from edgeworker.server.balanced_origin import BalancedOrigin, BalancedServer

_log = logging.getLogger(__name__)

_IDEMPOTENT: Final = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})


class Destinations:
    """The workers and origins of one edge. Never raises for what a script or an origin does wrong."""

    def __init__(
        self,
        config: Config,
        services: Services,
        resolver: Resolver,
        workers: Mapping[str, Worker],
        other_zones: Callable[[Request], PendingResponse],
        board: OriginBoard,
    ) -> None:
        """`other_zones` answers a worker's fetch() of another zone of this edge."""
        self._config = config
        self._clock: Clock = services.clock
        self._origin_at = services.origin_at
        self._resolver = resolver
        self._workers = workers
        self._board = board
        # An origin that stands alone is counted here; a load balancer counts its own.
        self._origins: dict[str, tuple[Handler, OriginRecord]] = {}
        balancers = [balancer for zone in resolver.zones for balancer in zone.load_balancers]
        self._balanced = _open_balancers(balancers, services, board) if balancers else {}
        self.subrequest_router = SubrequestRouter(
            resolver=resolver,
            same_zone=self.answer,
            other_zones=other_zones,
            internet=services.internet,
            clock=services.clock,
            max_subrequests=config.outbound.max_subrequests,
        )

    @property
    def balanced_servers(self) -> "list[BalancedServer]":
        """The origins of all load balancers."""
        return [one for balanced in self._balanced.values() for one in balanced.servers]

    def answer(self, request: Request, resolution: RunWorker | ToOrigin) -> PendingResponse:
        match resolution:
            case RunWorker():
                return self._run(request, resolution)
            case ToOrigin():
                return self._ask_origin(request, resolution)

    async def _run(self, request: Request, resolution: RunWorker) -> Response:
        if request.hops > MAX_LOOPS:
            return loop_page(request)
        subrequests = Subrequests(request, resolution.zone, self.subrequest_router)
        trace = request.trace
        begun = 0.0 if trace is None else self._clock.monotonic()
        outcome = "failed"
        instead: Coroutine[object, object, Response] | None = None
        try:
            response = await self._workers[resolution.worker].run(request, subrequests)
            response.served_by = resolution.worker
            if response.status >= 400:
                response.refusal_reason = RefusalReason(
                    f"worker {resolution.worker}: its script answered so", (_matched(resolution),)
                )
            outcome = "" if trace is None else str(response.status)
        except ScriptFailure as failure:
            # The failure itself in a variable here would be a cycle (failure, traceback, frame), which stays until
            # garbage is looked for.
            instead = self._after_failure(request, resolution, failure)
        finally:
            if trace is not None:
                engine = self._workers[resolution.worker].engine
                where = "" if engine == "" else f" in {engine}"
                text = f"{resolution.worker} ({resolution.matched_by}){where}: {outcome}"
                trace.add("worker", text, now=self._clock.monotonic(), since=begun)
        if instead is not None:
            return await instead
        _drop_edge_cookies(response)
        return response

    async def _after_failure(self, request: Request, resolution: RunWorker, failure: ScriptFailure) -> Response:
        if failure.pass_through and (request.body is None or not request.body.used):
            behind = self._resolver.resolve_origin(request.url, resolution.zone)
            # A custom domain's worker is its own origin: there is nothing behind it to pass through to.
            if isinstance(behind, ToOrigin) and behind.origin is not None:
                return await self._ask_origin(request, behind)
        page = pages.WORKER_FAILED
        if failure.exceeded_limits:
            page = pages.SCRIPT_LOST if failure.lost_with_isolate else pages.SCRIPT_EXCEEDED_LIMITS
        raised = f"its script raised {type(failure.original).__name__}; the log has the traceback"
        rule, details = f"worker {resolution.worker}", self._details(request, failure.described)
        response = pages.answer(page, request, rule=rule, evidence=(raised, _matched(resolution)), details=details)
        if failure.lost_with_isolate and request.method in _IDEMPOTENT:
            response.headers.set("Retry-After", "1")
        return response

    def _details(self, request: Request, text: str) -> str:
        """`text`, if this client may see it."""
        return text if self._config.error_details and not is_public_client(request.client) else ""

    async def _ask_origin(self, request: Request, resolution: ToOrigin) -> Response:
        base = resolution.origin
        if base is None:
            return self._nothing_here(request, resolution)
        zone = resolution.zone
        normalize = self._config.normalize_to_origin and (zone is None or zone.normalize_to_origin)
        sent = request if normalize else as_sent_by_client(request)
        record: OriginRecord | None = None
        try:
            if isinstance(base, LoadBalancer):
                response = await self._balanced[base.name].fetch(sent)
            else:
                origin, record = self._single_origin(base)
                record.requests += 1
                begun = self._clock.monotonic()
                response = await origin.fetch(sent)
                record.durations.add(self._clock.monotonic() - begun)
        except OriginError as error:
            if record is not None:
                record.add_failure(str(error), now=self._clock.now())
            repeats = {"repeats": f"origin {base}: {error.status}"}  # else an origin that is down fills the log
            _log.warning("origin %s: %s", base, error, extra={**log_fields(request), **repeats})
            if request.trace is not None:
                request.trace.add("error", f"origin {base}: {error}", now=self._clock.monotonic())
            details = self._details(request, f"origin {base}: {error}")
            response = pages.answer(
                pages.choose_origin_page(error),
                request,
                rule=_asked(base),
                evidence=(str(error), resolution.why),
                details=details,
            )
        response.served_by = "origin"
        if response.status >= 400 and response.refusal_reason is None:
            response.refusal_reason = RefusalReason(f"{_asked(base)}: it answered so", (resolution.why,))
        _drop_edge_cookies(response)
        return response

    def _single_origin(self, base: str) -> tuple[Handler, OriginRecord]:
        known = self._origins.get(base)
        if known is None:
            known = self._origins[base] = (self._origin_at(base), self._board.record("", base))
        return known

    def _nothing_here(self, request: Request, resolution: ToOrigin) -> Response:
        zone = resolution.zone
        where = f"zone {zone.name}" if zone is not None else "this host"
        from_worker = request.hops > 0
        why = f"{where} has no origin" if from_worker else f"{resolution.why}; {where} has no origin"
        hints = hints_for(request.url, self._config, zone)
        url = request.url
        page = pages.nothing_here(url.host, url.path, why=why, hints=hints, from_worker=from_worker)
        # Anyone may ask for any host.
        _log.warning("530: %s", page.detail, extra={**log_fields(request), "repeats": "530"})
        return pages.answer(page, request, rule="no origin is configured for this host", evidence=(why,))


def loop_page(request: Request) -> Response:
    place = request.url.origin + request.url.path
    _log.warning("loop: %s %s came back too often", request.method, place, extra=log_fields(request))
    return pages.answer(pages.LOOP, request, rule="a request goes through workers of this edge a few times at most")


def _drop_edge_cookies(response: Response) -> None:
    headers = without_edge_cookies(response.headers)
    if headers is not response.headers:
        text, name = "%s set a cookie whose name is the edge's own; it was left out", response.served_by
        _log.warning(text, name, extra={"repeats": f"cookie {name}"})
        response.headers = headers


def _asked(origin: str | LoadBalancer) -> str:
    return str(origin) if isinstance(origin, LoadBalancer) else f"origin {origin}"


def _matched(resolution: RunWorker) -> str:
    route = "" if resolution.route is None else f" {resolution.route.pattern}"
    return f"it runs by {resolution.matched_by}{route}"


def _open_balancers(
    balancers: Iterable[LoadBalancer], services: Services, board: OriginBoard
) -> "dict[str, BalancedOrigin]":
    from edgeworker.server.balanced_origin import BalancedOrigin  # most edges have no load balancer

    random_value = secrets.SystemRandom().random
    return {one.name: BalancedOrigin(one, services.origin_at, board, services.clock, random_value) for one in balancers}
