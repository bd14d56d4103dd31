"""Which products stand in front of which zones, and what each is given to work with."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgeworker.config import Config, Zone
from edgeworker.files import make_folder
from edgeworker.handler import Handler, Services
from edgeworker.messages import Request, Response
from edgeworker.products.product import OpenProduct, Product, ProductServices
from edgeworker.routing import Resolver
from edgeworker.shared_counts import SharedCounts
from edgeworker.state import State


class ProductFetch:
    """Where a product's own requests go: to this edge for the hosts that it serves, else to the internet."""

    def __init__(self, resolver: Resolver, internet: Handler) -> None:
        self._resolver = resolver
        self._internet = internet
        self.edge: Callable[[Request], Awaitable[Response]] | None = None  # set when the edge is there

    async def fetch(self, request: Request, /) -> Response:
        if self.edge is not None and self._resolver.is_served(request.url.hostname):
            return await self.edge(request)
        return await self._internet.fetch(request)


@dataclass(frozen=True, slots=True)
class AppliedProduct:
    """A product that stands in front of these `zones`, by name; None are the hosts that belong to no zone."""

    product: OpenProduct
    zones: frozenset[str | None]
    fetch: ProductFetch

    @property
    def hosts(self) -> Mapping[str, Handler]:
        return self.product.hosts

    def applies(self, zone: Zone | None) -> bool:
        return (None if zone is None else zone.name) in self.zones

    def wrap(self, then: Handler, zone: Zone | None) -> Handler:
        return self.product.wrap(then, zone)


def open_products(
    products: Sequence[Product],
    config: Config,
    services: Services,
    resolver: Resolver,
    *,
    state: State,
    secrets: Path | None,
    counts: SharedCounts,
) -> list[AppliedProduct]:
    """Those that apply anywhere, in their order. `secrets` is the folder in which each has its own.

    Raises ConfigError for what a product cannot work with, OSError for a folder that cannot be made.
    """
    applied = []
    fetch = ProductFetch(resolver, services.internet)
    for product in products:
        zones = frozenset(
            None if zone is None else zone.name for zone in (None, *resolver.zones) if product.applies(zone, config)
        )
        if not zones:
            continue
        folder = None if secrets is None else secrets / product.name
        if folder is not None:
            make_folder(folder)
        given = ProductServices(
            config=config,
            clock=services.clock,
            documents=state.documents(product.name),
            secrets=folder,
            background=services.background,
            internet=fetch,
            resolver=resolver,
            counts=counts,
        )
        applied.append(AppliedProduct(product.open(given), zones, fetch))
    return applied
