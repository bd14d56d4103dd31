"""The JavaScript workers of one edge: reads their projects, chooses their engine, and opens them together."""

import asyncio
import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edgeworker.cache.store import CacheStore
from edgeworker.clock import Clock
from edgeworker.config import Config, JavaScriptSettings, Worker
from edgeworker.errors import ConfigError
from edgeworker.javascript.loading import ENDINGS, load_project
from edgeworker.javascript.project import Build
from edgeworker.runtime.contract.bound import BoundService
from edgeworker.runtime.contract.isolate import Isolate
from edgeworker.runtime.contract.javascript import (
    EnvEntry,
    EnvFetcher,
    EnvMethods,
    EnvNamespace,
    EnvNotEmulated,
    EnvService,
    EnvValue,
)
from edgeworker.runtime.workerd import binary
from edgeworker.runtime.workerd.engine import Engine, Link, WorkerSettings

_log = logging.getLogger(__name__)

# What a worker without a date runs with, as wrangler says in its warning; production refuses it.
_NO_DATE: Final = "2021-11-02"


@dataclass(frozen=True, slots=True)
class Choice:
    """An engine, and why it is this one: both are shown to people."""

    engine: str
    reason: str
    program: binary.Binary


def is_javascript(worker: Worker) -> bool:
    return worker.main is not None and worker.main.suffix in ENDINGS


def choose_engine(settings: JavaScriptSettings, root: Path) -> Choice:
    """Raises ConfigError where the engine that was asked for is not there."""
    if settings.workerd is not None:
        found = binary.inspect_binary(settings.workerd, "as configured")
        return Choice("workerd", f"{found.program} is configured", found)
    in_project = binary.find_in_project(root)
    if in_project is not None and settings.engine != "embedded":
        return Choice(
            "workerd", "it is in the project's node_modules", binary.inspect_binary(in_project, "node_modules")
        )
    on_path = binary.find_on_path()
    if settings.engine == "workerd":
        if on_path is None:
            raise ConfigError(
                'javascript.engine is "workerd", and no workerd is in the project\'s node_modules or on PATH; run '
                '"npm install --save-dev wrangler" in the project, or name the program as javascript.workerd'
            )
        return Choice("workerd", "it is on PATH", binary.inspect_binary(on_path, "PATH"))
    raise ConfigError(
        "JavaScript workers need workerd, which is not in the project's node_modules; run \"npm install --save-dev "
        'wrangler" in the project, or name the program as javascript.workerd in edge.toml'
    )


class JavaScriptWorkers:
    """`load` each worker, then `open` all of them."""

    def __init__(self, config: Config, link: Link, cache: CacheStore, clock: Clock) -> None:
        self._config = config
        self._link = link
        self._cache = cache
        self._clock = clock
        self._engine: Engine | None = None
        self._isolates: list[Isolate] = []

    async def load(self, worker: Worker, bound: Sequence[BoundService], entrypoints: Collection[str]) -> Isolate:
        """`entrypoints` are the named ones that other workers call. Raises ScriptError or ConfigError."""
        assert worker.main is not None
        main = worker.main
        build = worker.javascript or Build(main.parent)
        choice = await asyncio.to_thread(choose_engine, self._config.javascript, build.root)
        project = await asyncio.to_thread(load_project, main, build)
        if self._engine is None:
            heap = self._config.javascript.heap_megabytes
            self._engine = Engine(choice.program, self._link, self._cache, self._clock, heap_megabytes=heap)
        isolate = self._engine.add(
            WorkerSettings(
                worker.name,
                project,
                {service.name: _entry(service) for service in bound},
                worker.compatibility_date or _NO_DATE,
                worker.compatibility_flags,
                tuple(sorted(entrypoints)),
                worker.cpu_ms,
            )
        )
        _log.info('worker "%s" runs in %s: %s', worker.name, choice.program, choice.reason)
        self._isolates.append(isolate)
        return isolate


def _entry(service: BoundService) -> EnvEntry:
    view = service.views["javascript"]()
    assert isinstance(view, EnvValue | EnvNamespace | EnvService | EnvFetcher | EnvMethods | EnvNotEmulated)
    return view
