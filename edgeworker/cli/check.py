"""Validates configuration and scripts, and runs nothing.

Exits 1 if there is an error. What the configuration makes of it all is shown by `edgeworker config show`.

examples:
  edgeworker check
  edgeworker check -c a/wrangler.toml -c b/wrangler.toml --edge edge.toml --verbose
"""

import argparse
import ast
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from edgeworker.cli.diagnostics import show_diagnostics
from edgeworker.cli.options import add_config_options, load_options
from edgeworker.cli.output import Output

if TYPE_CHECKING:
    from edgeworker.config import Worker
    from wrangler_compat.diagnostics import Diagnostics


def configure(parser: argparse.ArgumentParser) -> None:
    add_config_options(parser)
    parser.add_argument("-v", "--verbose", action="store_true", help="also tell what is accepted without effect")


def run(options: argparse.Namespace) -> int:
    from wrangler_compat import load

    loaded = load(load_options(options))
    scripts = loaded.diagnostics.child("Reading scripts:")
    for worker in loaded.config.workers:
        _check_script(worker, scripts)
    show_diagnostics(Output.for_stream(sys.stderr), loaded.diagnostics, infos=options.verbose)
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


def _check_script(worker: "Worker", diagnostics: "Diagnostics") -> None:
    """A worker's `main` must be Python. Importing it would run it, so what it does is not looked at."""
    from wrangler_compat.diagnostics import Place

    if worker.main is None:
        return
    name = _short(worker.main)
    try:
        ast.parse(worker.main.read_bytes(), filename=name)
    except SyntaxError as error:
        text = f"{error.msg}.\n\n{name}:{error.lineno}:{error.offset}:"
        if error.text is not None:
            text += f"\n  {error.text.rstrip()}\n  {' ' * ((error.offset or 1) - 1)}^"
        diagnostics.error(text, Place(name, error.lineno))
    except (OSError, ValueError) as error:
        diagnostics.error(f"{name} cannot be read as Python: {error}.", Place(name))


def _short(file: Path) -> str:
    try:
        return str(file.relative_to(Path.cwd()))
    except ValueError:
        return str(file)
