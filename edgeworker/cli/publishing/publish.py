"""Publishes a worker into an edge that `serve` runs: its script, bindings and routes, as one version.

The edge tries the version in a process of its own first. If it does not start, nothing changes; if it does, every
process serves it before this command returns, and no request fails meanwhile. Secrets of .dev.vars and .env are not
sent: the edge takes them from its own environment, credentials or files.

examples:
  edgeworker publish                                   the worker of ./wrangler.toml
  edgeworker publish -c api/wrangler.toml --env production -m "new rate limits"
  edgeworker publish --api-url https://edge.example:8788     with EDGEWORKER_API_TOKEN in the environment
  edgeworker versions api                              what was published, and what is served
  edgeworker rollback api                              back to what was served before
"""

import argparse
from pathlib import Path
from urllib.parse import urlencode

from edgeworker.cli.publishing import add_edge_options, call_api, tell_deployed, worker_path
from edgeworker.errors import ConfigError


def configure(parser: argparse.ArgumentParser) -> None:
    project = parser.add_argument_group("project")
    project.add_argument(
        "-c",
        "--config",
        type=Path,
        metavar="FILE",
        help="the wrangler file (default: the nearest one); its folder is packed",
    )
    project.add_argument("-e", "--env", metavar="NAME", help="environment of the wrangler file ([env.NAME])")
    project.add_argument("-m", "--message", default="", metavar="TEXT", help="what this version is about")
    project.add_argument("--dry-run", action="store_true", help="pack the project, say what would be sent, and stop")
    add_edge_options(parser)


def run(options: argparse.Namespace) -> int:
    from edgeworker.cli.output import Output
    from edgeworker.cli.publishing.project import pack_project

    out = Output.for_stream()
    packed = pack_project(options.config, options.env)
    size = f"{len(packed.archive) / 1024:.0f} KiB"
    if options.dry_run:
        out.line(f"{packed.name}: {size} with {packed.config}")
        for name in packed.files:
            out.line(f"  {name}")
        return 0
    if not options.message.isprintable():
        raise ConfigError("--message must be one line of text")
    query = urlencode({"config": packed.config, "env": options.env or "", "message": options.message})
    result = call_api(
        options, "POST", f"{worker_path(packed.name)}/versions?{query}", packed.archive, kind="application/zip"
    )
    tell_deployed(out, result, f"published ({size})")
    return 0
