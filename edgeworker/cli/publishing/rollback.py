"""Serves again what an edge served before, or a version that was published earlier.

examples:
  edgeworker rollback api              what was deployed before the current version
  edgeworker rollback api --to 3       version 3; `edgeworker versions api` lists them
  edgeworker rollback api --to files   what the configuration files of the edge say, as if nothing was published
  edgeworker rollback api --offline --persist-to /var/lib/edgeworker   where the version ends every process at once:
                                       stop the edge, then this, then start it
"""

import argparse
from typing import TYPE_CHECKING

from edgeworker.cli.publishing import add_edge_options, call_api, encode_deployment, tell_deployed, worker_path

if TYPE_CHECKING:
    from edgeworker.cli.output import Output

_FILES = "files"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="WORKER", help="the worker's name")
    parser.add_argument("--to", type=_parse_version, metavar="VERSION", help='a version\'s number, or "files"')
    parser.add_argument("-m", "--message", default="", metavar="TEXT", help="why")
    parser.add_argument(
        "--offline",
        action="store_true",
        help="change the data directory (--persist-to) of an edge that is stopped; nothing is tried",
    )
    add_edge_options(parser)


def run(options: argparse.Namespace) -> int:
    from edgeworker.cli.output import Output

    if options.offline:
        return _run_offline(options, Output.for_stream())
    path = worker_path(options.name)
    if options.to == _FILES:
        result = call_api(options, "DELETE", path)
    else:
        result = call_api(options, "POST", f"{path}/deployments", encode_deployment(options.to, options.message))
    tell_deployed(Output.for_stream(), result, "rolled back")
    return 0


def _run_offline(options: argparse.Namespace, out: "Output") -> int:
    from edgeworker.cli.publishing.offline import deploy_offline, withdraw_offline

    version = None
    if options.to == _FILES:
        withdraw_offline(options.persist_to, options.name, options.message)
    else:
        version = deploy_offline(options.persist_to, options.name, options.to, options.message)
    what = "the worker of the configuration files" if version is None else f"version {version.number}"
    out.ok(f"rolled back {options.name}: {what} is served when the edge starts")
    return 0


def _parse_version(text: str) -> int | str:
    if text == _FILES:
        return text
    if text.isascii() and text.isdecimal() and 1 <= int(text) <= 1_000_000_000:
        return int(text)
    raise argparse.ArgumentTypeError(f'"{text}" is not the number of a version, such as 3, and not "files"')
