"""API Shield in front of a zone: loads what is configured, decides, and carries the decision out."""

import asyncio
import logging
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Final

from edgeworker.config import Zone
from edgeworker.expressions import RequestFacts
from edgeworker.handler import Handler
from edgeworker.messages import Request, Response
from edgeworker.products.api_shield import pages
from edgeworker.products.api_shield.compiled import CompiledShield, compile_shield
from edgeworker.products.api_shield.config import ShieldConfig, TokenConfiguration
from edgeworker.products.api_shield.events import ShieldEvent, make_event, refusal_reason
from edgeworker.products.api_shield.header_claims import transform_headers
from edgeworker.products.api_shield.policy import Block, Pass, decide
from edgeworker.products.api_shield.rate_limits import RequestCounters
from edgeworker.products.api_shield.tables import shield_of
from edgeworker.products.api_shield.token_checks import CheckedTokens, TokenChecker
from edgeworker.products.api_shield.zone_objects import ZoneObjects, merge
from edgeworker.products.product import ProductServices

_log = logging.getLogger(__name__)

_EDGE_PATHS: Final = "/cdn-cgi/"  # the edge's own; no rule of a zone is asked about them
MAX_EVENTS: Final = 1000


class OpenShield:
    """API Shield in one edge. `events` are the last ones of this process."""

    def __init__(self, services: ProductServices) -> None:
        self.hosts: Mapping[str, Handler] = {}
        self.events: deque[ShieldEvent] = deque(maxlen=MAX_EVENTS)
        self.checker = TokenChecker()
        self.limiter = RequestCounters(services.counts)
        self._services = services
        self._zones: list[ZoneShield] = []

    def key_imports(self) -> Mapping[tuple[str, str], int]:
        return {
            (zone.name, one.title): one.keys_imported_at
            for zone in self._zones
            for one in zone.configurations
            if one.keys_imported_at
        }

    def wrap(self, then: Handler, zone: Zone | None) -> Handler:
        assert zone is not None
        config = shield_of(zone)
        assert config is not None
        shield = ZoneShield(self, self._services, then, zone, config)
        self._zones.append(shield)
        return shield

    def record(self, events: Sequence[ShieldEvent]) -> None:
        for event in events:
            self.events.append(event)
            _log.warning("%s", event.line())


class ZoneShield:
    def __init__(
        self, shield: OpenShield, services: ProductServices, then: Handler, zone: Zone, config: ShieldConfig
    ) -> None:
        self._shield = shield
        self._clock = services.clock
        self._documents = services.documents
        self._objects = ZoneObjects(services.documents, zone.id)
        self._then = then
        self._zone = zone
        self._config = config
        self._compiled: CompiledShield | None = None
        self._version: int | None = None
        self._loading = asyncio.Lock()

    @property
    def name(self) -> str:
        return self._zone.name

    @property
    def configurations(self) -> Sequence[TokenConfiguration]:
        """As the last request found them; before the first one those of the file."""
        return (self._config if self._compiled is None else self._compiled.config).configurations

    async def fetch(self, request: Request, /) -> Response:
        if request.url.path.startswith(_EDGE_PATHS):
            return await self._then.fetch(request)
        compiled = self._compiled
        if compiled is None or self._documents.version() != self._version:
            compiled = await self._load()
        now_ms = self._clock.now_ms()
        tokens = self._shield.checker.check(compiled, request, now=now_ms / 1000)
        facts = RequestFacts(request, now_ms=now_ms, tokens=tokens.facts)
        decision = decide(compiled, facts, tokens)
        if decision.events:
            self._shield.record(decision.events)
        match decision:
            case Block(_, by_validation_rule, token_was_shown):
                self._note(request, "blocked")
                challenge = compiled.config.challenge and by_validation_rule
                response = pages.blocked(request, challenge=challenge, token_was_shown=token_was_shown)
                response.refusal_reason = refusal_reason(decision.events[-1])
                response.token_result = _token_result(decision.events[-1])
                return response
            case Pass():
                return await self._pass(request, compiled, facts, tokens)

    async def _pass(
        self, request: Request, compiled: CompiledShield, facts: RequestFacts, tokens: CheckedTokens
    ) -> Response:
        if compiled.rate_limits:
            now = facts.now_ms // 1000
            over = self._shield.limiter.count(compiled.rate_limits, facts, now=now)
            if over is not None:
                limit = over.limit.limit
                event = make_event(
                    request,
                    now=now,
                    service="Rate limiting rules",
                    action="block",
                    rule_id=limit.id,
                    rule_title=limit.description,
                )
                self._shield.record([event])
                self._note(request, "rate limited")
                response = pages.rate_limited(request, retry_after_seconds=over.retry_after_seconds)
                allowed = f"{limit.requests} requests in {limit.period_seconds} s"
                response.refusal_reason = refusal_reason(event, f"more than {allowed} of one counter")
                return response
        if compiled.transforms:
            headers = transform_headers(request.headers, compiled.transforms, facts)
            request = request.replace(headers=headers, verified_tokens=tokens.verified)
        elif tokens.verified:
            request = request.replace(verified_tokens=tokens.verified)
        self._note(request, "passed")
        return await self._then.fetch(request)

    def _note(self, request: Request, outcome: str) -> None:
        if request.trace is not None:
            request.trace.add("product", f"API Shield: {outcome}", now=self._clock.monotonic())

    async def _load(self) -> CompiledShield:
        """What is configured now. Raises StoreError; then nothing passes."""
        async with self._loading:
            version = self._documents.version()
            if self._compiled is None or version != self._version:
                stored = await self._objects.load()
                self._compiled = compile_shield(merge(self._config, stored))
                self._version = version
                for rule, reason in self._compiled.broken.items():
                    _log.error(
                        "API Shield of %s: rule %s counts as violated by every request: %s",
                        self._zone.name,
                        rule,
                        reason,
                    )
            return self._compiled


def _token_result(event: ShieldEvent) -> str:
    return next(iter(event.reasons), "")
