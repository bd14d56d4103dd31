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

# What writes may find a data directory without a database; what only reads says that there is none.
_MAKES_A_DATABASE = {("key", "put"), ("bulk", "put"), ("namespace", "create"), ("import", None)}


def configure(parser: argparse.ArgumentParser) -> None:
    from edgeworker.cli.kv import bulk, keys, maintenance, spaces, transfer, view

    commands = parser.add_subparsers(dest="kv_command", metavar="ACTION", required=True)
    for name, configure_command, text in (
        ("namespace", spaces.configure, "create, list, rename or delete namespaces"),
        ("key", keys.configure, "put, get, list or delete keys"),
        ("bulk", bulk.configure, "put, get or delete many keys"),
        ("view", view.configure, "what is in a namespace"),
        ("export", transfer.configure_export, "a namespace as JSON lines"),
        ("import", transfer.configure_import, "JSON lines, or what wrangler kept, into a namespace"),
        ("stats", maintenance.configure_stats, "how much is in each namespace"),
        ("backup", maintenance.configure_backup, "a copy of the whole database, also while the edge runs"),
        ("restore", maintenance.configure_restore, "a backup in place of the whole database"),
    ):
        configure_command(commands.add_parser(name, help=text, description=text))


def run(options: argparse.Namespace) -> int:
    import asyncio

    from edgeworker.cli.kv import maintenance
    from edgeworker.cli.output import Output
    from edgeworker.clock import SystemClock

    out, clock = Output.for_stream(), SystemClock()
    match options.kv_command:
        case "stats":
            return maintenance.run_stats(options, out, clock)
        case "backup":
            return maintenance.run_backup(options, out)
        case "restore":
            return maintenance.run_restore(options, out)
        case _:
            return asyncio.run(_run_in_place(options))


async def _run_in_place(options: argparse.Namespace) -> int:
    import sys

    from edgeworker.cli.kv import bulk, keys, spaces, transfer, view
    from edgeworker.cli.kv.choose import open_place
    from edgeworker.cli.output import Output
    from edgeworker.clock import SystemClock

    out, err, clock = Output.for_stream(), Output.for_stream(sys.stderr), SystemClock()
    makes = (options.kv_command, getattr(options, "action", None)) in _MAKES_A_DATABASE
    place = open_place(options, clock, make=makes)
    try:
        match options.kv_command:
            case "namespace":
                return await spaces.run(place, options, out)
            case "key":
                return await keys.run(place, options, out)
            case "bulk":
                return await bulk.run(place, options, out)
            case "view":
                return await view.run(place, options, out, clock)
            case "export":
                return await transfer.run_export(place, options, err)
            case _:
                return await transfer.run_import(place, options, err, clock)
    finally:
        await place.close()
