"""Tells when a script or a configuration file has changed, for reloading."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Final

from watchfiles import Change, DefaultFilter, awatch

from edgeworker.config import Config

# Data files are read when a script opens them; watching them would reload for every file that a script, or a log that
# is redirected into the project, writes.
_SUFFIXES: Final = frozenset({".py", ".toml"})
_NAMES: Final = frozenset({"wrangler.json", "wrangler.jsonc"})
_PREFIXES: Final = (".dev.vars", ".env")  # .dev.vars.production, .env.local
# An editor writes a file in several steps; what comes within this time is one change.
_DEBOUNCE_MS: Final = 50
# How often the watcher looks whether something came: each time it takes the interpreter from what serves requests.
_STEP_MS: Final = 50


class SourceFilter(DefaultFilter):
    """Passes what an edge is made of; DefaultFilter has left out .git, node_modules, __pycache__ and the like."""

    def __call__(self, change: Change, path: str) -> bool:
        name = Path(path).name
        relevant = Path(path).suffix in _SUFFIXES or name in _NAMES or name.startswith(_PREFIXES)
        return relevant and super().__call__(change, path)


def watched(config: Config) -> frozenset[Path]:
    """The directories in which a change may matter: those of the configuration files and of the scripts."""
    files = [*config.files, *(worker.main for worker in config.workers if worker.main is not None)]
    directories = {file.parent for file in files if file.parent.is_dir()}
    return frozenset(
        path for path in directories if not any(path != other and path.is_relative_to(other) for other in directories)
    )


async def changes(directories: Iterable[Path], stop: asyncio.Event) -> AsyncIterator[frozenset[Path]]:
    """The files of each change, until `stop` is set."""
    watcher = awatch(
        *sorted(directories),
        watch_filter=SourceFilter(),
        debounce=_DEBOUNCE_MS,
        step=_STEP_MS,
        stop_event=stop,
        recursive=True,
    )
    async for found in watcher:
        yield frozenset(Path(path) for _, path in found)
