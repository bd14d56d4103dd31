"""A zone with API Shield in front of an origin that remembers what reached it."""

from collections.abc import Mapping
from dataclasses import replace

from edgeworker.admission import Refusal, admit
from edgeworker.config import Config, Zone
from edgeworker.handler import Background
from edgeworker.messages import URL, Headers, Request, Response
from edgeworker.products.api_shield.config import (
    Action,
    CustomRule,
    ShieldConfig,
    TokenConfiguration,
    ValidationRule,
)
from edgeworker.products.api_shield.handler import OpenShield, ZoneShield
from edgeworker.products.api_shield.keys import VerificationKeys
from edgeworker.products.api_shield.operations import Operation, normalize_endpoint
from edgeworker.products.api_shield.token_sources import read_source
from edgeworker.products.api_shield.zone_objects import ZoneObjects
from edgeworker.products.product import ProductServices
from edgeworker.routing import Resolver
from edgeworker.state import DocumentStore, MemoryState
from edgeworker.testing.clock import MovableClock
from tests.products.api_shield.minting import NOW

AUTHORIZATION = 'http.request.headers["authorization"][0]'
HOST = "api.test"


class RememberingOrigin:
    def __init__(self) -> None:
        self.requests: list[Request] = []

    async def fetch(self, request: Request, /) -> Response:
        self.requests.append(request)
        return Response(200, Headers(), b"from the origin")


class ShieldedEdge:
    """One zone, `api.test`. `get` goes through the door of the edge first, as a request from outside."""

    def __init__(self, config: ShieldConfig, documents: DocumentStore | None = None) -> None:
        self.clock = MovableClock(NOW)
        self.documents = documents or MemoryState(self.clock).documents("api_shield")
        self.origin = RememberingOrigin()
        self.zone = Zone("api.test", "z1", products=(config,))
        whole = Config(zones=(self.zone,))
        services = ProductServices(whole, self.clock, self.documents, None, Background(), self.origin, Resolver(whole))
        self.shield = OpenShield(services)
        handler = self.shield.wrap(self.origin, self.zone)
        assert isinstance(handler, ZoneShield)
        self.handler = handler
        self.objects = ZoneObjects(self.documents, self.zone.id)

    async def get(
        self,
        target: str = "/users/7",
        token: str | None = None,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | list[tuple[str, str]] | None = None,
    ) -> Response:
        fields = Headers(headers)
        if token is not None:
            fields.append("Authorization", token)
        request = Request(method, URL.from_target("https", HOST, target), fields)
        admitted = admit(request, ray="0123456789abcdef-LOC")
        assert not isinstance(admitted, Refusal), admitted.text
        return await self.handler.fetch(admitted)

    async def status(self, target: str = "/users/7", token: str | None = None, *, method: str = "GET") -> int:
        return (await self.get(target, token, method=method)).status


def configuration(id: str, keys: VerificationKeys, *sources: str, require_exp: bool = False) -> TokenConfiguration:
    places = tuple(read_source(source) for source in sources or (AUTHORIZATION,))
    return TokenConfiguration(id, id, places, keys, require_exp=require_exp)


def operation(endpoint: str, *, method: str = "GET", host: str = HOST) -> Operation:
    return Operation(f"{method} {endpoint}", method, host, normalize_endpoint(endpoint))


def rule(
    expression: str, action: Action = "block", *, id: str = "r1", excluded: tuple[str, ...] = (), enabled: bool = True
) -> ValidationRule:
    return ValidationRule(
        id, f"rule {id}", action, expression, excluded_operations=excluded, enabled=enabled, source="edge.toml:1"
    )


def custom(expression: str, action: Action = "block") -> CustomRule:
    return CustomRule("c1", action, expression, "custom", source="edge.toml:2")


def from_api(made: ValidationRule) -> ValidationRule:
    return replace(made, source="")
