"""Shows the whole split-token job on real input, each step verified.

It makes an RSA key, signs a JWT, publishes header and payload through the KV REST API as a token publisher does, calls
the edge with the signature alone, and lets a small API verify the whole JWT. Then it tries what must be refused. All of
it runs on this machine, over HTTP, with storage that is removed at the end.

examples:
  edgeworker demo             exits 0 only if every step was verified
  edgeworker demo --keep      leaves it running and prints curl lines to try
"""

import argparse

from edgeworker.cli.output import Output


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--keep", action="store_true", help="leave everything running and print curl lines to try")


def run(options: argparse.Namespace) -> int:
    import asyncio

    from edgeworker.cli.demo.show import perform

    return 0 if asyncio.run(perform(Output.for_stream(), keep=options.keep)) else 1
