"""Which zone a host belongs to, and which server stands behind it. Pure."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import lru_cache

from edgeworker.balancing.settings import LoadBalancer
from edgeworker.config import Zone
from edgeworker.errors import ConfigError
from edgeworker.messages.hosts import canonical_host, is_within, parents


class Zones:
    """Zones by name, in canonical form. A host is of the zone with the longest name that is it or a domain above it."""

    __slots__ = ("_by_name", "of")

    def __init__(self, zones: Iterable[Zone]) -> None:
        """Raises ConfigError for two zones of one name, and for an origin of a host that is not in its zone."""
        self._by_name: dict[str, Zone] = {}
        for written in zones:
            zone = _canonical(written)
            other = self._by_name.setdefault(zone.name, zone)
            if other is not zone:
                where = f" ({other.source} and {zone.source})" if other.source and zone.source else ""
                raise ConfigError(f'Zone "{zone.name}" exists twice{where}; remove one of them')
        # Remembered, because a request asks several times. `host` is canonical, as `URL.hostname` is.
        self.of: Callable[[str], Zone | None] = lru_cache(maxsize=1024)(self._find)

    def __iter__(self) -> Iterator[Zone]:
        return iter(self._by_name.values())

    def _find(self, host: str) -> Zone | None:
        zone = self._by_name.get(host)
        if zone is not None or not self._by_name:
            return zone
        return next((self._by_name[name] for name in parents(host) if name in self._by_name), None)

    def named(self, name: str) -> Zone | None:
        """`name` as a route or a custom domain writes it. Raises ConfigError for what is not a host name."""
        return self._by_name.get(canonical_host(name))


def origin_of(zone: Zone | None, host: str, default: str | None) -> str | LoadBalancer | None:
    """The base URL of the server behind `host`, or the load balancer, or None if there is none.

    The zone's origin for exactly this host, else for the nearest "*.suffix" above it, else the zone's own, else
    `default`. `zone` is one that `Zones` gave.
    """
    if zone is None:
        return default
    if zone.load_balancers:
        return _balanced_origin(zone, host) or default
    exact = zone.origins.get(host)
    if exact is not None:
        return exact
    wildcards = (zone.origins[f"*.{name}"] for name in parents(host) if f"*.{name}" in zone.origins)
    return next(wildcards, None) or zone.origin or default


def _balanced_origin(zone: Zone, host: str) -> str | LoadBalancer | None:
    for key in (host, *(f"*.{name}" for name in parents(host)), ""):
        balancer = next((each for each in zone.load_balancers if each.host == key), None)
        found = balancer or (zone.origins.get(key) if key else zone.origin)
        if found is not None:
            return found
    return None


def _canonical(zone: Zone) -> Zone:
    where = f"{zone.source}: " if zone.source else ""
    try:
        name = canonical_host(zone.name)
        origins = {_canonical_key(host): origin for host, origin in zone.origins.items()}
        balancers = tuple(_named_balancer(balancer, name) for balancer in zone.load_balancers)
    except ConfigError as error:
        raise ConfigError(f'{where}zone "{zone.name}": {error}') from error
    for host in (*origins, *(balancer.host for balancer in balancers if balancer.host)):
        if not is_within(host.removeprefix("*."), name):
            raise ConfigError(
                f'{where}zone "{zone.name}" has an origin for "{host}", which is not in it; write "{name}", '
                f'a host that ends in ".{name}", or "*.{name}"'
            )
    hosts = [*origins, *([""] if zone.origin is not None else []), *(balancer.host for balancer in balancers)]
    for index, host in enumerate(hosts):
        if host in hosts[:index]:
            shown = f'"{host}"' if host else "every host"
            raise ConfigError(
                f'{where}zone "{zone.name}" has two origins for {shown}: write one origin or one load balancer for it'
            )
    return replace(zone, name=name, origins=origins, load_balancers=balancers)


def _named_balancer(balancer: LoadBalancer, zone: str) -> LoadBalancer:
    host = _canonical_key(balancer.host) if balancer.host else ""
    return replace(balancer, host=host, zone=zone, name=f"{zone}:{host}" if host else zone)


def _canonical_key(host: str) -> str:
    wildcard = "*." if host.startswith("*.") else ""
    return wildcard + canonical_host(host.removeprefix("*."))
