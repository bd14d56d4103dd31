"""Tells when a script or a configuration file has changed, for reloading."""

import asyncio
import contextlib
import os
from collections.abc import AsyncGenerator, Iterable, Iterator
from pathlib import Path
from typing import Final

from watchfiles import Change, DefaultFilter, awatch

from edgeworker.config import Config
from edgeworker.javascript.build import ENDINGS

# Data files are read when a script opens them; watching them would reload for every file that a script, or a log that
# is redirected into the project, writes.
_SUFFIXES: Final = frozenset({".py", ".toml", *ENDINGS})
# The last three configure static assets; the assets themselves are looked up at each request.
_NAMES: Final = frozenset({"wrangler.json", "wrangler.jsonc", "_headers", "_redirects", ".assetsignore"})
_PREFIXES: Final = (".dev.vars", ".env")  # .dev.vars.production, .env.local
# An editor writes a file in several steps; what comes within this time is one change.
_DEBOUNCE_MS: Final = 50
# How often the watcher looks whether something came: each time it takes the interpreter from what serves requests.
_STEP_MS: Final = 50
# The clock of a file system moves in steps.
_CLOCK_STEP_MS: Final = 10


class SourceFilter(DefaultFilter):
    """Passes what an edge is made of; DefaultFilter has left out .git, node_modules, __pycache__ and the like.

    `has_javascript`: JSON files are modules of a JavaScript worker; a Python script reads and writes them as data.
    `files` matter whatever their names are.
    """

    def __init__(self, *, has_javascript: bool = False, files: Iterable[Path] = ()) -> None:
        super().__init__()
        self._files = frozenset(str(file.absolute()) for file in files)
        self._suffixes = (*_SUFFIXES, ".json") if has_javascript else _SUFFIXES

    def __call__(self, change: Change, path: str) -> bool:
        name = Path(path).name
        relevant = Path(path).suffix in self._suffixes or name in _NAMES or name.startswith(_PREFIXES)
        return (relevant and super().__call__(change, path)) or str(Path(path).absolute()) in self._files


def files_of_products(config: Config) -> frozenset[Path]:
    """Such as key sets: what edge.toml names and the products of zones are made of."""
    products = [*config.products, *(product for zone in config.zones for product in zone.products)]
    return frozenset(file for product in products for file in product.files)


def find_watched_directories(config: Config) -> frozenset[Path]:
    """The directories in which a change may matter: of the configuration files, the scripts and static assets."""
    files = [
        *config.files,
        *files_of_products(config),
        *(worker.main for worker in config.workers if worker.main is not None),
    ]
    places = [worker.assets.directory for worker in config.workers if worker.assets is not None]
    directories = {place for place in [*places, *(file.parent for file in files)] if place.is_dir()}
    return frozenset(
        path for path in directories if not any(path != other and path.is_relative_to(other) for other in directories)
    )


async def changes(
    directories: Iterable[Path],
    stop: asyncio.Event,
    *,
    since_ms: int,
    has_javascript: bool = False,
    files: Iterable[Path] = (),
) -> AsyncGenerator[frozenset[Path], None]:
    """The files of each change, until `stop` is set. `since_ms` (epoch) is when what serves now began to be loaded: a
    change of before the watcher was ready is told first. `files` matter whatever their names are.
    """
    places = sorted(directories)
    source = SourceFilter(has_javascript=has_javascript, files=files)
    watcher = awatch(
        *places, watch_filter=source, debounce=_DEBOUNCE_MS, step=_STEP_MS, stop_event=stop, recursive=True
    )
    first = asyncio.ensure_future(anext(watcher))
    try:
        await asyncio.sleep(0)  # its first step begins to watch; from here on nothing is missed
        if missed := frozenset(_newer(places, source, since_ms)):
            yield missed
        yield _files(await first)
        async for found in watcher:
            yield _files(found)
    except StopAsyncIteration:
        return
    finally:
        first.cancel()


def _files(found: Iterable[tuple[Change, str]]) -> frozenset[Path]:
    return frozenset(Path(path) for _, path in found)


def _newer(places: Iterable[Path], source: SourceFilter, since_ms: int) -> Iterator[Path]:
    since_ns = (since_ms - _CLOCK_STEP_MS) * 1_000_000
    for place in places:
        for folder, folders, names in os.walk(place):
            folders[:] = [name for name in folders if source(Change.modified, f"{folder}/{name}/x.py")]
            for name in names:
                path = Path(folder, name)
                with contextlib.suppress(OSError):  # gone meanwhile
                    if source(Change.modified, str(path)) and path.stat().st_mtime_ns >= since_ns:
                        yield path
