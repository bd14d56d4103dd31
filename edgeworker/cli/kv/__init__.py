"""Reads and writes KV: keys, namespaces, bulk, views, exports, backups.

Works on the data directory (an edge that runs on it sees each change at once), or with --api-url on the API of a
running edge. `namespace`, `key` and `bulk` have wrangler's words and options.

examples:
  edgeworker kv namespace create sessions
  edgeworker kv key put user:1 '{"name":"Ada"}' --binding SESSIONS --ttl 3600
  edgeworker kv key list --namespace-id 0f2ac74b498b48028cb68387c421e279 --prefix user:
  edgeworker kv view TOKENS                     keys, values, metadata and time left; tokens shown decoded
  edgeworker kv export TOKENS tokens.jsonl
  edgeworker kv import TOKENS .wrangler         what `wrangler dev` kept
  edgeworker kv backup kv-monday.sqlite         also while the edge runs
"""

import argparse

from edgeworker.cli.kv import options
from edgeworker.errors import ConfigError

# What writes may find a data directory without a database; what only reads says that there is none.
_MAKES_A_DATABASE = {("key", "put"), ("bulk", "put"), ("namespace", "create"), ("import", None)}


def configure(parser: argparse.ArgumentParser) -> None:
    options.configure(parser)


def run(chosen: argparse.Namespace) -> int:
    import contextlib

    if chosen.cwd is not None and not chosen.cwd.is_dir():
        raise ConfigError(f"--cwd {chosen.cwd}: there is no such folder")
    with contextlib.chdir(chosen.cwd or "."):
        return _run(chosen)


def _run(chosen: argparse.Namespace) -> int:
    import asyncio

    from edgeworker.cli.kv import maintenance
    from edgeworker.cli.output import Output
    from edgeworker.clock import SystemClock

    out, clock = Output.for_stream(), SystemClock()
    match chosen.kv_command:
        case "stats":
            return maintenance.run_stats(chosen, out, clock)
        case "backup":
            return maintenance.run_backup(chosen, out)
        case "restore":
            return maintenance.run_restore(chosen, out)
        case _:
            return asyncio.run(_run_in_place(chosen))


async def _run_in_place(chosen: argparse.Namespace) -> int:
    import sys

    from edgeworker.cli.kv import bulk, keys, spaces, transfer, view
    from edgeworker.cli.kv.choose import open_place
    from edgeworker.cli.output import Output
    from edgeworker.clock import SystemClock

    out, err, clock = Output.for_stream(), Output.for_stream(sys.stderr), SystemClock()
    makes = (chosen.kv_command, getattr(chosen, "action", None)) in _MAKES_A_DATABASE
    place = open_place(chosen, clock, make=makes)
    try:
        match chosen.kv_command:
            case "namespace":
                return await spaces.run(place, chosen, out)
            case "key":
                return await keys.run(place, chosen, out)
            case "bulk":
                return await bulk.run(place, chosen, out)
            case "view":
                return await view.run(place, chosen, out, clock)
            case "export":
                return await transfer.run_export(place, chosen, err)
            case _:
                return await transfer.run_import(place, chosen, err, clock)
    finally:
        await place.close()
