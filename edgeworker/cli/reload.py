"""Reloads a running `serve` and waits until it has: configuration, scripts and certificates.

It sends SIGHUP to the first process of the edge that has the data directory, as that edge's user or as root. The exit
status is 1 where the new configuration was refused and the one before serves on; the edge's log says why.

examples:
  edgeworker reload --persist-to /var/lib/edgeworker
  systemctl reload edgeworker                    this command, where the unit is that of `serve --print-unit`
  docker exec NAME edgeworker reload --persist-to /var/lib/edgeworker
"""

import argparse
import os
import signal
import sys
import time
from pathlib import Path
from typing import Final

from edgeworker.cli.output import Output
from edgeworker.errors import StoreError

_LOOK_EVERY_SECONDS: Final = 0.05
# A trial and a reload have two minutes each, and both may wait for those that an earlier signal began.
_LONGEST_SECONDS: Final = 480


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--persist-to",
        type=Path,
        metavar="DIR",
        help="the data directory of the edge (default: $STATE_DIRECTORY, else .edgeworker)",
    )


def run(options: argparse.Namespace) -> int:
    """Raises StoreError where no edge runs, or it does not answer."""
    from edgeworker.files import is_running
    from edgeworker.host.data_lock import find_holder
    from edgeworker.host.reload_outcome import read_reload_outcome

    data = options.persist_to or Path(os.environ.get("STATE_DIRECTORY", "").split(":")[0] or ".edgeworker")
    process = find_holder(data)
    if process is None:
        raise StoreError(f"{data}: no edge serves from this data directory; name that of `serve` with --persist-to")
    tells_outcome = read_reload_outcome(data) is not None
    asked_at = time.monotonic_ns()
    try:
        os.kill(process, signal.SIGHUP)
    except OSError as error:
        raise StoreError(
            f"process {process}, which serves from {data}, cannot be signalled: {error.strerror}"
        ) from error
    out = Output.for_stream(sys.stdout)
    if not tells_outcome:
        out.ok(f"process {process} was told to reload; it is an older edgeworker, whose log says how that ends")
        return 0
    until = time.monotonic() + _LONGEST_SECONDS
    while time.monotonic() < until:
        outcome = read_reload_outcome(data)
        if outcome is not None and outcome.began_at >= asked_at:
            if outcome.is_refused:
                Output.for_stream(sys.stderr).error(f"{outcome.text}; the edge's log says why")
                return 1
            out.ok(outcome.text)
            return 0
        if not is_running(process):
            raise StoreError(f"process {process} ended before it had reloaded; its log says why")
        time.sleep(_LOOK_EVERY_SECONDS)
    raise StoreError(f"process {process} has not reloaded within {_LONGEST_SECONDS} s; its log says how far it is")
