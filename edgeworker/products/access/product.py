"""Access's entry in the list of products; what it needs is imported only if it is configured."""

from edgeworker.config import Config, Zone
from edgeworker.products.product import OpenProduct, ProductServices


class AccessProduct:
    """Applications are the account's and may be made at any time, so it stands in front of all zones or of none."""

    name = "access"

    def applies(self, zone: Zone | None, config: Config) -> bool:
        if not config.products:
            return False
        from edgeworker.products.access.config import access_config

        return access_config(config) is not None

    def open(self, services: ProductServices) -> OpenProduct:
        from edgeworker.products.access.open_access import OpenAccess

        return OpenAccess(services)
