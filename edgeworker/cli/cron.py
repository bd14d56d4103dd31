"""Fires cron triggers of a running edge, and shows when they are due.

`trigger` calls the URL that fires a trigger; the edge must run with `edgeworker dev`. All times are in UTC.

examples:
  edgeworker cron next
  edgeworker cron trigger "*/5 * * * *"
  edgeworker cron trigger --worker reports --url http://127.0.0.1:8787
"""

import argparse
import asyncio
import json
import sys
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import urlencode

from edgeworker.cli.diagnostics import show_warnings
from edgeworker.cli.options import add_config_options, load_options
from edgeworker.cli.output import Output
from edgeworker.errors import ConfigError, EdgeworkerError

_DEFAULT_URL: Final = "http://127.0.0.1:8787"
_PATH: Final = "/cdn-cgi/local/scheduled"


def configure(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    trigger = commands.add_parser("trigger", help="call the scheduled handler of a worker now")
    trigger.add_argument("cron", nargs="?", default="", metavar="CRON", help="the trigger, as the handler sees it")
    trigger.add_argument("--worker", metavar="NAME", help="the worker (default: the one that has this trigger)")
    trigger.add_argument("--time", type=int, metavar="MS", help="the time that the handler sees (default: now)")
    trigger.add_argument("--url", default=_DEFAULT_URL, help="where the edge listens (default: %(default)s)")
    upcoming = commands.add_parser("next", help="show when each trigger fires next")
    upcoming.add_argument("--json", action="store_true", help="print one JSON array")
    add_config_options(upcoming)


def run(options: argparse.Namespace) -> int:
    if options.action == "trigger":
        return asyncio.run(_trigger(options))
    return _next(options)


async def _trigger(options: argparse.Namespace) -> int:
    from edgeworker.clock import SystemClock
    from edgeworker.config import Outbound
    from edgeworker.messages import URL, Headers, InvalidURL, Request
    from edgeworker.server import OriginClient

    parameters = {"cron": options.cron, "format": "json"}
    if options.worker is not None:
        parameters["worker"] = options.worker
    if options.time is not None:
        parameters["time"] = str(options.time)
    try:
        url = URL.parse(f"{options.url.rstrip('/')}{_PATH}?{urlencode(parameters)}")
    except InvalidURL as error:
        raise ConfigError(f'--url "{options.url}" is not a URL; write one such as {_DEFAULT_URL}') from error
    client = OriginClient(Outbound(), SystemClock())
    try:
        response = await client.at(url.origin).fetch(Request("POST", url, Headers([("host", url.host)])))
        text = "" if response.body is None else (await response.body.read(limit=65_536)).decode(errors="replace")
    except EdgeworkerError as error:
        raise ConfigError(f"{error}; `edgeworker dev` must run there, or give its --url") from error
    finally:
        await client.close()
    return _report(response.status, text)


def _report(status: int, text: str) -> int:
    """Reports the outcome; 0 if the handler ended well."""
    out = Output.for_stream()
    try:
        outcome = json.loads(text)
    except ValueError:
        outcome = None
    if not isinstance(outcome, dict):
        out.fail(f"{status}: {text.strip() or 'an empty answer'}")
        return 1
    no_retry = " (the handler called noRetry())" if outcome.get("noRetry") and "error" not in outcome else ""
    if outcome.get("outcome") == "ok":
        out.ok(f"the handler ended{no_retry}")
        return 0
    out.fail(str(outcome.get("error") or f"the handler raised an exception; the edge's log has it{no_retry}"))
    return 1


def _next(options: argparse.Namespace) -> int:
    from edgeworker.clock import SystemClock
    from edgeworker.cron.firing import upcoming
    from wrangler_compat import load

    loaded = load(load_options(options))
    config = loaded.require()
    show_warnings(Output.for_stream(sys.stderr), loaded.diagnostics)
    now = datetime.fromtimestamp(SystemClock().now(), UTC)
    found = upcoming(config.workers, after=now)
    out = Output.for_stream()
    if options.json:
        members = [{"worker": due.worker, "cron": due.cron, "at": due.at.isoformat()} for due in found]
        out.line(json.dumps(members))
        return 0
    rows = [[due.cron, due.worker, f"{due.at:%a %Y-%m-%d %H:%M}", _left(due.at - now)] for due in found]
    out.table(["trigger", "worker", "next (UTC)", "in"], rows)
    never = [
        f'"{cron}" of worker {worker.name} never fires'
        for worker in config.workers
        for cron in worker.crons
        if (worker.name, cron) not in {(due.worker, due.cron) for due in found}
    ]
    for text in never:
        out.warning(text)
    if not found and not never:
        out.prose("No worker has a cron trigger: write [triggers] and crons = [...] in its wrangler.toml.")
    return 0


def _left(span: timedelta) -> str:
    """Up to two units, as "3 d 4 h"."""
    minutes = int(span.total_seconds() // 60)
    days, hours, rest = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {rest} min" if hours else f"{rest} min"
