"""`Edge`: an edge in a test, from a configuration file or from Python values."""

import logging
import os
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from edgeworker.config import JSON, Config, Worker
from edgeworker.errors import ConfigError
from edgeworker.host.bundled import DEFAULT_SCRIPT, script
from edgeworker.testing.clock import MovableClock
from edgeworker.testing.faults import FaultInjection
from edgeworker.testing.folder import describe_missing, in_project
from edgeworker.testing.local import LocalEdge
from edgeworker.testing.origin import Origin
from edgeworker.testing.single import variable_bindings
from wrangler_compat import LoadOptions, load

_log = logging.getLogger(__name__)

EDGE_FILE: Final = "edge.toml"
SCRIPT_ENDINGS: Final = (".py", ".js", ".mjs", ".ts", ".mts")
_SOURCES: Final = 'give a file such as "wrangler.toml" or "edge.toml", a folder, a list of files, or a Config'
Source = Config | Path | str | Sequence[Path | str] | None

# All edges that still exist, for the report on a test that failed.
made: Final["weakref.WeakSet[Edge]"] = weakref.WeakSet()


class Edge(LocalEdge):
    """One edge, in this process, all in memory. See LocalEdge for what it can do."""

    def __init__(
        self,
        source: Source = None,
        *,
        env: str | None = None,
        variables: Mapping[str, JSON] | None = None,
        clock: MovableClock | None = None,
        origin: Origin | None = None,
        faults: FaultInjection | None = None,
    ) -> None:
        """`source` is an edge.toml, a wrangler.toml (.json, .jsonc), several of these, a folder in which they are
        looked for as `edgeworker dev` does, or a Config; None is the current folder. Relative paths are those of the
        project's folder (see edgeworker.testing.folder). `env` chooses an environment of
        wrangler's files. `variables` are set in every worker, whatever its file says.

        Raises:
            ConfigError: with all errors that the files have, as wrangler words them.
        """
        config = source if isinstance(source, Config) else read(source, env=env)
        super().__init__(_with(config, variables or {}), clock=clock, origin=origin, faults=faults)
        made.add(self)


_Stamps = tuple[tuple[Path, int, int], ...]
_kept: Final[dict[tuple[Path, tuple[Path, ...], str | None], tuple[_Stamps, Config]]] = {}


def read(source: Path | str | Sequence[Path | str] | None, *, env: str | None = None) -> Config:
    """The configuration of files. It is kept while none of them changes: a thousand tests read it once."""
    folder, files = _places(source)
    key = (folder, files, env)
    kept = _kept.get(key)
    if kept is not None and kept[0] == _stamps(kept[1].files):
        return kept[1]
    edges = [file for file in files if file.name == EDGE_FILE or file.name.endswith(f".{EDGE_FILE}")]
    options = LoadOptions(
        default_script=script(DEFAULT_SCRIPT) / "worker.py",
        cwd=folder,
        configs=tuple(file for file in files if file not in edges),
        edge=edges[0] if edges else None,
        env=env or "",  # the top level, without the warning that none was chosen
    )
    loaded = load(options)
    config = loaded.require()
    if warnings := loaded.diagnostics.render("warning"):
        _log.warning("%s", warnings)
    _kept[key] = (_stamps(config.files), config)
    return config


def _places(source: Path | str | Sequence[Path | str] | None) -> tuple[Path, tuple[Path, ...]]:
    """(the folder to start in, the files that were named)."""
    if source is None:
        return Path.cwd(), ()
    if source == "":
        raise ConfigError(f'"" is not a path; {_SOURCES}')
    if isinstance(source, Path | str):
        path = _existing(source)
        return (path, ()) if path.is_dir() else (path.parent, (path,))
    if isinstance(source, bytes | Mapping) or not isinstance(source, Sequence):
        raise TypeError(f"{source!r} is not where a configuration is; {_SOURCES}")
    files = tuple(_existing(file) for file in source)
    return Path(os.path.commonpath([file.parent for file in files])) if files else Path.cwd(), files


def _existing(source: object) -> Path:
    if not isinstance(source, Path | str):
        raise TypeError(f"{source!r} is not a path; {_SOURCES}")
    path = in_project(source)
    if not path.exists():
        raise ConfigError(describe_missing(source))
    if path.suffix in SCRIPT_ENDINGS:
        raise ConfigError(
            f"{path} is a script, not a configuration; give the wrangler.toml that names it as `main`, "
            "or make an edge of the script alone with single_worker(...)"
        )
    return path


def _stamps(files: tuple[Path, ...]) -> _Stamps:
    found = []
    for file in files:
        try:
            stat = file.stat()
        except FileNotFoundError:
            found.append((file, 0, 0))
        else:
            found.append((file, stat.st_mtime_ns, stat.st_size))
    return tuple(found)


def _with(config: Config, variables: Mapping[str, JSON]) -> Config:
    if not variables:
        return config
    return replace(config, workers=tuple(_with_variables(worker, variables) for worker in config.workers))


def _with_variables(worker: Worker, variables: Mapping[str, JSON]) -> Worker:
    kept = tuple(binding for binding in worker.bindings if binding.name not in variables)
    return replace(worker, bindings=(*kept, *variable_bindings(variables)))
