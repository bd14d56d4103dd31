"""Which zone a written route belongs to, and which zones there are at all. Pure.

A zone is named by `zone_name`, or by `zone_id`; the zone of any other route is the declared one that its host is in,
else the registrable domain of the host, as `wrangler deploy` finds it by asking for the zones of the account.
"""

from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING

from edgeworker.config import Zone
from edgeworker.errors import ConfigError
from edgeworker.messages.hosts import is_address
from edgeworker.routing import Zones, canonical_host, parse_pattern
from edgeworker.schema.diagnostics import Diagnostics
from edgeworker.schema.ids import made_up
from wrangler_compat.config import ParsedWorker, WrittenRoute

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList


@cache
def _suffixes() -> "PublicSuffixList":
    # Loading the list takes a while, and most configurations name their zones or have none.
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList()


def registrable_domain(host: str) -> str | None:
    """`example.co.uk` of `a.b.example.co.uk`; None for an address, a name without dots and a public suffix itself."""
    if not host or "." not in host or is_address(host):
        return None
    domain = _suffixes().privatesuffix(host)
    return domain if isinstance(domain, str) else None


class ZoneFinder:
    """Collects the zones of one edge: first those that are declared or named, then those of the other routes."""

    def __init__(self, declared: Iterable[Zone], diagnostics: Diagnostics) -> None:
        self._diagnostics = diagnostics
        self._zones: dict[str, Zone] = {}
        for zone in declared:
            try:
                (canonical,) = Zones([zone])
                Zones([*self._zones.values(), zone])
            except ConfigError as error:
                diagnostics.error(str(error))
                continue
            self._zones[canonical.name] = canonical
        self._declared = frozenset(self._zones)

    def learn(self, parsed: ParsedWorker) -> None:
        """Adds the zones that the routes of `parsed` name. Call it for all workers before `zone_of`."""
        for route in parsed.routes:
            if route.zone_name is None:
                continue
            try:
                name = canonical_host(route.zone_name)
            except ConfigError as error:
                self._diagnostics.error(f"zone_name {error}", route.location)
                continue
            self._add(name, None, route)

    def zone_of(self, route: WrittenRoute, default_zone_id: str | None) -> str | None:
        """The name of the zone of `route`, None for a host that is in none (`localhost`, an address, `*`)."""
        if route.zone_name is not None:
            return canonical_or_none(route.zone_name)
        zone_id = route.zone_id or default_zone_id
        if zone_id is not None:
            known = next((zone.name for zone in self._zones.values() if zone.id == zone_id), None)
            if known is not None and (route.zone_id is not None or self._is_in(route, known)):
                return known
        host = _host(route)
        zone = Zones(self._zones.values()).of(host) if host else None
        if zone is not None:
            return zone.name
        name = registrable_domain(host)
        if name is None:
            if route.zone_id is not None:
                self._diagnostics.warning(
                    f'The zone with the id "{route.zone_id}" is not known and cannot be guessed from '
                    f'"{route.pattern}": the route belongs to no zone. Declare the zone in edge.toml, or write '
                    '"zone_name".',
                    route.location,
                )
            return None
        self._add(name, zone_id, route)
        return name

    def _is_in(self, route: WrittenRoute, zone: str) -> bool:
        host = _host(route)
        return not host or host == zone or host.endswith(f".{zone}")

    def _add(self, name: str, zone_id: str | None, route: WrittenRoute) -> None:
        if name in self._zones:
            return
        taken = {zone.id for zone in self._zones.values()}
        identifier = zone_id if zone_id is not None and zone_id not in taken else made_up("zone", name)
        self._zones[name] = Zone(name, identifier, source=str(route.location))
        if self._declared:
            listed = ", ".join(f'"{zone}"' for zone in sorted(self._declared))
            self._diagnostics.warning(
                f'The route "{route.pattern}" is of zone "{name}", which edge.toml does not declare (it declares '
                f"{listed}): the zone has no origin of its own.",
                route.location,
            )

    def all(self) -> tuple[Zone, ...]:
        return tuple(self._zones.values())


def canonical_or_none(text: str) -> str | None:
    try:
        return canonical_host(text)
    except ConfigError:
        return None


def _host(route: WrittenRoute) -> str:
    """The host of `route` without its wildcard, canonical; "" for `*`."""
    if route.custom_domain:
        return canonical_or_none(route.pattern) or ""
    return parse_pattern(route.pattern).host.removeprefix(".")
