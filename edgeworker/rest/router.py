"""Finds the endpoint of a request in the table. Pure.

A template's `{name}` stands for one path segment, and `{name+}` at its end for the whole rest, "/" included. Both are
decoded once, after the match.
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from edgeworker.messages import Response
from edgeworker.rest.call import Call
from edgeworker.rest.permissions import Need
from edgeworker.rest.target import decoded

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]

_PLACE: Final = re.compile(r"\\\{([a-z_]+)(\\\+)?\\\}")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One row of the API: `template` is below /client/v4; `note` is for the ledger, what differs from Cloudflare."""

    method: Method
    template: str
    answer: Callable[[Call], Awaitable[Response]]
    needs: Need
    note: str = ""


@dataclass(frozen=True, slots=True)
class EndpointMatch:
    endpoint: Endpoint
    params: dict[str, str]


@dataclass(frozen=True, slots=True)
class WrongMethod:
    """The path is known, with these methods."""

    allowed: tuple[str, ...]


class Router:
    def __init__(self, endpoints: Sequence[Endpoint]) -> None:
        self._rows = [(_compiled(endpoint.template), endpoint) for endpoint in endpoints]

    def find(self, method: str, path: str) -> EndpointMatch | WrongMethod | None:
        """`path` is encoded and below /client/v4. Raises target.UndecodableText for a parameter that is not UTF-8."""
        allowed: list[str] = []
        for pattern, endpoint in self._rows:
            found = pattern.fullmatch(path)
            if found is None:
                continue
            if endpoint.method == method:
                return EndpointMatch(endpoint, {name: decoded(text) for name, text in found.groupdict().items()})
            allowed.append(endpoint.method)
        return WrongMethod(tuple(allowed)) if allowed else None


def _compiled(template: str) -> re.Pattern[str]:
    """A "/" after the last segment is allowed; a rest matches every character, newlines too."""
    text = _PLACE.sub(lambda place: f"(?P<{place[1]}>{'.*' if place[2] else '[^/]+'})", re.escape(template))
    return re.compile(text if template.endswith("+}") else f"{text}/?", re.DOTALL)
