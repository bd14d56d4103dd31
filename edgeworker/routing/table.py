"""The routes of one zone in the order in which they win. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from edgeworker.config import Route
from edgeworker.errors import ConfigError
from edgeworker.messages import URL
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
    because: Mismatch


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one route for one URL."""

    route: Route
    pattern: Pattern
    outcome: Won | LostTo | NoMatch


@dataclass(frozen=True, slots=True)
class _Entry:
    rank: int
    route: Route
    pattern: Pattern


class RouteTable:
    """Routes, ranked; a route without a worker takes part like any other."""

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
        self._by_host = by_host
        self._by_suffix = by_suffix
        self._suffix_lengths = tuple(sorted({len(suffix) for suffix in by_suffix}))

    @property
    def ranked(self) -> tuple[tuple[Route, Pattern], ...]:
        """The winner over all others first."""
        return tuple((entry.route, entry.pattern) for entry in self._ranked)

    def match(self, url: URL) -> Route | None:
        """The route that wins, whether or not it has a worker, or None if no pattern matches."""
        host = url.hostname.removesuffix(".")
        best = _first(self._by_host.get(host, ()), url, None)
        size = len(host)
        for length in self._suffix_lengths:
            if length > size:
                break
            best = _first(self._by_suffix.get(host[size - length :], ()), url, best)
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


def _first(entries: Iterable[_Entry], url: URL, best: _Entry | None) -> _Entry | None:
    """The first of `entries` (all of which match by host) that matches and ranks before `best`, else `best`."""
    target = url.path + url.query
    for entry in entries:
        if best is not None and best.rank < entry.rank:
            return best
        pattern = entry.pattern
        if pattern.scheme is not None and pattern.scheme != url.scheme:
            continue
        if target.startswith(pattern.path) if pattern.any_path else target == pattern.path:
            return entry
    return best


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
