"""Tells why the edge refused a request or cut its answer: which rule decided, on which evidence, by the ray id.

The last refusals of `dev` and `serve` (about 2000, 2 MB) are kept in the data directory, of all processes, also after
the edge has stopped. They hold no token, no path and no address; the access log has the rest under the same ray id.

examples:
  edgeworker explain 8f2a61c09b7d4e35-LOC                     the CF-Ray of an answer, or the Ray ID of an error page
  edgeworker explain 8f2a61c09b7d4e35 --persist-to /var/lib/edgeworker
  edgeworker explain                                          the last ones
"""

import argparse
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from edgeworker.cli.output import Output
from edgeworker.errors import ConfigError
from edgeworker.rays import parse_ray

if TYPE_CHECKING:
    from edgeworker.host.refusal_ring import RecordedRefusal

_LISTED: Final = 20


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("ray", nargs="?", metavar="RAY", help="the ray id; without one, the last refusals are listed")
    parser.add_argument(
        "--persist-to",
        type=Path,
        metavar="DIR",
        help="the data directory of the edge (default: $STATE_DIRECTORY, else .edgeworker)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(options: argparse.Namespace) -> int:
    """Raises ConfigError for text that is not a ray id, StoreError where nothing was recorded."""
    from edgeworker.host.refusal_ring import recorded_refusals

    ray = None if options.ray is None else parse_ray(options.ray)
    if options.ray is not None and ray is None:
        raise ConfigError(f'"{options.ray}" is not a ray id; it looks like 8f2a61c09b7d4e35-LOC')
    data = options.persist_to or Path(os.environ.get("STATE_DIRECTORY", "").split(":")[0] or ".edgeworker")
    recorded = sorted(recorded_refusals(data), key=lambda refusal: (refusal.at, refusal.number))
    out = Output.for_stream(sys.stdout)
    if ray is None:
        _list(out, recorded[-_LISTED:], as_json=options.json)
        return 0
    found = next((refusal for refusal in reversed(recorded) if refusal.ray == ray), None)
    if found is None:
        since = f"since {_time(recorded[0].at)}" if recorded else "yet"
        Output.for_stream(sys.stderr).error(
            f"{ray} is not among the {len(recorded)} refusals that {data} has {since}. Answers below 400 are not "
            "recorded, unless they were cut; the access log has them."
        )
        return 1
    if options.json:
        print(json.dumps(found.as_json(), ensure_ascii=False))
    else:
        _show(out, found)
    return 0


def _show(out: Output, refusal: "RecordedRefusal") -> None:
    out.heading(f"{refusal.ray}  {refusal.method} {refusal.host}  ->  {refusal.status}, {_time(refusal.at)}")
    out.line(f"  decided by  {refusal.rule}")
    for number, text in enumerate(refusal.evidence):
        out.line(f"  {'because' if number == 0 else '':10}  {text}")


def _list(out: Output, refusals: "list[RecordedRefusal]", *, as_json: bool) -> None:
    if as_json:
        print(json.dumps([refusal.as_json() for refusal in refusals], ensure_ascii=False))
        return
    if not refusals:
        out.line("No request was refused yet.")
    rows = [[_time(one.at), one.ray, str(one.status), f"{one.method} {one.host}", one.rule] for one in refusals]
    out.table(["time", "ray", "status", "request", "decided by"], rows)


def _time(at: int) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S}Z"
