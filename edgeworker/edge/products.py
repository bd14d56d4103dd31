"""Which products stand in front of which zones, and what each is given to work with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgeworker.config import Config, Zone
from edgeworker.handler import Handler, Services
from edgeworker.products.product import OpenProduct, Product, ProductServices
from edgeworker.routing import Resolver
from edgeworker.state import State


@dataclass(frozen=True, slots=True)
class AppliedProduct:
    """A product that stands in front of these `zones`, by name; None are the hosts that belong to no zone."""

    product: OpenProduct
    zones: frozenset[str | None]

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
) -> list[AppliedProduct]:
    """Those that apply anywhere, in their order. `secrets` is the folder in which each has its own.

    Raises ConfigError for what a product cannot work with, OSError for a folder that cannot be made.
    """
    applied = []
    for product in products:
        zones = frozenset(
            None if zone is None else zone.name for zone in (None, *resolver.zones) if product.applies(zone, config)
        )
        if not zones:
            continue
        folder = None if secrets is None else secrets / product.name
        if folder is not None:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        given = ProductServices(
            config=config,
            clock=services.clock,
            documents=state.documents(product.name),
            secrets=folder,
            background=services.background,
            internet=services.internet,
            resolver=resolver,
        )
        applied.append(AppliedProduct(product.open(given), zones))
    return applied
