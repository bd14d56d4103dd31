"""Lists what was published into an edge, and which versions it serves.

examples:
  edgeworker versions            every published worker
  edgeworker versions api        its versions, the newest first
  edgeworker versions --json
"""

import argparse

from edgeworker.cli.publishing import add_edge_options, call_api, describe_served, version_rows, worker_path


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="WORKER", nargs="?", help="one worker (default: all)")
    parser.add_argument("--json", action="store_true", help="print what the API says")
    add_edge_options(parser)


def run(options: argparse.Namespace) -> int:
    from edgeworker.cli.output import Output
    from edgeworker.strict_json import dumps

    out = Output.for_stream()
    result = call_api(options, "GET", "" if options.name is None else worker_path(options.name))
    if options.json:
        out.line(dumps(result))
        return 0
    workers = [worker for worker in (result if isinstance(result, list) else [result]) if isinstance(worker, dict)]
    if not workers:
        out.line("nothing was published to this edge: it serves its configuration files")
    for worker in workers:
        rows = version_rows(worker)
        served = next((index for index, row in enumerate(rows) if row[1]), None)
        if served is None:
            rows = [("-", "served", "", "", "the worker of the configuration files, if they have one"), *rows]
        out.table(("version", "", "published", "by", "message"), rows, title=describe_served(worker))
    return 0
