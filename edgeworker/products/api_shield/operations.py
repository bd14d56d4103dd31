"""Endpoint management: which operation a request is. Pure.

An operation is a method, a host and a path; the path may have variables for whole segments, the host for whole labels.
Source: https://developers.cloudflare.com/api-shield/management-and-monitoring/endpoint-management/
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

from edgeworker.messages import URL
from edgeworker.messages.url import InvalidURL

Method = Literal["GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "CONNECT", "PATCH", "TRACE"]

METHODS: Final[tuple[str, ...]] = get_args(Method)
MAX_ENDPOINT_CHARACTERS: Final = 4096
_VARIABLE: Final = re.compile(r"\{[^{}/.]*\}")
_LABEL: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_ENCODED_BRACE: Final = re.compile(r"%7[BbDd]")
_ENCODED_VARIABLE: Final = re.compile(r"%7[Bb][^/]*%7[Dd]")


@dataclass(frozen=True, slots=True)
class Operation:
    """`endpoint` and `host` are normalised. `source` is where it was written, "" where it was made over the API."""

    id: str
    method: str
    host: str
    endpoint: str
    last_updated: str = ""
    source: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        return self.method, self.host, self.endpoint


def normalize_method(method: str) -> str:
    """Raises ValueError."""
    if method not in METHODS:
        raise ValueError(f'"{method[:40]}" is not a method; use one of {", ".join(METHODS)}')
    return method


def normalize_endpoint(endpoint: str) -> str:
    """The path as requests have it, with its variables named {var1}, {var2} from left to right. Raises ValueError."""
    if not endpoint.startswith("/") or len(endpoint) > MAX_ENDPOINT_CHARACTERS:
        raise ValueError(f'"{endpoint[:200]}" is not an endpoint; it begins with "/", as "/api/users/{{id}}"')
    if "?" in endpoint or "#" in endpoint:
        raise ValueError(f'"{endpoint[:200]}" has a query or fragment; an endpoint is a path alone')
    if _ENCODED_BRACE.search(endpoint) is not None:
        raise ValueError(f'"{endpoint[:200]}" has an encoded brace; a variable is written as "{{id}}"')
    for segment in endpoint.split("/"):
        if ("{" in segment or "}" in segment) and _VARIABLE.fullmatch(segment) is None:
            raise ValueError(f'"{segment[:80]}" is only partly a variable; a variable is a whole segment, as "{{id}}"')
    try:
        path = URL.parse(f"https://host{endpoint}").canonical().path
    except InvalidURL as error:
        raise ValueError(f'"{endpoint[:200]}" is not an endpoint') from error
    number = 0
    segments = path.split("/")
    for index, segment in enumerate(segments):
        if _ENCODED_VARIABLE.fullmatch(segment):
            number += 1
            segments[index] = f"{{var{number}}}"
    return "/".join(segments)


def normalize_host(host: str) -> str:
    """Lower case without port and dot at the end; variables are named {hostVar1}, {hostVar2} from the right.

    Raises ValueError.
    """
    name = host.strip().lower()
    name = re.sub(r":[0-9]{1,5}$", "", name).removesuffix(".")
    labels = name.split(".")
    number = 0
    for index in range(len(labels) - 1, -1, -1):
        label = labels[index]
        if _VARIABLE.fullmatch(label):
            number += 1
            labels[index] = f"{{hostVar{number}}}"
        elif "{" in label or "}" in label:
            raise ValueError(
                f'"{label[:80]}" is only partly a variable; a variable is a whole label, as "{{hostVar1}}"'
            )
        elif _LABEL.fullmatch(label) is None:
            raise ValueError(f'"{host[:200]}" is not a host; write it as "api.example.com"')
    if len(name) > 253 or number == len(labels):
        raise ValueError(f'"{host[:200]}" is not a host; write it as "api.example.com"')
    return ".".join(labels)


@dataclass(slots=True)
class _PathNode:
    """One place in a tree of segments: what may follow, and what ends here."""

    fixed: "dict[str, _PathNode]" = field(default_factory=dict)
    variable: "_PathNode | None" = None
    ends: Operation | None = None

    def child(self, segment: str) -> "_PathNode":
        if segment.startswith("{"):
            self.variable = self.variable or _PathNode()
            return self.variable
        return self.fixed.setdefault(segment, _PathNode())


class OperationTable:
    """Finds the operation of a request, in time that does not grow with their number.

    Where several fit, the one wins that is literal for longer, first in the host, then in the path.
    """

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._exact: dict[tuple[str, str], _PathNode] = {}
        self._by_labels: dict[tuple[str, int], list[tuple[Sequence[str], _PathNode]]] = {}
        hosts: dict[tuple[str, str], _PathNode] = {}
        for operation in operations:
            key = (operation.method, operation.host)
            root = hosts.get(key)
            if root is None:
                root = hosts[key] = _PathNode()
                labels = operation.host.split(".")
                if "{" in operation.host:
                    self._by_labels.setdefault((operation.method, len(labels)), []).append((labels, root))
                else:
                    self._exact[key] = root
            node = root
            for segment in operation.endpoint.split("/"):
                node = node.child(segment)
            node.ends = node.ends or operation
        for candidates in self._by_labels.values():
            candidates.sort(key=lambda candidate: sum(label.startswith("{") for label in candidate[0]))

    def find(self, method: str, hostname: str, path: str) -> Operation | None:
        """`path` is canonical (see edgeworker.messages.url), `hostname` lower case without port."""
        segments: list[str] | None = None
        root = self._exact.get((method, hostname))
        if root is not None:
            segments = path.split("/")
            found = _find(root, segments, 0)
            if found is not None:
                return found
        if not self._by_labels:
            return None
        labels = hostname.split(".")
        for pattern, node in self._by_labels.get((method, len(labels)), ()):
            if all(one.startswith("{") or one == label for one, label in zip(pattern, labels, strict=True)):
                segments = segments or path.split("/")
                found = _find(node, segments, 0)
                if found is not None:
                    return found
        return None


def _find(node: _PathNode, segments: Sequence[str], at: int) -> Operation | None:
    """Depth is bounded by the longest endpoint, and each level branches in two at most where both exist."""
    while at < len(segments):
        fixed = node.fixed.get(segments[at])
        variable = node.variable if segments[at] else None
        if fixed is not None and variable is not None:
            found = _find(fixed, segments, at + 1)
            if found is not None:
                return found
        following = variable if fixed is None or variable is not None else fixed
        if following is None:
            return None
        node = following
        at += 1
    return node.ends
