"""The routes of one zone in the order in which they win. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from edgeworker.config import Route
from edgeworker.errors import ConfigError
from edgeworker.messages import URL, canonical_path
from edgeworker.routing.pattern import Identity, Mismatch, Pattern, parse_pattern


@dataclass(frozen=True, slots=True)
class Won:
    """The most specific route that matches."""


@dataclass(frozen=True, slots=True)
class LostTo:
    """It matches, but `winner` ranks higher."""

    winner: Route


@dataclass(frozen=True, slots=True)
class NoMatch:
    """It does not match: the scheme, the host or the path differs."""

    because: Mismatch


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one route for one URL."""

    route: Route
    pattern: Pattern
    outcome: Won | LostTo | NoMatch


@dataclass(frozen=True, slots=True)
class _Entry:
    """A route whose `rank` says which one wins where several match: the lowest."""

    rank: int
    route: Route
    pattern: Pattern


class _PathIndex:
    """Entries that all match by host, found by path: the whole one, or each of its beginnings that some pattern has."""

    __slots__ = ("_by_path", "_by_prefix", "_prefix_lengths")

    def __init__(self, entries: Iterable[_Entry]) -> None:
        self._by_path: dict[str, list[_Entry]] = {}
        self._by_prefix: dict[str, list[_Entry]] = {}
        for entry in entries:
            index = self._by_prefix if entry.pattern.any_path else self._by_path
            index.setdefault(entry.pattern.matched_path, []).append(entry)
        self._prefix_lengths = tuple(sorted({len(prefix) for prefix in self._by_prefix}))

    def best(self, scheme: str, target: str, best: _Entry | None) -> _Entry | None:
        """The entry with the lowest rank that matches; `best` if that has a lower one. `target` is path and query."""
        candidates = [self._by_path.get(target)] if self._by_path else []
        size = len(target)
        for length in self._prefix_lengths:
            if length > size:
                break
            candidates.append(self._by_prefix.get(target[:length]))
        for entries in candidates:
            for entry in entries or ():
                if best is not None and best.rank < entry.rank:
                    break
                if entry.pattern.scheme is None or entry.pattern.scheme == scheme:
                    best = entry
                    break
        return best


class RouteTable:
    """Routes, ranked; a route without a worker takes part like any other.

    The number of routes hardly matters to `match`: it looks up the host, each of its ends that has a wildcard in some
    pattern, and in the same way the path (tests/bench/routing.py measures it).
    """

    __slots__ = ("_by_host", "_by_suffix", "_ranked", "_suffix_lengths")

    def __init__(self, routes: Iterable[Route]) -> None:
        """Raises ConfigError for a pattern that is refused or that another route has as well."""
        parsed = [(route, parse_pattern(route.pattern, route.source)) for route in routes]
        _refuse_twins(parsed)
        parsed.sort(key=lambda pair: pair[1].rank)
        self._ranked = tuple(_Entry(rank, route, pattern) for rank, (route, pattern) in enumerate(parsed))
        by_host: dict[str, list[_Entry]] = {}
        by_suffix: dict[str, list[_Entry]] = {}
        for entry in self._ranked:
            index = by_suffix if entry.pattern.any_prefix else by_host
            index.setdefault(entry.pattern.host, []).append(entry)
        self._by_host = {host: _PathIndex(entries) for host, entries in by_host.items()}
        self._by_suffix = {suffix: _PathIndex(entries) for suffix, entries in by_suffix.items()}
        self._suffix_lengths = tuple(sorted({len(suffix) for suffix in by_suffix}))

    @property
    def ranked(self) -> tuple[tuple[Route, Pattern], ...]:
        """The winner over all others first."""
        return tuple((entry.route, entry.pattern) for entry in self._ranked)

    def match(self, url: URL) -> Route | None:
        """The route that wins, whether or not it has a worker, or None if no pattern matches."""
        host = url.hostname.removesuffix(".")
        target = canonical_path(url.path) + url.query
        best: _Entry | None = None
        paths = self._by_host.get(host)
        if paths is not None:
            best = paths.best(url.scheme, target, best)
        size = len(host)
        for length in self._suffix_lengths:
            if length > size:
                break
            paths = self._by_suffix.get(host[size - length :])
            if paths is not None:
                best = paths.best(url.scheme, target, best)
        return None if best is None else best.route

    def explain(self, url: URL) -> list[Verdict]:
        """Every route in ranking order, and why it won or did not."""
        winner: Route | None = None
        verdicts = []
        for entry in self._ranked:
            because = entry.pattern.mismatch(url)
            outcome: Won | LostTo | NoMatch
            if because is not None:
                outcome = NoMatch(because)
            elif winner is not None:
                outcome = LostTo(winner)
            else:
                winner = entry.route
                outcome = Won()
            verdicts.append(Verdict(entry.route, entry.pattern, outcome))
        return verdicts


def _refuse_twins(parsed: Iterable[tuple[Route, Pattern]]) -> None:
    """Cloudflare refuses a route that exists (code 10020). One worker's own two spellings of it do no harm."""
    seen: dict[Identity, Route] = {}
    for route, pattern in parsed:
        twin = seen.setdefault(pattern.identity, route)
        if twin is not route and (twin.pattern == route.pattern or twin.worker != route.worker):
            raise ConfigError(
                f'The route "{route.pattern}" exists twice: {_owner(twin)} and {_owner(route)}; '
                "one URL cannot run both, so remove one of them"
            )


def _owner(route: Route) -> str:
    owner = "without a worker" if route.worker is None else f'for worker "{route.worker}"'
    spelled = f'"{route.pattern}" {owner}'
    return f"{spelled} ({route.source})" if route.source else spelled
