"""API Shield's entry in the list of products; what it needs is loaded where a zone has it."""

from edgeworker.config import Config, Zone
from edgeworker.products.product import OpenProduct, ProductServices


class APIShield:
    name = "api_shield"

    def applies(self, zone: Zone | None, config: Config) -> bool:
        if zone is None or not zone.products:
            return False
        from edgeworker.products.api_shield.tables import shield_of

        return shield_of(zone) is not None

    def open(self, services: ProductServices) -> OpenProduct:
        from edgeworker.products.api_shield.handler import OpenShield

        return OpenShield(services)
