"""The JavaScript workers of one edge: reads their projects, chooses their engine, and opens them together."""

import asyncio
import contextlib
import importlib.util
import json
import logging
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edgeworker.cache.store import CacheStore
from edgeworker.clock import Clock
from edgeworker.config import Config, Worker
from edgeworker.errors import ConfigError
from edgeworker.javascript.build import Build
from edgeworker.javascript.loading import load_project
from edgeworker.javascript.project import Project
from edgeworker.javascript.settings import JavaScriptSettings
from edgeworker.runtime.contract.bound import BoundService
from edgeworker.runtime.contract.isolate import Isolate
from edgeworker.runtime.contract.javascript import (
    EnvDurableObjects,
    EnvEntry,
    EnvFetcher,
    EnvMethods,
    EnvNamespace,
    EnvNotEmulated,
    EnvService,
    EnvValue,
)
from edgeworker.runtime.workerd import binary
from edgeworker.runtime.workerd.engine import Link, WorkerdEngine, WorkerSettings
from edgeworker.runtime.workerd.inspector import InspectedChildren

_log = logging.getLogger(__name__)

_DEPENDENCIES: Final = ("dependencies", "devDependencies", "optionalDependencies")  # of a package.json
_WITH_WHEEL: Final = ((3, 11), (3, 13))  # of quickjs-bindings
_INSTALL_EMBEDDED: Final = (
    'install the extra with "pip install edgeworker[javascript]"'
    if sys.version_info[:2] in _WITH_WHEEL
    else f"run edgeworker on Python 3.13, because the extra edgeworker[javascript] has no wheel for this one, "
    f"{sys.version_info.major}.{sys.version_info.minor}: uv run --python 3.13 edgeworker dev"
)

# Seen in workerd 2026-07-30: the flag, its first date and what turns it off.
_FLAGS_SINCE: Final = {"websocket_standard_binary_type": ("2026-03-17", "no_websocket_standard_binary_type")}

# What a worker without a date runs with, as wrangler says in its warning; production refuses it.
_NO_DATE: Final = "2021-11-02"


@dataclass(frozen=True, slots=True)
class UseEmbedded:
    """QuickJS, in this process. `reason` says why, to people."""

    reason: str

    def __str__(self) -> str:
        return f"QuickJS: {self.reason}"


@dataclass(frozen=True, slots=True)
class UseWorkerd:
    """The program, in a child process. `reason` says why, to people."""

    program: binary.Binary
    reason: str

    def __str__(self) -> str:
        return f"{self.program}: {self.reason}"


EngineChoice = UseEmbedded | UseWorkerd


def describe_engines(config: Config) -> dict[str, str]:
    """The engine of each JavaScript worker by the worker's name, for people; where there is none, what is missing."""
    told = {}
    for worker in config.workers:
        if worker.is_javascript and worker.main is not None:
            build = worker.javascript or Build(worker.main.parent)
            try:
                told[worker.name] = str(choose_engine(config.javascript, build.root))
            except ConfigError as error:
                told[worker.name] = f"none: {error}"
    return told


def choose_engine(settings: JavaScriptSettings, root: Path) -> EngineChoice:
    """Raises ConfigError where the engine that was asked for is not there."""
    match settings.engine:
        case "embedded" if has_embedded():
            return UseEmbedded("it is configured")
        case "embedded":
            raise ConfigError(f'javascript.engine is "embedded", and QuickJS is not installed; {_INSTALL_EMBEDDED}')
        case "workerd":
            if (found := _configured_workerd(settings, root)) is not None:
                return found
            on_path = binary.find_on_path()
            if on_path is None:
                raise ConfigError(
                    'javascript.engine is "workerd", and no workerd is in the project\'s node_modules or on PATH; run '
                    f'"{_npm_command(root)}" in the project, or name the program with --workerd'
                )
            return UseWorkerd(binary.inspect_binary(on_path, "PATH"), "it is on PATH")
        case "auto":
            if (found := _configured_workerd(settings, root)) is not None:
                return found
            if has_embedded():
                return UseEmbedded("no workerd is in the project's node_modules")
            raise ConfigError(
                "JavaScript workers need an engine, and there is none: workerd is not in the project's node_modules, "
                f'and QuickJS is not installed; run "{_npm_command(root)}" in the project, or ' + _INSTALL_EMBEDDED
            )


def _npm_command(root: Path) -> str:
    """What brings workerd into the project in `root`, whose package.json may have it already."""
    for folder in (root, *root.parents):
        try:
            package = json.loads((folder / "package.json").read_bytes())
        except (OSError, ValueError):
            continue
        lists = [package.get(kind) for kind in _DEPENDENCIES] if isinstance(package, dict) else []
        if any(name in each for each in lists if isinstance(each, dict) for name in ("wrangler", "workerd")):
            return "npm install"
    return "npm install --save-dev wrangler"


def _configured_workerd(settings: JavaScriptSettings, root: Path) -> UseWorkerd | None:
    """That of edge.toml, else the project's own."""
    if settings.workerd is not None:
        found = binary.inspect_binary(settings.workerd, "as configured")
        return UseWorkerd(found, f"{found.program} is configured")
    in_project = binary.find_in_project(root)
    if in_project is None:
        return None
    return UseWorkerd(binary.inspect_binary(in_project, "node_modules"), "it is in the project's node_modules")


def has_embedded() -> bool:
    """Whether QuickJS is installed: it is an extra, because it has no wheel for each Python and machine."""
    return importlib.util.find_spec("quickjs") is not None


class JavaScriptWorkers:
    """`load` each worker, then `open` all of them."""

    def __init__(
        self, config: Config, link: Link, cache: CacheStore, clock: Clock, inspected: InspectedChildren | None = None
    ) -> None:
        self._config = config
        self._inspected = inspected
        self._link = link
        self._cache = cache
        self._clock = clock
        self._engine: WorkerdEngine | None = None
        self.choices: dict[str, EngineChoice] = {}

    async def load(self, worker: Worker, bound: Sequence[BoundService], entrypoints: Collection[str]) -> Isolate:
        """`entrypoints` are the named ones that other workers call. Raises ScriptError or ConfigError."""
        assert worker.main is not None
        main = worker.main
        build = worker.javascript or Build(main.parent)
        choice = await asyncio.to_thread(choose_engine, self._config.javascript, build.root)
        if self._inspected is not None and not isinstance(choice, UseWorkerd):
            raise ConfigError(
                f'--inspector-port: worker "{worker.name}" runs in QuickJS ({choice.reason}), which has no inspector; '
                "run it in workerd (npm install --save-dev wrangler, or --js-engine workerd), or leave the option out"
            )
        project = await asyncio.to_thread(_load_project, main, build, lowers_async=isinstance(choice, UseEmbedded))
        env = {service.name: _entry(service) for service in bound}
        match choice:
            case UseEmbedded():
                isolate = self._add_embedded(worker, project, env)
            case UseWorkerd(program):
                isolate = self._add_to_workerd(program, worker, project, env, entrypoints)
        _log.info('worker "%s" runs in %s', worker.name, choice)
        self.choices[worker.name] = choice
        return isolate

    def _add_to_workerd(
        self,
        program: binary.Binary,
        worker: Worker,
        project: Project,
        env: Mapping[str, EnvEntry],
        entrypoints: Collection[str],
    ) -> Isolate:
        if self._engine is None:
            heap = self._config.javascript.heap_megabytes
            self._engine = WorkerdEngine(
                program, self._link, self._cache, self._clock, heap_megabytes=heap, inspected=self._inspected
            )
        return self._engine.add(
            WorkerSettings(
                worker.name,
                project,
                env,
                worker.compatibility_date or _NO_DATE,
                worker.compatibility_flags,
                tuple(sorted(entrypoints)),
                worker.cpu_ms,
            )
        )

    def _add_embedded(self, worker: Worker, project: Project, env: Mapping[str, EnvEntry]) -> Isolate:
        if any(isinstance(entry, EnvDurableObjects) for entry in env.values()):
            _log.warning(
                'worker "%s": the embedded JavaScript engine has no Durable Objects; using one throws. %s',
                worker.name,
                'Run the worker in workerd: "npm install --save-dev wrangler" in the project, or javascript.engine = '
                '"workerd"',
            )
        # Here, because the extra may not be installed, and an edge without JavaScript need not load it.
        from edgeworker.runtime.quickjs.isolate import QuickJSIsolate
        from edgeworker.runtime.quickjs.settings import EmbeddedSettings

        return QuickJSIsolate(
            EmbeddedSettings(
                worker.name,
                project,
                env,
                self._cache,
                self._clock,
                (*worker.compatibility_flags, *flags_of_date(worker)),
                worker.cpu_ms,
                self._config.javascript.heap_megabytes,
            )
        )


def flags_of_date(worker: Worker) -> Iterator[str]:
    """Flags that the worker's date turns on, as far as the embedded engine has both ways. workerd knows them itself."""
    for flag, (since, opposite) in _FLAGS_SINCE.items():
        named = {flag, opposite} & set(worker.compatibility_flags)
        if not named and (worker.compatibility_date or _NO_DATE) >= since:
            yield flag


def _load_project(main: Path, build: Build, *, lowers_async: bool) -> Project:
    if not has_embedded():
        return load_project(main, build, lowers_async=lowers_async)
    from edgeworker.runtime.quickjs.typescript import TypeStripper

    with contextlib.closing(TypeStripper()) as strip_types:
        return load_project(main, build, strip_types, lowers_async=lowers_async)


def _entry(service: BoundService) -> EnvEntry:
    view = service.views["javascript"]()
    assert isinstance(
        view, EnvValue | EnvNamespace | EnvService | EnvFetcher | EnvMethods | EnvDurableObjects | EnvNotEmulated
    )
    return view
