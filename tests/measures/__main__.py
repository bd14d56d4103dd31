"""Measures `edgeworker serve`: `uv run poe measures [PART ...]`; without a part all of them.

Each figure is compared with one of the same run, so a machine that is busy all the time disturbs little; one that
becomes busy in the middle does.
"""

import argparse
import os
import platform
import tempfile
import time
from pathlib import Path

from tests.bench.processes import allow_many_files
from tests.measures.edge import installed_program
from tests.measures.findings import Finding, table
from tests.measures.parts import PARTS, Wanted


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help=f"of {', '.join(PARTS)}; default: all")
    parser.add_argument("--program", help="the binary to measure (default: edgeworker of this Python)")
    parser.add_argument("--rate", type=int, default=300, help="requests a second (default: %(default)s)")
    parser.add_argument("--calm-seconds", type=float, default=10.0, help="of each phase that is compared")
    parser.add_argument("--soak-seconds", type=float, default=600.0, help="default: ten minutes")
    parser.add_argument("--processes", type=int, default=2, help="of reloads, publishes and soak (default: 2)")
    options = parser.parse_args()
    allow_many_files()
    program = [str(Path(options.program).resolve())] if options.program else installed_program()
    found: list[Finding] = []
    what = options.program or "edgeworker of a checkout"
    print(f"{what}, {options.rate} requests/s, Python {platform.python_version()}, {os.cpu_count()} cores", flush=True)
    with tempfile.TemporaryDirectory(prefix="edgeworker-measures-") as folder:
        wanted = Wanted(
            Path(folder), program, options.rate, options.calm_seconds, options.soak_seconds, options.processes
        )
        for name in options.parts or PARTS:
            begun = time.monotonic()
            findings = list(PARTS[name](wanted))
            seconds, busy = time.monotonic() - begun, os.getloadavg()[0]
            print(f"{name}: measured in {seconds:.0f} s, load average {busy:.1f}\n\n{table(findings)}\n", flush=True)
            found += findings
    return 1 if any(one.is_met is False for one in found) else 0


if __name__ == "__main__":
    raise SystemExit(main())
