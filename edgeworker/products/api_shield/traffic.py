"""Which endpoints requests went to that are no operation yet: what `edgeworker shield discover` proposes.

Segments that look like an identifier become variables, so that "/users/17" and "/users/18" are one proposal. In memory,
bounded, of answers below 400 only: what does not exist is not an endpoint.
"""

import re
from collections import Counter
from dataclasses import dataclass
from typing import Final

from edgeworker.messages import Request
from edgeworker.products.api_shield.compiled import CompiledShield
from edgeworker.products.api_shield.operations import METHODS, normalize_endpoint

MAX_ENDPOINTS: Final = 2_000
_MAX_PATH_CHARACTERS: Final = 512
_IDENTIFIER: Final = re.compile(
    r"[0-9]+|[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}|[0-9a-fA-F]{16,}"
    r"|(?=[A-Za-z_-]*[0-9])[A-Za-z0-9_-]{20,}"
)


@dataclass(frozen=True, slots=True)
class Proposal:
    """An endpoint that answered `requests` times."""

    method: str
    host: str
    endpoint: str
    requests: int


class ObservedTraffic:
    def __init__(self) -> None:
        self._seen: dict[str, Counter[tuple[str, str, str]]] = {}

    def observe(self, zone_id: str, shield: CompiledShield, request: Request, status: int) -> None:
        path = request.url.path
        if status >= 400 or len(path) > _MAX_PATH_CHARACTERS or request.method not in METHODS:
            return
        if shield.operations.find(request.method, request.url.hostname, path) is not None:
            return
        seen = self._seen.setdefault(zone_id, Counter())
        key = (request.method, request.url.hostname, template_of(path))
        if key in seen or len(seen) < MAX_ENDPOINTS:
            seen[key] += 1

    def proposals(self, zone_id: str) -> list[Proposal]:
        """The most used first."""
        return [Proposal(*key, requests) for key, requests in self._seen.get(zone_id, Counter()).most_common()]


def template_of(path: str) -> str:
    """The path with a variable for each segment that looks like an identifier."""
    segments = ["{id}" if _IDENTIFIER.fullmatch(segment) else segment for segment in path.split("/")]
    return normalize_endpoint("/".join(segments))
