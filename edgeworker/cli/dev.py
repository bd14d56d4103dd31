"""Runs workers on this machine.

examples:
  edgeworker dev
  edgeworker dev -c wrangler.toml --origin http://127.0.0.1:3000
"""

import argparse


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-c", "--config", action="append", metavar="FILE", help="a wrangler file; may be repeated")


def run(options: argparse.Namespace) -> int:
    raise NotImplementedError
