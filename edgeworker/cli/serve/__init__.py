"""Serves an edge with real traffic: production defaults, several processes, reload without a failed request.

examples:
  edgeworker serve --edge /etc/edgeworker/edge.toml --persist-to /var/lib/edgeworker
  edgeworker serve -c wrangler.toml --processes 2 --access-log /var/log/edgeworker/access.log
  edgeworker serve --edge edge.toml --print-unit > /etc/systemd/system/edgeworker.service
  kill -HUP PID          read configuration, scripts and certificates again; a mistake leaves the old ones serving
  kill -USR1 PID         reopen the access log, after logrotate moved it
  curl http://127.0.0.1:9787/status        (also /healthz, /readyz, /metrics)
"""

import argparse
from pathlib import Path

from edgeworker.cli.options import add_config_options
from edgeworker.cli.run_options import port_number

_MAX_PROCESSES = 256
MANAGEMENT_PORT = 9787


def configure(parser: argparse.ArgumentParser) -> None:
    add_config_options(parser)
    sockets = parser.add_argument_group("sockets")
    sockets.add_argument("--host", metavar="ADDRESS", help="address to listen on (default: as configured, 127.0.0.1)")
    sockets.add_argument("--port", type=port_number, metavar="N", help="port of the edge (default: 8787)")
    sockets.add_argument("--https-port", type=port_number, metavar="N", help="port of https")
    sockets.add_argument("--api-port", type=port_number, metavar="N", help="port of the REST API (default: 8788)")
    sockets.add_argument(
        "--management-port",
        type=port_number,
        metavar="N",
        help=f"port of health and metrics, on loopback (default: {MANAGEMENT_PORT}; sockets.management in edge.toml)",
    )
    running = parser.add_argument_group("running")
    running.add_argument(
        "--processes", type=_parse_processes, default=1, metavar="N", help="processes that serve (default: 1)"
    )
    running.add_argument(
        "--persist-to",
        type=Path,
        metavar="DIR",
        help="the data directory (default: $STATE_DIRECTORY, else .edgeworker)",
    )
    running.add_argument(
        "--allow-private",
        action="append",
        default=[],
        metavar="HOST",
        help='a private host, address or network that scripts may fetch ("*": all); may be repeated',
    )
    running.add_argument(
        "--no-publish", action="store_true", help="refuse to publish workers over the API; published ones stay served"
    )
    # Used by the trial of a publication, which runs in a separate process.
    running.add_argument("--try-worker", help=argparse.SUPPRESS)
    running.add_argument("--no-cron", action="store_true", help="do not fire cron triggers")
    running.add_argument(
        "--print-unit", action="store_true", help="print a hardened systemd unit for these options, and exit"
    )
    logs = parser.add_argument_group("logs")
    logs.add_argument("--access-log", type=Path, metavar="FILE", help="one line for each request (default: stderr)")
    logs.add_argument(
        "--log-format",
        choices=("text", "json", "combined"),
        default="text",
        help="json: every line is a JSON object; combined: the access log as nginx writes it (default: %(default)s)",
    )
    logs.add_argument("--no-request-log", action="store_true", help="do not log requests")
    logs.add_argument("--verbose", action="store_true", help="log more")


def run(options: argparse.Namespace) -> int:
    if options.print_unit:
        from edgeworker.cli.serve.unit import unit_text

        print(unit_text(options), end="")
        return 0
    from edgeworker.cli.serve.session import serve

    return serve(options)


def _parse_processes(text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or not 1 <= int(text) <= _MAX_PROCESSES:
        raise argparse.ArgumentTypeError(
            f'"{text}" is not a number of processes; give a whole number from 1 to {_MAX_PROCESSES}, such as 2'
        )
    return int(text)
