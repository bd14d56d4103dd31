"""Which application a URL belongs to: hosts and paths with wildcards, the most specific one alone. Pure.

An application without a wildcard in its path also covers what lies below ("/eng" covers "/eng/x" and not "/engine"),
unless a more specific one does; nothing is inherited from the broader one then. A "*" in a host stays within its label,
a "*" in a path may span segments.

Source: https://developers.cloudflare.com/cloudflare-one/access-controls/policies/app-paths/
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from edgeworker.products.access.config import Application, PublicDestination, WorkerDestination


@dataclass(frozen=True, slots=True)
class Match:
    """`uri` is the destination as it was configured, wildcards kept."""

    application: Application
    uri: str
    by_worker: bool = False


@dataclass(frozen=True, slots=True)
class _Pattern:
    match: Match
    host: str
    path: str
    path_regex: re.Pattern[str] | None  # None: a literal path, or the whole host

    def covers_path(self, path: str) -> bool:
        if self.path_regex is not None:
            return self.path_regex.fullmatch(path) is not None
        return not self.path or path == self.path or path.startswith(self.path + "/")


def _rank(pattern: _Pattern) -> tuple[int, int, int, int]:
    """Sorts the winner first: an exact host, the longer host, the longer path, fewer wildcards in it."""
    host, path = pattern.host, pattern.path
    return (host.count("*"), -len(host.replace("*", "")), -len(path.replace("*", "")), path.count("*"))


class ApplicationIndex:
    """Applications by host and by worker. Immutable."""

    def __init__(self, applications: Iterable[Application]) -> None:
        self.applications = tuple(applications)
        self._by_host: dict[str, list[_Pattern]] = {}
        self._wildcards: list[tuple[re.Pattern[str], _Pattern]] = []
        self._by_worker: dict[str, Match] = {}
        self._previews: dict[str, Match] = {}
        self._account_wide: dict[str, Match] = {}
        for application in self.applications:
            self._add(application)
        for patterns in self._by_host.values():
            patterns.sort(key=_rank)
        self._wildcards.sort(key=lambda pair: _rank(pair[1]))

    def _add(self, application: Application) -> None:
        if application.type == "saas":
            return
        for destination in application.destinations:
            match destination:
                case PublicDestination(host):
                    pattern = _compile_pattern(application, destination)
                    if "*" in host:
                        self._wildcards.append((_compile_host(host), pattern))
                    else:
                        self._by_host.setdefault(host, []).append(pattern)
                case WorkerDestination(None, previews):
                    kind = "all_preview_workers" if previews else "all_workers"
                    self._account_wide.setdefault(kind, Match(application, kind, True))
                case WorkerDestination(worker, previews):
                    kind, table = ("preview_worker", self._previews) if previews else ("worker", self._by_worker)
                    table.setdefault(str(worker), Match(application, f"{kind} {worker}", True))

    @property
    def has_workers(self) -> bool:
        """Whether it matters which worker answers."""
        return bool(self._by_worker or self._previews or self._account_wide)

    def match(self, host: str, path: str) -> Match | None:
        """By host and path alone. Both are canonical, as in a `URL`."""
        for pattern in self._by_host.get(host, ()):
            if pattern.covers_path(path):
                return pattern.match
        for regex, pattern in self._wildcards:
            if regex.fullmatch(host) is not None and pattern.covers_path(path):
                return pattern.match
        return None

    def match_worker(self, ids: Iterable[str], *, preview: bool = False) -> Match | None:
        """Of what is configured on workers. `ids` are the worker's tag and its name."""
        ids = tuple(ids)
        tables = (self._previews, self._by_worker) if preview else (self._by_worker,)
        for table in tables:
            for identifier in ids:
                if identifier in table:
                    return table[identifier]
        previews = self._account_wide.get("all_preview_workers") if preview else None
        return previews or self._account_wide.get("all_workers")

    def knows_host(self, host: str) -> bool:
        """Whether some application has a path on this host."""
        return host in self._by_host or any(regex.fullmatch(host) for regex, _ in self._wildcards)

    def at_host(self, host: str) -> Iterator[Application]:
        """Those that have some path on this host, the most specific first."""
        yield from (pattern.match.application for pattern in self._by_host.get(host, ()))
        yield from (pattern.match.application for regex, pattern in self._wildcards if regex.fullmatch(host))

    def by_aud(self, aud: str) -> Application | None:
        return next((application for application in self.applications if application.aud == aud), None)

    def shadowed(self) -> list[tuple[_Pattern, _Pattern]]:
        """(an unreachable destination, the one that takes everything of it): the same host and path twice."""
        found: list[tuple[_Pattern, _Pattern]] = []
        seen: dict[tuple[str, str], _Pattern] = {}
        for patterns in (*self._by_host.values(), [pattern for _, pattern in self._wildcards]):
            for pattern in patterns:
                key = (pattern.host, pattern.path.removesuffix("*").removesuffix("/"))
                first = seen.setdefault(key, pattern)
                if first is not pattern and first.match.application is not pattern.match.application:
                    found.append((pattern, first))
        return found


def _compile_pattern(application: Application, destination: PublicDestination) -> _Pattern:
    host, path = destination.host, destination.path
    match = Match(application, destination.uri)
    if path in ("", "/*", "/"):
        return _Pattern(match, host, "", None)
    if "*" not in path:
        return _Pattern(match, host, path.removesuffix("/"), None)
    text = ".*".join(re.escape(part) for part in path.split("*"))
    return _Pattern(match, host, path, re.compile(text if path.endswith("*") else f"{text}(?:/.*)?", re.DOTALL))


_WHOLE_LABEL: Final = "[^.]+"


def _compile_host(host: str) -> re.Pattern[str]:
    labels = [
        _WHOLE_LABEL if label == "*" else "[^.]*".join(re.escape(part) for part in label.split("*"))
        for label in host.split(".")
    ]
    return re.compile(r"\.".join(labels))
