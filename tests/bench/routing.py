"""Microseconds of one routing decision, for small and large tables: `uv run python -m tests.bench.routing`."""

import timeit
from collections.abc import Callable
from functools import partial
from pathlib import Path

from edgeworker.config import Config, Route, Worker, Zone
from edgeworker.messages import URL
from edgeworker.routing import Resolver, RouteTable, parse_pattern


def hosts(count: int) -> list[Route]:
    """Each route has a host of its own, but for one wildcard."""
    return [Route(f"host{number}.example.com/api/*", "w") for number in range(count - 1)] + [
        Route("*.example.com/*", "w")
    ]


def paths(count: int) -> list[Route]:
    """All routes are of one host."""
    return [Route(f"www.example.com/section{number}/*", "w") for number in range(count - 1)] + [
        Route("*example.com/*", "w")
    ]


def suffixes(count: int) -> list[Route]:
    """All routes have a wildcard in the host."""
    return [Route(f"*.customer{number}.example.com/*", "w") for number in range(count)]


def by_definition(routes: list[Route]) -> Callable[[URL], Route | None]:
    """The sorted list that the definition speaks of, walked from its start."""
    ranked = sorted(((parse_pattern(route.pattern), route) for route in routes), key=lambda pair: pair[0].rank)
    return lambda url: next((route for pattern, route in ranked if pattern.mismatch(url) is None), None)


def microseconds(call: Callable[[], object]) -> float:
    timer = timeit.Timer(call)
    number, _ = timer.autorange()
    return min(timer.repeat(3, number)) / number * 1e6


def main() -> None:
    print(f"{'table':<10}{'routes':>7}  {'URL':<42}{'definition':>12}{'table':>9}{'resolver':>10}   (µs)")
    for make, addresses in (
        (hosts, ("http://host7.example.com/api/x", "http://other.example.com/x", "http://nowhere.test/")),
        (paths, ("http://www.example.com/section7/x", "http://www.example.com/other", "http://nowhere.test/")),
        (suffixes, ("http://a.customer7.example.com/x", "http://www.example.com/other", "http://nowhere.test/")),
    ):
        for count in (21, 1000):
            routes = make(count)
            table, plain = RouteTable(routes), by_definition(routes)
            resolver = Resolver(
                Config(workers=(Worker("w", Path("/w.py")),), zones=(Zone("example.com", "z"),), routes=tuple(routes))
            )
            for address in addresses:
                url = URL.parse(address)
                if table.match(url) != plain(url):
                    raise SystemExit(f"{address}: the table and the definition disagree")
                columns = [f"{make.__name__:<10}{count:>7}  {address:<42}"]
                for width, function in ((12, plain), (9, table.match), (10, resolver.resolve)):
                    columns.append(f"{microseconds(partial(function, url)):>{width}.1f}")
                print("".join(columns))


if __name__ == "__main__":
    main()
