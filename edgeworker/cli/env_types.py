"""Writes the types of a Python worker's `env` for mypy and pyright, of its bindings, variables and secrets.

They go to worker_env.pyi beside the script, where type checkers look for the type of `self.env` and of `workers.env`.
Without -e, the bindings of all environments are in it. No value is written. Run it again when a binding changes.

examples:
  edgeworker types
  edgeworker types -e production
  edgeworker types -c a/wrangler.toml -c b/wrangler.toml
  edgeworker types --check              write nothing, and fail if a file is missing or out of date
"""

import argparse
import builtins
import keyword
import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from edgeworker.bindings import annotate_binding
from edgeworker.bindings.kind import UNKNOWN_TYPE
from edgeworker.cli.options import add_config_options, load_options
from edgeworker.cli.output import Output
from edgeworker.config import Config, Worker
from edgeworker.errors import ConfigError

if TYPE_CHECKING:
    from wrangler_compat import Loaded, LoadOptions

FILE: Final = "worker_env.pyi"
_FIRST_LINE: Final = "# Written by `edgeworker types`; run it again when bindings, variables or secrets change."


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file",
        nargs="?",
        type=Path,
        metavar="FILE",
        help=f"where to write, for one worker (default: {FILE} beside main)",
    )
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a file is missing or out of date")
    add_config_options(parser)


def run(options: argparse.Namespace) -> int:
    from wrangler_compat import load

    given = load_options(options)
    loaded = load(given)
    config = loaded.require()
    out = Output.for_stream()
    outdated = []
    for file, workers in _choose_files(config, options.file, out).items():
        text = render(_collect_names(workers, loaded, given))
        shown = os.path.relpath(file)
        if _read(file) == text:
            out.ok(f"{shown} is up to date")
        elif options.check:
            outdated.append(file)
            out.fail(f"{shown} {'is out of date' if file.exists() else 'does not exist'}: run edgeworker types")
        else:
            file.write_text(text, encoding="utf-8")
            out.ok(f"wrote {shown}")
    return 1 if outdated else 0


def render(names: Mapping[str, Mapping[str, str]]) -> str:
    """The file, of the type of each name by environment."""
    environments = dict.fromkeys(environment for types in names.values() for environment in types)
    lines = []
    for name, types in sorted(names.items()):
        missing = [environment for environment in environments if environment not in types]
        comment = f"  # not in {', '.join(missing)}" if missing else ""
        if not name.isidentifier() or keyword.iskeyword(name):
            lines.append(f'    # getattr(env, "{name}"): {_union(types.values())}{comment}')
        else:
            lines.append(f"    {name}: {_union(types.values())}{comment}")
    used = {kind for types in names.values() for kind in types.values()}
    imported = sorted(used - {UNKNOWN_TYPE} - set(dir(builtins)))
    head = [_FIRST_LINE, "# It has names and types, and no value. Type checkers find it by its name.", ""]
    head += [f"from _typeshed import {UNKNOWN_TYPE}"] if UNKNOWN_TYPE in used else []
    head += [f"from workers.bindings import {', '.join(imported)}"] if imported else []
    attributes = [line for line in lines if not line.lstrip().startswith("#")]
    return "\n".join([*head, "", "class Env:", *lines, *([] if attributes else ["    ..."]), ""])


def _union(types: Iterable[str]) -> str:
    different = dict.fromkeys(types)
    return UNKNOWN_TYPE if UNKNOWN_TYPE in different else " | ".join(different)


def _choose_files(config: Config, file: Path | None, out: Output) -> dict[Path, list[Worker]]:
    """The workers whose types go to a file: those with scripts in one folder share it. Raises ConfigError."""
    workers = [worker for worker in config.workers if worker.main is not None and worker.main.suffix == ".py"]
    for worker in config.workers:
        if worker.is_javascript:
            out.prose(
                f'Worker "{worker.name}" is written in JavaScript or TypeScript: for its types use wrangler types.'
            )
    if not workers:
        raise ConfigError("no worker has a script in Python, and so there are no types to write; see -c and main")
    if file is not None and (file.suffix != ".pyi" or len(workers) > 1):
        what = f"{file} is for {len(workers)} workers" if len(workers) > 1 else f"{file} is not a .pyi file"
        raise ConfigError(f"{what}; name one stub file for one worker, such as src/{FILE}")
    chosen: dict[Path, list[Worker]] = {}
    for worker in workers:
        assert worker.main is not None
        chosen.setdefault(Path(os.path.abspath(file)) if file else worker.main.parent / FILE, []).append(worker)
    for found in chosen:
        text = _read(found)
        if text is not None and not text.startswith(_FIRST_LINE):
            raise ConfigError(f"{os.path.relpath(found)} was not written by edgeworker types; move it away first")
        if found.with_suffix(".py").exists():
            other = os.path.relpath(found.with_suffix(".py"))
            raise ConfigError(f"{other} is a module of the same name, which type checkers would not see; rename it")
    return chosen


def _collect_names(
    workers: Iterable[Worker], loaded: "Loaded", given: "LoadOptions"
) -> Mapping[str, Mapping[str, str]]:
    """The types of each name of `env`, by the worker and environment that has it."""
    from wrangler_compat import load

    names: dict[str, dict[str, str]] = {}

    def add(worker: Worker, place: str) -> None:
        for binding in worker.bindings:
            names.setdefault(binding.name, {})[place] = annotate_binding(binding)

    several = list(workers)
    for worker in several:
        source = loaded.sources.get(worker.name)
        place = f"worker {worker.name}" if len(several) > 1 else given.env or "the top level"
        add(worker, place)
        if source is None or given.env is not None or given.environ.get("CLOUDFLARE_ENV"):
            continue
        for environment in source.environments:
            found = load(replace(given, configs=(source.file,), edge=None, env=environment))
            for other in found.config.workers[:1]:
                add(other, f"{place}, {environment}" if len(several) > 1 else environment)
    return names


def _read(file: Path) -> str | None:
    return file.read_text(encoding="utf-8", errors="replace") if file.is_file() else None
