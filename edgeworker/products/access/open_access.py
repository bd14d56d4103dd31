"""Access in one edge: in front of every zone, and on the team domain."""

from collections.abc import Mapping

from edgeworker.config import Zone
from edgeworker.handler import Handler
from edgeworker.products.access.cli_transfer import TransferHost
from edgeworker.products.access.config import TRANSFER_HOST, access_config, made_up_account
from edgeworker.products.access.gate import Gate
from edgeworker.products.access.services import AccessServices
from edgeworker.products.access.team import TeamDomain
from edgeworker.products.product import ProductServices


class OpenAccess:
    def __init__(self, services: ProductServices) -> None:
        config = access_config(services.config)
        assert config is not None
        self.services = AccessServices(
            config,
            account_id=services.config.account_id or made_up_account(),
            documents=services.documents,
            clock=services.clock,
            resolver=services.resolver,
            internet=services.internet,
            developing=services.config.trigger_urls,
            counts=services.counts,
        )
        # At once, not with the first request: `edgeworker access login` may come before it.
        services.background.spawn(self.services.directory.announce_issuer(), name="Access")
        team = TeamDomain(self.services)
        hosts: dict[str, Handler] = dict.fromkeys(config.team_hosts, team)
        self.hosts: Mapping[str, Handler] = {**hosts, TRANSFER_HOST: TransferHost(self.services)}

    def signs_since(self) -> int | None:
        snapshot = self.services.directory.peek()
        return None if snapshot is None else snapshot.keys.rotated_at

    def wrap(self, then: Handler, zone: Zone | None) -> Handler:
        return Gate(self.services, then)
