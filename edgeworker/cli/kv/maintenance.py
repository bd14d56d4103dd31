"""`kv stats`, `kv backup` and `kv restore`: the database of a data directory as a whole."""

import argparse
from typing import TYPE_CHECKING

from edgeworker.cli.kv.ask import confirmed
from edgeworker.cli.kv.place import KV_FILE, existing_database
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
    from edgeworker.kv.sqlite.backup import backup

    size = backup(existing_database(options.persist_to), options.file)
    out.ok(f"{options.file}: {size:,} bytes")
    return 0


def run_restore(options: argparse.Namespace, out: "Output") -> int:
    from edgeworker.host.datadir import DataDir
    from edgeworker.kv.sqlite.backup import restore

    if not options.file.is_file():
        raise StoreError(f"{options.file}: there is no such file")
    target = DataDir.open(options.persist_to).path / KV_FILE
    if target.exists() and not options.force and not confirmed(f"Replace all KV in {target}?"):
        out.line("Not restoring.")
        return 0
    restore(options.file, target)
    out.ok(f"{target} is what {options.file} holds")
    return 0
