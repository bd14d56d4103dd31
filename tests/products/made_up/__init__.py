"""A made-up product, as a stranger would add one: this folder, and a line in `registry.PRODUCTS`.

It lets in who has a badge that is not revoked. Badges are documents; `badge.example` makes them.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from edgeworker.config import Config, ProductConfig, Zone
from edgeworker.handler import Handler
from edgeworker.messages import Access, Headers, Request, Response, VerifiedToken
from edgeworker.products.product import OpenProduct, ProductServices

OFFICE = "badge.example"
FIELD = "Cf-Access-Authenticated-User-Email"


@dataclass(frozen=True, slots=True)
class BadgeZone(ProductConfig):
    """On a zone: badges are asked for."""


@dataclass(frozen=True, slots=True)
class BadgeOffice(ProductConfig):
    """For the account: where badges are made."""

    name: str = OFFICE

    @property
    def hosts(self) -> tuple[str, ...]:
        return (self.name,)


class Badges:
    name = "badges"

    def __init__(self) -> None:
        self.opened: list[ProductServices] = []

    def applies(self, zone: Zone | None, config: Config) -> bool:
        return zone is not None and any(isinstance(product, BadgeZone) for product in zone.products)

    def open(self, services: ProductServices) -> OpenProduct:
        self.opened.append(services)
        return OpenBadges(services)


class OpenBadges:
    def __init__(self, services: ProductServices) -> None:
        self._documents = services.documents
        self._version: int | None = None
        self._badges: dict[str, str] = {}
        self.hosts: Mapping[str, Handler] = {
            host: Office(services)
            for product in services.config.products
            if isinstance(product, BadgeOffice)
            for host in product.hosts
        }
        self.reads = 0

    def wrap(self, then: Handler, zone: Zone | None) -> Handler:
        return Gate(self, then)

    async def holder(self, badge: str) -> str | None:
        version = self._documents.version()
        if version != self._version:
            self.reads += 1
            found = await self._documents.list("badge")
            self._badges = {document.id: str(document.value["holder"]) for document in found}
            self._version = version
        return self._badges.get(badge)


class Gate:
    def __init__(self, badges: OpenBadges, then: Handler) -> None:
        self._badges = badges
        self._then = then

    async def fetch(self, request: Request, /) -> Response:
        if request.url.path == "/cdn-cgi/badges/hello":
            return Response(200, body=b"badges are asked for here")
        holder = await self._badges.holder(request.credentials.authorization or "")
        if holder is None:
            return Response(403, Headers([("set-cookie", "CF_AppSession=x")]), b"no badge")
        headers = request.headers.copy()
        headers.set(FIELD, holder)
        return await self._then.fetch(
            request.replace(
                headers=headers,
                access=Access("badges", {"email": holder}),
                verified_tokens=(VerifiedToken("c1", {"sub": holder}),),
            )
        )


class Office:
    def __init__(self, services: ProductServices) -> None:
        self._documents = services.documents

    async def fetch(self, request: Request, /) -> Response:
        badge = request.url.path.removeprefix("/")
        await self._documents.put("badge", badge, {"holder": badge.upper()})
        return Response(201, body=f"made {badge}".encode())
