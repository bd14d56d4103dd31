"""Validates configuration and scripts, and runs nothing.

Exits 1 if there is an error. What the configuration makes of it all is shown by `edgeworker config show`. With
--production it also looks for what an operator would regret: open sockets, weak tokens, origins without TLS, files that
others may read or write, certificates that end. Give it the options that the edge runs with.

examples:
  edgeworker check
  edgeworker check -c a/wrangler.toml -c b/wrangler.toml --edge edge.toml --verbose
  edgeworker check --production --edge edge.toml --https --persist-to /var/lib/edgeworker --json
"""

import argparse
import ast
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from edgeworker.cli.diagnostics import show_diagnostics
from edgeworker.cli.options import add_config_options, load_options
from edgeworker.cli.output import Output
from edgeworker.cli.run_options import add_run_options
from edgeworker.errors import ConfigError

if TYPE_CHECKING:
    from edgeworker.config import Worker
    from edgeworker.schema.diagnostics import Diagnostics
    from wrangler_compat import Loaded


def configure(parser: argparse.ArgumentParser) -> None:
    add_config_options(parser)
    parser.add_argument("-v", dest="verbose", action="store_true", help="also tell what is accepted without effect")
    parser.add_argument(
        "--production", action="store_true", help="also tell what would be regretted when others depend on this edge"
    )
    add_run_options(parser.add_argument_group("how the edge is run, for --production (with --json: findings as JSON)"))


def run(options: argparse.Namespace) -> int:
    from wrangler_compat import load

    if options.json and not options.production:
        raise ConfigError("--json goes with --production: what is told otherwise is text")
    loaded = load(load_options(options))
    scripts = loaded.diagnostics.child("Reading scripts:")
    for worker in loaded.config.workers:
        _check_script(worker, scripts)
    show_diagnostics(Output.for_stream(sys.stderr), loaded.diagnostics, infos=options.verbose)
    if options.production and (options.json or not loaded.diagnostics.has_errors):
        return _production(loaded, options)
    out = Output.for_stream()
    counted = [
        f"{len(found)} {word}{'' if len(found) == 1 else 's'}"
        for word in ("error", "warning")
        if (found := [message for message in loaded.diagnostics.walk() if message.level == word])
    ]
    read = ", ".join(worker.name for worker in loaded.config.workers) or "no worker"
    text = f"{read}: {' and '.join(counted) or 'nothing to complain about'}"
    if loaded.diagnostics.has_errors:
        out.fail(text)
        return 1
    out.ok(text)
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


def _check_script(worker: "Worker", diagnostics: "Diagnostics") -> None:
    """A worker's `main` must be Python. Importing it would run it, so what it does is not looked at."""
    from edgeworker.schema.diagnostics import SourceLocation

    if worker.main is None:
        return
    name = _short(worker.main)
    try:
        ast.parse(worker.main.read_bytes(), filename=name)
    except SyntaxError as error:
        text = f"{error.msg}.\n\n{name}:{error.lineno}:{error.offset}:"
        if error.text is not None:
            text += f"\n  {error.text.rstrip()}\n  {' ' * ((error.offset or 1) - 1)}^"
        diagnostics.error(text, SourceLocation(name, error.lineno))
    except (OSError, ValueError) as error:
        diagnostics.error(f"{name} cannot be read as Python: {error}.", SourceLocation(name))


def _short(file: Path) -> str:
    try:
        return str(file.relative_to(Path.cwd()))
    except ValueError:
        return str(file)
