"""Which endpoints requests went to that are not operations yet: what `edgeworker shield discover` proposes. Pure.

Segments that look like an identifier become variables, so that "/users/17" and "/users/18" are one proposal. Only
answers below 400 count: what does not exist is not an endpoint.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from edgeworker.products.api_shield.operations import METHODS, OperationTable, normalize_endpoint, normalize_host

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


@dataclass(frozen=True, slots=True)
class AnsweredRequest:
    """What an access log knows of one request."""

    method: str
    host: str
    path: str
    status: int


def propose(requests: Iterable[AnsweredRequest], known: OperationTable) -> list[Proposal]:
    """The most used first."""
    seen: Counter[tuple[str, str, str]] = Counter()
    for request in requests:
        path, hostname = request.path, request.host.partition(":")[0].lower()
        if request.status >= 400 or len(path) > _MAX_PATH_CHARACTERS or request.method not in METHODS:
            continue
        if known.find(request.method, hostname, path) is not None:
            continue
        try:
            key = (request.method, normalize_host(hostname), template_of(path))
        except ValueError:
            continue
        if key in seen or len(seen) < MAX_ENDPOINTS:
            seen[key] += 1
    return [Proposal(*key, requests=count) for key, count in seen.most_common()]


def template_of(path: str) -> str:
    """The path with a variable for each segment that looks like an identifier."""
    segments = ["{id}" if _IDENTIFIER.fullmatch(segment) else segment for segment in path.split("/")]
    return normalize_endpoint("/".join(segments))
