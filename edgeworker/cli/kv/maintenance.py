"""`kv stats`, `kv backup` and `kv restore`: a data directory as a whole."""

import argparse
from typing import TYPE_CHECKING

from edgeworker.cli.kv.ask import confirm, is_terminal
from edgeworker.cli.kv.target import existing_database
from edgeworker.errors import StoreError

if TYPE_CHECKING:
    from edgeworker.cli.output import Output
    from edgeworker.clock import Clock


def run_stats(options: argparse.Namespace, out: "Output", clock: "Clock") -> int:
    from edgeworker.kv.sqlite.stats import stats

    found = stats(existing_database(options.persist_to), now=clock.now())
    out.table(
        ("namespace", "title", "keys", "bytes of values", "with expiry", "expired, not removed yet"),
        [
            (each.id, each.title, f"{each.keys:,}", f"{each.value_bytes:,}", f"{each.expiring:,}", f"{each.expired:,}")
            for each in found.namespaces
        ],
    )
    out.line(f"database {found.file_bytes:,} bytes, write-ahead log {found.log_bytes:,} bytes")
    return 0


def run_backup(options: argparse.Namespace, out: "Output") -> int:
    from edgeworker.host.backup import backup_directory

    if str(options.file) == "-":
        raise StoreError('"-" is not a file that a backup can be written to: name one, such as edge.backup')
    existing_database(options.persist_to)
    size = backup_directory(options.persist_to, options.file, keys=options.keys)
    out.ok(f"{options.file}: {size:,} bytes")
    keys = ", the keys" if options.keys else ""
    what = f"KV, the named tokens, published workers, the products' records{keys} and the API token"
    out.note(f"It holds {what}: keep it where no one else reads it.")
    return 0


def run_restore(options: argparse.Namespace, out: "Output") -> int:
    from edgeworker.host.backup import existing_files, restore_directory
    from edgeworker.host.datadir import DataDir

    if not options.file.is_file():
        raise StoreError(f"{options.file}: there is no such file")
    data = DataDir.open(options.persist_to).path
    there = ", ".join(existing_files(data))
    if there and not options.force:
        if not is_terminal():
            raise StoreError(f"{data} has {there} already; --force replaces what is there")
        if not confirm(f"Replace {there} in {data}?"):
            out.line("Not restoring.")
            return 0
    written = restore_directory(options.file, data)
    out.ok(f"{data} is what {options.file} holds: {', '.join(written)}")
    return 0
