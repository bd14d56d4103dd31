"""Validates configuration, loads each script as `dev` does, and serves nothing.

What a script does when it is imported happens; JavaScript is bundled and loaded by workerd. It also tells what works
here and fails once it is deployed. Exits 1 if there is an error. What the configuration makes of it all is shown by
`edgeworker config show`. With --production it also looks for what an operator would regret: open sockets, weak tokens,
origins without TLS, files that others may read or write, certificates that end, a nearly full disk, a wrong clock,
too few file descriptors. Give it all options that the edge runs with, as the user that it runs as.

examples:
  edgeworker check
  edgeworker check -c a/wrangler.toml -c b/wrangler.toml --edge edge.toml --verbose
  edgeworker check --production --edge edge.toml --https --persist-to /var/lib/edgeworker --json
"""

import argparse
import asyncio
import logging
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from edgeworker.cli.diagnostics import show_diagnostics
from edgeworker.cli.options import add_config_options, load_options
from edgeworker.cli.output import Output
from edgeworker.cli.run_options import add_developer_options, add_run_options
from edgeworker.cli.startup import engine_lines
from edgeworker.errors import ConfigError

if TYPE_CHECKING:
    from edgeworker.config import Config
    from edgeworker.host.dry_run import DryRun
    from edgeworker.schema.diagnostics import Diagnostics
    from wrangler_compat import Loaded


def configure(parser: argparse.ArgumentParser) -> None:
    add_config_options(parser)
    parser.add_argument("-v", "--verbose", action="store_true", help="also tell what is accepted without effect")
    production = parser.add_argument_group("production")
    production.add_argument(
        "--production", action="store_true", help="also tell what would be regretted when others depend on this edge"
    )
    production.add_argument("--json", action="store_true", help="with --production: findings as JSON")
    add_run_options(parser)
    add_developer_options(parser, listed=False)


def run(options: argparse.Namespace) -> int:
    from wrangler_compat import load

    if options.json and not options.production:
        raise ConfigError("--json works with --production only; without it the output is text")
    loaded = load(replace(load_options(options), for_deployment=True))
    if not loaded.diagnostics.has_errors:
        _check_edge(loaded.config, options.edge, loaded.diagnostics)
        _check_scripts(loaded.config, loaded.diagnostics)
    show_diagnostics(Output.for_stream(sys.stderr), loaded.diagnostics, infos=options.verbose)
    if options.production and (options.json or not loaded.diagnostics.has_errors):
        return _production(loaded, options)
    out = Output.for_stream()
    counted = [
        f"{len(found)} {word}{'' if len(found) == 1 else 's'}"
        for word in ("error", "warning")
        if (found := [message for message in loaded.diagnostics.walk() if message.level == word])
    ]
    summary = " and ".join(counted) or "nothing to complain about"
    if loaded.diagnostics.has_errors:
        # The files that are wrong, not the workers that happen to be read with them.
        wrong = dict.fromkeys(
            location.file for message in loaded.diagnostics.of("error") for location in message.locations[:1]
        )
        out.fail(f"{', '.join(wrong)}: {summary}" if wrong else summary)
        return 1
    out.ok(f"{', '.join(worker.name for worker in loaded.config.workers) or 'no worker'}: {summary}")
    for line in engine_lines(loaded.config):
        out.prose(line)
    return 0


def _production(loaded: "Loaded", options: argparse.Namespace) -> int:
    from edgeworker.cli import production
    from edgeworker.clock import SystemClock

    if loaded.diagnostics.has_errors:
        findings = production.configuration_errors(loaded.diagnostics)
    else:
        findings = production.audit(loaded.config, options, now=SystemClock().now())
    if options.json:
        production.show_json(findings)
    else:
        production.show(findings, Output.for_stream())
    return 1 if any(finding.severity == "error" for finding in findings) else 0


def _check_edge(config: "Config", edge_file: Path | None, diagnostics: "Diagnostics") -> None:
    """All but the scripts that `dev` would fail on."""
    from edgeworker.clock import SystemClock
    from edgeworker.host.dry_edge import find_edge_errors
    from edgeworker.schema.diagnostics import SourceLocation

    read = [file for file in config.files if file.name == "edge.toml" or file == (edge_file and edge_file.resolve())]
    for error in asyncio.run(find_edge_errors(config, SystemClock(), os.environ)):
        place = [SourceLocation(_short(file)) for file in read[:1]]
        diagnostics.error(f"{error}.", *place)


def _check_scripts(config: "Config", diagnostics: "Diagnostics") -> None:
    from edgeworker.clock import SystemClock
    from edgeworker.host.dry_run import (
        dry_run,
        explain_missing_fetch,
        find_misspelt_fetch,
        find_misspelt_in_javascript,
        find_wrong_parameters,
    )
    from edgeworker.host.missing_bindings import find_missing_bindings
    from edgeworker.schema.diagnostics import SourceLocation
    from edgeworker.suggestions import did_you_mean
    from wrangler_compat.deployment import check_deployment

    clock = SystemClock()
    scripts = diagnostics.child("Loading scripts:")
    # What a script prints is not this command's answer; what loading it logs is.
    with redirect_stdout(sys.stderr), _logged_warnings() as warnings:
        runs = asyncio.run(dry_run(config, clock))
    failures = [run.error for run in runs if run.error is not None]
    for text, refusal in warnings.items():
        if not refusal or not any(refusal in failure for failure in failures):  # which is told below
            scripts.warning(text)
    reached = {route.worker for route in config.routes} | {domain.worker for domain in config.custom_domains}
    for run in runs:
        main = run.worker.main
        location = SourceLocation(run.worker.source if main is None else _short(main))
        if run.error is not None:
            handles_nothing = "no event handlers" in run.error
            meant = find_misspelt_in_javascript(main) if main is not None and handles_nothing else None
            if run.place is not None:
                location = SourceLocation(_short(Path(run.place[0])), run.place[1])
            scripts.error(f'{run.error}. Is "{meant}" meant to be "fetch"?' if meant else run.error, location)
            continue
        # A worker that only cron triggers run is the default one where it is alone; no one means to send it a request.
        is_for_cron = bool(run.worker.crons) and "scheduled" in run.handles
        is_reached = run.worker.name in reached or (run.worker.name == config.default_worker and not is_for_cron)
        if "fetch" not in run.handles and run.worker.assets is None and is_reached:
            scripts.error(
                f'The script of worker "{run.worker.name}" has no handler "fetch", so each request to it fails. '
                f"{explain_missing_fetch(main)}",
                location,
            )
        if main is not None and main.suffix == ".py":
            for slip in find_misspelt_fetch(main):
                scripts.warning(
                    f'The entrypoint "{slip.class_name}" of worker "{run.worker.name}" has a method "{slip.method}" '
                    'and no "fetch". Did you mean "fetch"?',
                    SourceLocation(_short(main), slip.line),
                )
            names = {binding.name for binding in run.worker.bindings}
            for missing in find_missing_bindings(main, names):
                scripts.warning(
                    f'env.{missing.name} is read, and worker "{run.worker.name}" has no binding, variable or secret of '
                    f"that name, so that reading it fails.{did_you_mean(missing.name, names)}",
                    SourceLocation(_short(missing.file), missing.line),
                )
            for wrong in find_wrong_parameters(main):
                (scripts.error if wrong.fails else scripts.warning)(
                    f'{wrong.class_name} of worker "{run.worker.name}" has {wrong.written}, {wrong.effect}. Write '
                    "async def fetch(self, request), and use self.env and self.ctx.",
                    SourceLocation(_short(main), wrong.line),
                )
        if run.worker.crons and "scheduled" not in run.handles:
            scripts.warning(
                f'The worker "{run.worker.name}" has cron triggers, but its script has no handler "scheduled": each '
                "firing would fail. Add `async def scheduled(self, controller)`.",
                location,
            )
    _check_entrypoints(runs, scripts)
    check_deployment(config, datetime.fromtimestamp(clock.now(), UTC).date(), diagnostics.child(""))


def _check_entrypoints(runs: "Sequence[DryRun]", diagnostics: "Diagnostics") -> None:
    """A service binding with `entrypoint` leads to a class that the other worker exports."""
    from edgeworker.bindings import ServiceBinding
    from edgeworker.schema.diagnostics import SourceLocation
    from edgeworker.suggestions import did_you_mean

    loaded = {run.worker.name: run.entrypoints for run in runs if run.error is None}
    for run in runs:
        for binding in run.worker.bindings:
            if not isinstance(binding, ServiceBinding) or binding.entrypoint in (None, "default"):
                continue
            known = loaded.get(binding.worker)
            if known is not None and binding.entrypoint not in known:
                diagnostics.error(
                    f'env.{binding.name} of worker "{run.worker.name}" leads to the entrypoint "{binding.entrypoint}" '
                    f'of worker "{binding.worker}", which does not export it.'
                    f"{did_you_mean(str(binding.entrypoint), known)}",
                    SourceLocation(run.worker.source),
                )


@contextmanager
def _logged_warnings() -> Iterator[dict[str, str]]:
    """What is logged with level WARNING or above, once each, with the refusal that it tells, or ""."""
    told: dict[str, str] = {}

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            fields = getattr(record, "fields", None)
            told[record.getMessage()] = str(fields.get("refusal", "")) if isinstance(fields, dict) else ""

    collector, logger = Collector(logging.WARNING), logging.getLogger("edgeworker")
    logger.addHandler(collector)
    propagates, logger.propagate = logger.propagate, False
    try:
        yield told
    finally:
        logger.removeHandler(collector)
        logger.propagate = propagates


def _short(file: Path) -> str:
    try:
        return str(file.relative_to(Path.cwd()))
    except ValueError:
        return str(file)
