"""Shows the configuration that all files and options together make.

Secrets are masked. With --json on stdout it is one object, for programs.

examples:
  edgeworker config show
  edgeworker config show --env staging --json
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edgeworker.cli.diagnostics import show_diagnostics
from edgeworker.cli.options import add_config_options, load_options
from edgeworker.cli.output import Output
from edgeworker.cli.startup import binding_rows, route_rows, zone_rows
from edgeworker.schema.fields import HIDDEN

if TYPE_CHECKING:
    from edgeworker.config import Config, Worker


def configure(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(dest="action", metavar="show", required=True)
    show = commands.add_parser("show", help="the effective configuration, secrets masked")
    add_config_options(show)
    show.add_argument("--json", action="store_true", help="as one JSON object")


def run(options: argparse.Namespace) -> int:
    from wrangler_compat import load

    loaded = load(load_options(options))
    show_diagnostics(Output.for_stream(sys.stderr), loaded.diagnostics)
    if loaded.diagnostics.has_errors:
        return 1
    out = Output.for_stream()
    if options.json:
        out.line(json.dumps(as_plain(loaded.config), indent=2, ensure_ascii=False))
    else:
        _show(out, loaded.config)
    return 0


def as_plain(value: object) -> object:
    """`value` for JSON: dataclasses as objects with their kind, and what has no place in a repr masked."""
    match value:
        case Path():
            return str(value)
        case None | bool() | int() | float() | str():
            return value
        case Mapping():
            return {str(key): as_plain(item) for key, item in value.items()}
        case tuple() | list() | frozenset():
            return [as_plain(item) for item in value]
        case _ if is_dataclass(value):
            shown = {
                field.name: as_plain(getattr(value, field.name)) if field.repr else HIDDEN for field in fields(value)
            }
            return {"kind": type(value).__name__, **shown}
        case _:
            return str(value)


def _settings(config: "Config") -> Iterator[list[str]]:
    """What edge.toml sets to something else than the default."""
    from edgeworker.schema.describe import describe_values

    tables: list[tuple[str, object]] = [
        ("tls", config.tls),
        ("kv", config.kv),
        ("outbound", config.outbound),
        ("cf", config.cf),
        ("limits", config.limits),
        *((type(product).__name__, product) for product in config.products),
        *((f"{zone.name}: {type(product).__name__}", product) for zone in config.zones for product in zone.products),
    ]
    for name, table in tables:
        for key, value in describe_values(table):
            yield [name, key, value]


def _script_text(worker: "Worker") -> str:
    texts = [] if worker.main is None else [f"{worker.main}"]
    if worker.is_default_script:
        texts.append("(the split-token script)")
    if worker.assets is not None:
        texts.append(f"assets: {worker.assets.directory}")
    return " ".join(texts)


def _show(out: Output, config: "Config") -> None:
    default_worker = config.default_worker or "(none)"
    rows = [
        ["listens on", f"{config.edge_socket.host}:{config.edge_socket.port}"],
        ["REST API", f"{config.api_socket.host}:{config.api_socket.port}"],
        ["account", config.account_id],
        ["origin", config.origin or "(none)"],
        ["default worker", f"{default_worker}{' (every host)' if config.default_on_every_host else ''}"],
        ["KV", f"{config.kv.consistency} consistency, {config.kv.durability or 'normal'} durability"],
        ["files", ", ".join(str(file) for file in config.files) or "(none)"],
    ]
    out.table(["setting", "value"], rows)
    workers = [
        [
            worker.name,
            _script_text(worker),
            worker.compatibility_date or "",
            " ".join(worker.compatibility_flags),
            ", ".join(worker.crons),
        ]
        for worker in config.workers
    ]
    out.table(["worker", "script", "date", "flags", "crons"], workers)
    out.table(["zone", "id", "origin"], zone_rows(config))
    out.table(["route", "worker", "zone"], route_rows(config))
    out.table(["worker", "binding", "kind", "value"], binding_rows(config))
    out.table(["table of edge.toml", "key", "value"], _settings(config))
    out.table(["KV namespace", "title"], [[namespace.id, namespace.title] for namespace in config.namespaces])
