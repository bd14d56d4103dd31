"""The zones that have API Shield, with what was made over the API."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from edgeworker.cli.diagnostics import show_warnings
from edgeworker.cli.options import load_options
from edgeworker.cli.output import Output
from edgeworker.clock import SystemClock
from edgeworker.config import Config, Zone
from edgeworker.errors import ConfigError
from edgeworker.host.datadir import DataDir
from edgeworker.products.api_shield.config import ShieldConfig
from edgeworker.products.api_shield.operations import Operation
from edgeworker.products.api_shield.tables import shield_of
from edgeworker.products.api_shield.zone_objects import DOCUMENTS, ZoneObjects, merge
from edgeworker.state import SQLiteState


@dataclass(frozen=True, slots=True)
class ShieldZone:
    zone: Zone
    shield: ShieldConfig


def load_config(options: argparse.Namespace, *, warn: bool) -> Config:
    """Raises ConfigError."""
    from wrangler_compat import load

    loaded = load(load_options(options))
    config = loaded.require()
    if warn:
        show_warnings(Output.for_stream(sys.stderr), loaded.diagnostics)
    return config


def load_zones(config: Config, options: argparse.Namespace) -> list[ShieldZone]:
    """Those that `--zone` names, or all. Raises ConfigError if there is none."""
    found = [
        (zone, shield)
        for zone in config.zones
        if options.zone in (None, zone.name) and (shield := shield_of(zone)) is not None
    ]
    if not found:
        named = "" if options.zone is None else f" {options.zone}"
        raise ConfigError(f"There is no zone{named} with API Shield; add [zones.api_shield] to it in edge.toml.")
    if not options.persist_to.is_dir():
        return [ShieldZone(zone, shield) for zone, shield in found]
    return asyncio.run(_add_stored(found, options))


def one_zone(zones: Sequence[ShieldZone], hostname: str | None = None) -> ShieldZone:
    """The only one, or the one that the host belongs to. Raises ConfigError."""
    if hostname is not None:
        fitting = [one for one in zones if hostname == one.zone.name or hostname.endswith(f".{one.zone.name}")]
        if not fitting:
            names = ", ".join(one.zone.name for one in zones)
            raise ConfigError(f"{hostname} belongs to no zone with API Shield; there are: {names}.")
        return max(fitting, key=lambda one: len(one.zone.name))
    if len(zones) > 1:
        names = ", ".join(one.zone.name for one in zones)
        raise ConfigError(f"Several zones have API Shield ({names}); name one: --zone {zones[0].zone.name}.")
    return zones[0]


async def _add_stored(found: Sequence[tuple[Zone, ShieldConfig]], options: argparse.Namespace) -> list[ShieldZone]:
    async with SQLiteState(options.persist_to, SystemClock()) as state:
        documents = state.documents(DOCUMENTS)
        return [ShieldZone(zone, merge(shield, await ZoneObjects(documents, zone.id).load())) for zone, shield in found]


async def store_operations(zone: Zone, operations: Sequence[Operation], options: argparse.Namespace) -> None:
    async with SQLiteState(DataDir.open(options.persist_to).path, SystemClock()) as state:
        await ZoneObjects(state.documents(DOCUMENTS), zone.id).put_operations(operations)
