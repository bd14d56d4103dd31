"""`edge.shield`: API Shield in a test."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from edgeworker.config import JSON, Config
from edgeworker.messages import URL, Body, Headers, Request
from edgeworker.products.api_shield.explaining import ShieldExplanation, explain_request
from edgeworker.products.api_shield.tables import shield_of
from edgeworker.products.api_shield.zone_objects import DOCUMENTS, ZoneObjects, merge
from edgeworker.state import DocumentStore
from edgeworker.testing.engine import API_TOKEN, EdgeLoop

_LOGGER: Final = "edgeworker.products.api_shield.handler"


class ShieldAccessError(AssertionError):
    """A call of the API that failed; the text is its answer."""


@dataclass(frozen=True, slots=True)
class ShieldAccess:
    config: Config
    _engine: EdgeLoop

    @property
    def events(self) -> list[Mapping[str, JSON]]:
        """What rules did, first to last: `event["violations"][0]["result"]` is "expired", "missing" and the like."""
        lines = [line.text for line in self._engine.logs if line.logger == _LOGGER and line.text.startswith("{")]
        return [json.loads(line) for line in lines]

    @property
    def reasons(self) -> list[str]:
        """Of the last event, for each token configuration that its rule asks for."""
        violations = self.events[-1]["violations"] if self.events else []
        assert isinstance(violations, list)
        return [str(violation["result"]) for violation in violations if isinstance(violation, dict)]

    @property
    def documents(self) -> DocumentStore:
        """What was made over the API, as it is stored."""
        return self._engine.state.documents(DOCUMENTS)

    async def call(self, method: str, path: str, body: JSON = None, *, zone: str | None = None) -> JSON:
        """One call of the REST API; `path` is below "/zones/ZONE". `zone` is a zone's name, by default the only one
        with API Shield.

        Raises ShieldAccessError if it fails.
        """
        url = URL.parse(f"http://localhost/client/v4/zones/{self._zone_id(zone)}{path}")
        headers = Headers({"authorization": f"Bearer {API_TOKEN}", "content-type": "application/json"})
        content = None if body is None else Body(json.dumps(body).encode())
        request = Request(method, url, headers, content)

        async def answer() -> tuple[int, bytes]:
            response = await self._engine.api.fetch(request)
            return response.status, b"" if response.body is None else await response.body.read()

        status, text = await self._engine.home.wait(answer)
        if status >= 400:
            raise ShieldAccessError(f"{method} {path}: {status} {text.decode()}")
        result: JSON = json.loads(text)["result"]
        return result

    async def explain(
        self, url: str, *, method: str = "GET", headers: Mapping[str, str] | Sequence[tuple[str, str]] = ()
    ) -> ShieldExplanation:
        """Which operation a request is, which rule decides, and what each part of its expression comes to."""
        request = Request(method, URL.parse(url).canonical(), Headers(headers))
        zone = next((zone for zone in self.config.zones if zone.id == self._zone_id(None)), None)
        assert zone is not None
        configured = shield_of(zone)
        assert configured is not None
        stored = await self._engine.home.wait(lambda: ZoneObjects(self.documents, zone.id).load())
        return explain_request(merge(configured, stored), request, now_ms=self._engine.now_ms())

    def _zone_id(self, name: str | None) -> str:
        zones = [zone for zone in self.config.zones if shield_of(zone) is not None and name in (None, zone.name)]
        if len(zones) != 1:
            raise LookupError(f"there are {len(zones)} zones with API Shield; name one: zone=...")
        return zones[0].id
