"""Access as a product of the edge: in front of every zone, and on the team domain."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from edgeworker.config import Config, Zone
from edgeworker.handler import Handler
from edgeworker.messages.url import DEFAULT_PORTS
from edgeworker.products.access.config import AccessConfig, made_up_account
from edgeworker.products.access.gate import Gate
from edgeworker.products.access.services import AccessServices
from edgeworker.products.access.team import TeamDomain
from edgeworker.products.product import OpenProduct, ProductServices


class AccessProduct:
    """Applications are the account's and may be made at any time, so it stands in front of all zones or of none."""

    name: Final = "access"

    def applies(self, zone: Zone | None, config: Config) -> bool:
        return access_config(config) is not None

    def open(self, services: ProductServices) -> OpenProduct:
        return OpenAccess(services)


class OpenAccess:
    def __init__(self, given: ProductServices) -> None:
        config = access_config(given.config)
        assert config is not None
        self.services = AccessServices(
            config,
            account_id=given.config.account_id or made_up_account(),
            documents=given.documents,
            clock=given.clock,
            resolver=given.resolver,
            internet=given.internet,
        )
        team = TeamDomain(self.services)
        self.hosts: Mapping[str, Handler] = dict.fromkeys(config.hosts, team)

    def wrap(self, then: Handler, zone: Zone | None) -> Handler:
        return Gate(self.services, then)


def access_config(config: Config) -> AccessConfig | None:
    """With the issuer that its tokens have on these sockets."""
    found = next((product for product in config.products if isinstance(product, AccessConfig)), None)
    if found is None or found.issuer:
        return found
    return replace(found, issuer=_local_issuer(found.team, config))


def _local_issuer(team: str, config: Config) -> str:
    """The team domain under the name that every browser takes for this machine."""
    scheme, socket = ("http", config.edge_socket) if config.https_socket is None else ("https", config.https_socket)
    port = "" if socket.port in (0, DEFAULT_PORTS[scheme]) else f":{socket.port}"
    return f"{scheme}://{team}.localhost{port}"
