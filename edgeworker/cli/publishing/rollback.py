"""Serves again what an edge served before, or a version that was published earlier.

examples:
  edgeworker rollback api              what was deployed before the current version
  edgeworker rollback api --to 3       version 3; `edgeworker versions api` lists them
  edgeworker rollback api --to files   what the configuration files of the edge say, as if nothing was published
"""

import argparse

from edgeworker.cli.publishing import add_edge_options, call_api, encode_deployment, tell_deployed, worker_path

_FILES = "files"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="WORKER", help="the worker's name")
    parser.add_argument("--to", type=_parse_version, metavar="VERSION", help='a version\'s number, or "files"')
    parser.add_argument("-m", "--message", default="", metavar="TEXT", help="why")
    add_edge_options(parser)


def run(options: argparse.Namespace) -> int:
    from edgeworker.cli.output import Output

    path = worker_path(options.name)
    if options.to == _FILES:
        result = call_api(options, "DELETE", path)
    else:
        result = call_api(options, "POST", f"{path}/deployments", encode_deployment(options.to, options.message))
    tell_deployed(Output.for_stream(), result, "rolled back")
    return 0


def _parse_version(text: str) -> int | str:
    if text == _FILES:
        return text
    if text.isascii() and text.isdecimal() and 1 <= int(text) <= 1_000_000_000:
        return int(text)
    raise argparse.ArgumentTypeError(f'"{text}" is not the number of a version, such as 3, and not "files"')
