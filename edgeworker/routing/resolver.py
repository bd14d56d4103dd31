"""From a URL to what answers it: routes, then custom domains, workers.dev, the default worker, the origin. Pure.

Sources: https://developers.cloudflare.com/workers/configuration/routing/ (routes run before a custom domain, whose
worker is the origin of its host). The default worker is this program's own idea.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from edgeworker.balancing.settings import LoadBalancer
from edgeworker.config import Config, Route, Zone
from edgeworker.errors import ConfigError
from edgeworker.messages import URL, NameTable
from edgeworker.messages.hosts import canonical_host, is_loopback, is_within
from edgeworker.routing.developer_hosts import is_developer_host
from edgeworker.routing.pattern import Identity, Pattern, parse_pattern
from edgeworker.routing.table import RouteTable, Verdict
from edgeworker.routing.zones import Zones, origin_of

MatchedBy = Literal["route", "custom domain", "workers.dev", "default worker"]


@dataclass(frozen=True, slots=True)
class RunWorker:
    """`zone` is where the worker's own `fetch(request)` finds its origin. `route` is the one that won, if one did."""

    worker: str
    matched_by: MatchedBy
    zone: Zone | None
    route: Route | None = None


@dataclass(frozen=True, slots=True)
class ToOrigin:
    """`origin` is the base URL of the server to ask, or the load balancer of several; None: none is configured.

    `route` is the route without a worker that won, or None: nothing took the request.
    """

    zone: Zone | None
    origin: str | LoadBalancer | None
    route: Route | None = None

    @property
    def why(self) -> str:
        if self.route is not None:
            return f'route "{self.route.pattern}" runs no worker'
        if self.zone is not None:
            return f'no route of zone "{self.zone.name}" matches'
        return "no route matches, and the host belongs to no zone"


Resolution = RunWorker | ToOrigin


@dataclass(frozen=True, slots=True)
class ExplanationStep:
    """One place where an answer was looked for. The last step of an Explanation is the one that had it."""

    place: Literal["zone", "routes", "custom domains", "workers.dev", "default worker", "origin"]
    found: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why `url` goes where it goes. `elsewhere` has the routes that were not asked: they are of other zones."""

    url: URL
    verdicts: tuple[Verdict, ...]
    elsewhere: tuple[Route, ...]
    steps: tuple[ExplanationStep, ...]
    resolution: Resolution


class Resolver:
    """Answers for one Config."""

    __slots__ = (
        "_behind",
        "_by_route",
        "_config",
        "_custom_domains",
        "_has_customers",
        "_no_zone",
        "_product_hosts",
        "_routes",
        "_tables",
        "_unrouted",
        "_workers_dev",
        "zones",
    )

    def __init__(self, config: Config) -> None:
        """Raises ConfigError for the first invalid zone, route or domain."""
        self._config = config
        self.zones = Zones(config.zones)
        workers = {worker.name for worker in config.workers}
        self._routes = tuple(_checked_route(route, self.zones, workers) for route in config.routes)
        self._tables = {
            zone.name: RouteTable([route for route in self._routes if route.zone in (None, zone.name)])
            for zone in self.zones
        }
        self._product_hosts = frozenset(_product_hosts(config))
        without_zone = _routes_of_no_zone(self._routes)
        self._no_zone = RouteTable(without_zone)
        self._has_customers = any(route.zone is not None for route in without_zone)
        self._custom_domains = _custom_domains(config, self.zones, workers)
        self._workers_dev = {
            f"{worker.name}.{config.workers_dev_subdomain}.workers.dev".lower(): worker.name
            for worker in config.workers
            if worker.workers_dev
        }
        # A resolution is a value, so those of a host that is asked for again and again are made once.
        self._unrouted: NameTable[str, Resolution] = NameTable(lambda host: self._by_host(host, self.zones.of(host)))
        self._behind: NameTable[str, Resolution] = NameTable(lambda host: self._find_origin(host, self.zones.of(host)))
        self._by_route: dict[tuple[int, str | None], RunWorker] = {}
        if config.default_worker is not None and config.default_worker not in workers:
            raise ConfigError(f'The default worker "{config.default_worker}" does not exist; {_known(workers)}')

    def resolve(self, url: URL) -> Resolution:
        """What answers a request from outside."""
        host = url.hostname.removesuffix(".")
        zone = self.zones.of(host)
        route = self._table(zone).match(url)
        if route is None:
            return self._unrouted[host]
        if route.worker is not None:
            # Routes live as long as the resolver, so their identities are theirs alone.
            key = (id(route), None if zone is None else zone.name)
            found = self._by_route.get(key)
            if found is None:
                found = self._by_route[key] = RunWorker(route.worker, "route", self._owner(route, zone), route)
            return found
        owner = self._owner(route, zone)
        # The route says that no worker stands before the origin; a custom domain's worker is the origin.
        return self._custom_domain(host, owner, route) or self._origin(host, owner, route)

    def serving_zone(self, url: URL) -> Zone | None:
        """The zone whose products a request meets: that of its host, else the one that serves it for a customer."""
        zone = self.zones.of(url.hostname.removesuffix("."))
        if zone is None and self._has_customers:
            route = self._no_zone.match(url)
            return None if route is None else self._owner(route, None)
        return zone

    def resolve_origin(self, url: URL, zone: Zone | None) -> Resolution:
        """Where the `fetch(request)` of a worker goes that a route of `zone` runs: routes are not asked again.

        That is the worker of a custom domain, else the origin.
        """
        host = url.hostname.removesuffix(".")
        # The zone is another one than the host's where a customer's host is served.
        return self._behind[host] if zone is self.zones.of(host) else self._find_origin(host, zone)

    def is_served(self, host: str) -> bool:
        """Whether the whole host is of this edge: of a zone, of a worker (as a custom domain or by its workers.dev
        name), or of a product.
        """
        return (
            host in self._custom_domains
            or host in self._workers_dev
            or host in self._product_hosts
            or self.zones.of(host) is not None
        )

    def explain(self, url: URL) -> Explanation:
        """What `resolve` answers, and why nothing else."""
        host = url.hostname.removesuffix(".")
        zone = self.zones.of(host)
        table = self._table(zone)
        asked = {id(route) for route, _ in table.ranked}
        resolution = self.resolve(url)
        return Explanation(
            url,
            tuple(table.explain(url)),
            tuple(route for route in self._routes if id(route) not in asked),
            tuple(self._steps(host, zone, table.match(url), resolution)),
            resolution,
        )

    @property
    def workers_dev(self) -> Mapping[str, str]:
        """Worker by its host on workers.dev."""
        return self._workers_dev

    @property
    def routes(self) -> tuple[Route, ...]:
        """As configured, with the names of zones in canonical form."""
        return self._routes

    def _table(self, zone: Zone | None) -> RouteTable:
        return self._no_zone if zone is None else self._tables[zone.name]

    def _owner(self, route: Route, zone: Zone | None) -> Zone | None:
        # A customer's host is of no zone here; the route that takes it says which zone it is served by.
        return self.zones.named(route.zone) if zone is None and route.zone is not None else zone

    def _find_origin(self, host: str, zone: Zone | None) -> Resolution:
        return self._custom_domain(host, zone) or self._origin(host, zone)

    def _by_host(self, host: str, zone: Zone | None) -> Resolution:
        custom_domain = self._custom_domain(host, zone)
        if custom_domain is not None:
            return custom_domain
        worker = self._workers_dev.get(host)
        if worker is not None:
            return RunWorker(worker, "workers.dev", zone)
        default = self._config.default_worker
        if default is not None and (self._config.default_on_every_host or is_developer_host(host, self._config)):
            return RunWorker(default, "default worker", zone)
        return self._origin(host, zone)

    def _custom_domain(self, host: str, zone: Zone | None, route: Route | None = None) -> RunWorker | None:
        worker = self._custom_domains.get(host)
        return None if worker is None else RunWorker(worker, "custom domain", zone, route)

    def _origin(self, host: str, zone: Zone | None, route: Route | None = None) -> ToOrigin:
        return ToOrigin(zone, origin_of(zone, host, self._config.origin), route)

    def _steps(
        self, host: str, zone: Zone | None, winner: Route | None, resolution: Resolution
    ) -> list[ExplanationStep]:
        steps = [
            ExplanationStep("zone", f'"{host}" belongs to ' + ("no zone" if zone is None else f'zone "{zone.name}"'))
        ]
        matched_by = resolution.matched_by if isinstance(resolution, RunWorker) else "origin"
        if winner is None:
            steps.append(ExplanationStep("routes", "none matches"))
        else:
            runs = "no worker" if winner.worker is None else f'worker "{winner.worker}"'
            steps.append(ExplanationStep("routes", f'"{winner.pattern}" wins and runs {runs}'))
        if matched_by == "route":
            return steps
        owner = self._custom_domains.get(host)
        steps.append(
            ExplanationStep(
                "custom domains", f'"{host}" is ' + ("none" if owner is None else f'one of worker "{owner}"')
            )
        )
        if matched_by == "custom domain":
            return steps
        if winner is None:
            steps.append(ExplanationStep("workers.dev", self._on_workers_dev(host)))
            if matched_by == "workers.dev":
                return steps
            steps.append(ExplanationStep("default worker", self._on_default(host)))
            if matched_by == "default worker":
                return steps
        origin = resolution.origin if isinstance(resolution, ToOrigin) else None
        steps.append(ExplanationStep("origin", "none is configured for this host" if origin is None else str(origin)))
        return steps

    def _on_workers_dev(self, host: str) -> str:
        worker = self._workers_dev.get(host)
        if worker is not None:
            return f'the name of worker "{worker}"'
        return f"no worker's name; those are <worker>.{self._config.workers_dev_subdomain}.workers.dev"

    def _on_default(self, host: str) -> str:
        default = self._config.default_worker
        if default is None:
            return "none is configured"
        if self._config.default_on_every_host:
            return f'worker "{default}", on every host'
        if is_loopback(host):
            return f'worker "{default}", for localhost and loopback addresses'
        if is_developer_host(host, self._config):
            return f'worker "{default}", for addresses and names of this machine'
        return f'worker "{default}" is for localhost and loopback addresses only'


def _checked_route(route: Route, zones: Zones, workers: set[str]) -> Route:
    """`route` with the canonical name of its zone."""
    pattern = parse_pattern(route.pattern, route.source)
    where = f"{route.source}: " if route.source else ""
    if route.worker is not None and route.worker not in workers:
        raise ConfigError(
            f'{where}route "{route.pattern}" runs worker "{route.worker}", which does not exist; {_known(workers)}'
        )
    if route.zone is None:
        return route
    zone = _named_zone(f'{where}route "{route.pattern}"', route.zone, zones)
    # `*shop.example.com` may end a host of either zone, of example.com and of shop.example.com.
    if not pattern.host or (pattern.any_prefix and not pattern.host.startswith(".")):
        return replace(route, zone=zone.name)
    owner = zones.of(pattern.host.removeprefix("."))
    if owner is not None and owner != zone:
        raise ConfigError(
            f'{where}route "{route.pattern}" is of zone "{zone.name}", but its host belongs to zone "{owner.name}", '
            f'so it could never match; give it zone "{owner.name}"'
        )
    return replace(route, zone=zone.name)


def _routes_of_no_zone(routes: tuple[Route, ...]) -> list[Route]:
    """The routes of no zone, and those that zones have for hosts of their customers (Cloudflare for SaaS).

    Two zones may both have `*/*`; the first one takes the hosts that no zone has.
    Source: https://developers.cloudflare.com/cloudflare-for-platforms/cloudflare-for-saas/start/advanced-settings/worker-as-origin/
    """
    taken: set[Identity] = set()
    chosen = []
    for route in routes:
        pattern = parse_pattern(route.pattern)
        if route.zone is None:
            chosen.append(route)
        elif not _stays_within(pattern, route.zone) and pattern.identity not in taken:
            taken.add(pattern.identity)
            chosen.append(route)
    return chosen


def _stays_within(pattern: Pattern, zone: str) -> bool:
    # `*example.com` matches `myexample.com` by its text, but is written for the hosts of example.com.
    return is_within(pattern.host.removeprefix("."), zone)


def _custom_domains(config: Config, zones: Zones, workers: set[str]) -> dict[str, str]:
    """Worker by canonical host."""
    found: dict[str, str] = {}
    sources: dict[str, str] = {}
    for domain in config.custom_domains:
        what = (f"{domain.source}: " if domain.source else "") + f'custom domain "{domain.hostname}"'
        if "*" in domain.hostname:
            raise ConfigError(f"{what}: wildcards (*) are not allowed in custom domains; write one host, or a route")
        if "/" in domain.hostname:
            raise ConfigError(f"{what}: paths are not allowed in custom domains; write the host alone, or a route")
        if domain.worker not in workers:
            raise ConfigError(f'{what} is of worker "{domain.worker}", which does not exist; {_known(workers)}')
        try:
            host = canonical_host(domain.hostname)
        except ConfigError as error:
            raise ConfigError(f"{what}: {error}") from error
        if domain.zone is not None and not is_within(host, _named_zone(what, domain.zone, zones).name):
            raise ConfigError(f'{what} is not in its zone "{domain.zone}"; name the zone that it is in')
        if host in found:
            raise ConfigError(f"{what} is taken already{sources[host]}; a host has one custom domain, so remove one")
        found[host] = domain.worker
        sources[host] = f' by worker "{domain.worker}"' + (f" ({domain.source})" if domain.source else "")
    return found


def _product_hosts(config: Config) -> Iterator[str]:
    for product in (*config.products, *(product for zone in config.zones for product in zone.products)):
        for host in product.hosts:
            yield canonical_host(host)


def _named_zone(what: str, name: str, zones: Zones) -> Zone:
    try:
        zone = zones.named(name)
    except ConfigError as error:
        raise ConfigError(f"{what}: zone {error}") from error
    if zone is None:
        names = ", ".join(f'"{zone.name}"' for zone in zones)
        raise ConfigError(
            f'{what}: there is no zone "{name}"; ' + (f"there are {names}" if names else "there are none")
        )
    return zone


def _known(workers: set[str]) -> str:
    names = ", ".join(f'"{name}"' for name in sorted(workers))
    return f"there are {names}" if names else "there are none"
