"""The path of a request: admitted once, then through its zone's chain of links to a worker or an origin.

    Edge            admit: what a client may not say about itself is removed and set; `cf`; CF-Ray
    TriggerURLs     developing only: URLs that fire cron triggers
    the products    those that the zone has, in the order of products.registry.PRODUCTS
    Dispatcher      the edge's own paths and ambiguous paths end here; the others are resolved
    Destinations    the worker is run or the origin asked

Each chain is folded once, when the edge is made.
"""

import asyncio
import logging
import secrets
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from edgeworker.admission import Refusal, admit
from edgeworker.balancing.board import OriginBoard
from edgeworker.config import Config
from edgeworker.edge import pages
from edgeworker.edge.cf import CfProperties
from edgeworker.edge.destinations import Destinations, loop_page
from edgeworker.edge.dispatcher import Dispatcher
from edgeworker.edge.products import AppliedProduct
from edgeworker.edge.token_results import token_result
from edgeworker.edge.trace_context import RequestSpans, parse_traceparent, renew_parent, replace_parent
from edgeworker.edge.triggers import ManualTriggers, TriggerURLs
from edgeworker.errors import StoreError
from edgeworker.handler import Handler, Services
from edgeworker.messages import URL, Request, Response
from edgeworker.messages.log_fields import log_fields
from edgeworker.products.product import SigningProduct, VerifyingProduct
from edgeworker.rays import new_ray
from edgeworker.routing import Resolver, RunWorker
from edgeworker.routing.developer_hosts import name_below_localhost
from edgeworker.runtime import Scheduled, Worker
from edgeworker.subrequests import Subrequests

if TYPE_CHECKING:
    from edgeworker.server.balanced_origin import BalancedServer

_log = logging.getLogger(__name__)


class Edge:
    """Answers any request; never raises for what a script, an origin or the storage of a product does wrong.

    Immutable: a new configuration makes a new Edge (see edgeworker.host.assembly).
    """

    def __init__(
        self,
        config: Config,
        services: Services,
        resolver: Resolver,
        workers: Mapping[str, Worker],
        products: Sequence[AppliedProduct] = (),
        board: OriginBoard | None = None,
        spans: RequestSpans | None = None,
    ) -> None:
        """`board` holds what is known of origins; `spans` are told of each request."""
        self.config = config
        self.resolver = resolver
        self.workers = workers
        self._properties = CfProperties(config.cf)
        self._destinations = Destinations(
            config, services, resolver, workers, self.fetch_from_worker, board or OriginBoard()
        )
        triggers = ManualTriggers(config, services.clock, workers, self.scheduled) if config.trigger_urls else None
        for product in products:
            product.fetch.edge = self.fetch_from_worker
        self._products = products
        self._spans = spans
        self._product_hosts = {host: answers for product in products for host, answers in product.hosts.items()}
        self._chains: dict[str | None, Handler] = {}
        dispatcher = Dispatcher(config, resolver, self._destinations, services.clock)
        for zone in (None, *resolver.zones):
            handler: Handler = dispatcher
            for product in reversed(products):
                if product.applies(zone):
                    handler = product.wrap(handler, zone)
            self._chains[None if zone is None else zone.name] = (
                handler if triggers is None else TriggerURLs(triggers, handler)
            )

    async def fetch(self, request: Request, /) -> Response:
        """A request from outside."""
        received, ray = request, new_ray()
        if self.config.trigger_urls and request.url.hostname.endswith(".localhost"):
            request = self._with_real_name(request)
        admitted = admit(request, ray=ray)
        attached = admitted if isinstance(admitted, Refusal) else self._properties.attach(admitted)
        if isinstance(attached, Refusal):
            response = _refuse(request, attached)
        else:
            try:
                if self._spans is not None:
                    response = await self._answer_in_span(attached, self._spans)
                else:
                    if attached.headers.has("traceparent") or attached.headers.has("tracestate"):
                        renew_parent(attached.headers, secrets.token_hex(8))
                    # As `_answer`, without a coroutine between.
                    response = await self._chain(attached.url).fetch(attached)
                    if not response.token_result:
                        response.token_result = token_result(attached.credentials, response)
            except StoreError as error:
                response = _report_storage_failure(attached, error)
                response.token_result = token_result(attached.credentials, response)
            except asyncio.CancelledError:
                received.headers.set("CF-Ray", ray)  # the client left: its line in the access log has this ray
                raise
        response.headers.set("CF-Ray", ray)
        return response

    async def _answer(self, request: Request) -> Response:
        try:
            response = await self._chain(request.url).fetch(request)
        except StoreError as error:
            response = _report_storage_failure(request, error)
        if not response.token_result:
            response.token_result = token_result(request.credentials, response)
        return response

    async def _answer_in_span(self, request: Request, spans: RequestSpans) -> Response:
        parent = parse_traceparent(request.headers.get_all("traceparent"))
        span = spans.begin(request, parent)
        replace_parent(request.headers, parent, span.context)
        response: Response | None = None
        try:
            response = await self._answer(request)
        finally:
            span.end(response)
        return response

    async def fetch_from_worker(self, request: Request, /) -> Response:
        """A worker's fetch() of another zone of this edge: as from outside, but we know which zone sent it."""
        sender = request.headers.get("cf-worker")
        admitted = admit(request, ray=new_ray())
        if isinstance(admitted, Refusal):
            return _refuse(request, admitted)
        if sender is not None:
            admitted.headers.append("CF-Worker", sender)
        try:
            return await self._chain(admitted.url).fetch(self._properties.attach_for_subrequest(admitted))
        except StoreError as error:
            return _report_storage_failure(admitted, error)

    @property
    def balanced_servers(self) -> "Sequence[BalancedServer]":
        """The origins of all load balancers."""
        return self._destinations.balanced_servers

    @property
    def signs_since(self) -> int | None:
        """Since when the oldest key in use of a product signs, in epoch seconds; None where none is known."""
        signing = [one.product for one in self._products if isinstance(one.product, SigningProduct)]
        return min(filter(None, (product.signs_since() for product in signing)), default=None)

    @property
    def key_imports(self) -> Mapping[tuple[str, str], int]:
        """See VerifyingProduct."""
        verifying = [one.product for one in self._products if isinstance(one.product, VerifyingProduct)]
        return {name: at for product in verifying for name, at in product.key_imports().items()}

    async def scheduled(self, worker: str, event: Scheduled) -> None:
        """One firing of a cron trigger. Raises ScriptFailure for what the handler raised, or if there is none."""
        no_request = Request("GET", URL("http", "localhost", 80, "/cdn-cgi/handler/scheduled", ""))
        subrequests = Subrequests(no_request, None, self._destinations.subrequest_router)
        await self.workers[worker].scheduled(event, subrequests)

    async def close(self) -> None:
        """Forgets the scripts. Call it when nothing is under way in this edge any more."""
        for worker in self.workers.values():
            await worker.close()

    def _with_real_name(self, request: Request) -> Request:
        """`api.example.com.localhost` is `api.example.com`, if that is served here and the longer name is not."""
        url = name_below_localhost(request.url)
        if url is None or self._is_served(request.url) or not self._is_served(url):
            return request
        headers = request.headers.copy()
        headers.set("host", url.host)
        return request.replace(url=url, headers=headers, visible_origin=request.url.origin)

    def _is_served(self, url: URL) -> bool:
        if url.hostname in self._product_hosts or self.resolver.serving_zone(url) is not None:
            return True
        resolution = self.resolver.resolve(url)
        return isinstance(resolution, RunWorker) and resolution.matched_by != "default worker"

    def _chain(self, url: URL) -> Handler:
        if self._product_hosts and (handler := self._product_hosts.get(url.hostname.removesuffix("."))) is not None:
            return handler
        zone = self.resolver.serving_zone(url)
        return self._chains[None if zone is None else zone.name]


def _refuse(request: Request, refusal: Refusal) -> Response:
    return loop_page(request) if refusal.status == pages.LOOP.status else pages.refuse(refusal)


def _report_storage_failure(request: Request, error: StoreError) -> Response:
    # The text names a file of this machine: it is for the log.
    place = request.url.origin + request.url.path
    _log.error("%s %s: %s", request.method, place, error, extra={**log_fields(request), "repeats": str(error)})
    return pages.answer(
        pages.STORAGE_FAILED,
        request,
        rule="nothing passes while the storage of a product fails",
        evidence=(str(error),),
    )
