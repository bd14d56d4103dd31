"""A worker project as it is published: its folder, or for a bundled JavaScript worker what the bundler made of it."""

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edgeworker.config import Config, Worker
from edgeworker.errors import ConfigError
from edgeworker.javascript.build import WRANGLER_KINDS, Build
from edgeworker.javascript.project import Project
from edgeworker.publishing.archive import names_in, pack
from edgeworker.strict_json import JSON, dumps

_BUNDLE: Final = "edgeworker-bundle"
_CONFIG: Final = "wrangler.json"


@dataclass(frozen=True, slots=True)
class PackedProject:
    """`config` is the wrangler file's name in the archive."""

    name: str
    config: str
    archive: bytes

    @property
    def files(self) -> list[str]:
        return names_in(self.archive)


def pack_project(config: Path | None, env: str | None) -> PackedProject:
    """Raises ConfigError, or ScriptError for JavaScript that cannot be bundled."""
    from edgeworker.javascript.esbuild import find_esbuild

    file = _find_wrangler_file(config)
    worker = _load(file, env).workers[0]
    _check_inside(worker, file)
    if worker.main is not None and worker.is_javascript:
        build = worker.javascript or Build(file.parent)
        if not build.no_bundle and find_esbuild(build.root) is not None:
            return _pack_bundle(worker, worker.main, build, file)
    return PackedProject(worker.name, file.name, pack(file.parent))


def _find_wrangler_file(config: Path | None) -> Path:
    from edgeworker.schema.diagnostics import Diagnostics
    from wrangler_compat.discovery import discover

    if config is not None:
        if not config.is_file():
            raise ConfigError(f"-c {config}: there is no such file")
        return config.resolve()
    found = discover(Path.cwd(), Diagnostics())
    if found.file is None:
        raise ConfigError("there is no wrangler.toml, .json or .jsonc here: name the worker's with -c FILE")
    return found.file


def _load(file: Path, env: str | None) -> Config:
    from edgeworker.host.bundled import DEFAULT_SCRIPT, script
    from wrangler_compat import LoadOptions, load

    default = script(DEFAULT_SCRIPT) / "worker.py"
    # Secrets are the edge's own: none is read here.
    return load(LoadOptions(default, configs=(file,), env=env, environ=os.environ, for_deployment=True)).require()


def _check_inside(worker: Worker, file: Path) -> None:
    folder = file.parent.resolve()
    places = {"main": None if worker.is_default_script else worker.main}
    places["assets.directory"] = None if worker.assets is None else worker.assets.directory
    for key, place in places.items():
        if place is not None and not place.resolve().is_relative_to(folder):
            raise ConfigError(
                f'{file}: "{key}" is {place}, outside of {folder}: only the folder of the wrangler file is published. '
                "Move it there, or the wrangler file up."
            )


def _pack_bundle(worker: Worker, main: Path, build: Build, file: Path) -> PackedProject:
    """The bundle and the assets, with a wrangler file that says so: the edge needs no bundler and no node_modules."""
    from edgeworker.javascript.loading import load_project

    bundle = load_project(main, build)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for module in bundle.modules:
            place = folder / _BUNDLE / module.name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(module.content)
            source_map = bundle.source_maps.get(module.name)
            if source_map is not None:  # without the sources' texts: the places are enough for errors
                root = "/".join(".." for _ in place.relative_to(folder).parts[1:])
                place.with_name(f"{place.name}.map").write_text(source_map.to_json(root, lambda _: None), "utf-8")
        values = _read_values(file)
        values |= {
            "main": f"{_BUNDLE}/{bundle.main}",
            "base_dir": _BUNDLE,
            "no_bundle": True,
            "find_additional_modules": True,
            "rules": _module_rules(bundle),
        }
        for key in ("build", "tsconfig", "alias", "define"):
            values.pop(key, None)
        (folder / _CONFIG).write_text(dumps(values), encoding="utf-8")
        if worker.assets is not None:
            relative = worker.assets.directory.resolve().relative_to(file.parent.resolve())
            shutil.copytree(worker.assets.directory, folder / relative, dirs_exist_ok=True)
        return PackedProject(worker.name, _CONFIG, pack(folder))


def _read_values(file: Path) -> dict[str, JSON]:
    from edgeworker.schema.diagnostics import Diagnostics
    from wrangler_compat.document import parse_document

    document = parse_document(file.read_text(encoding="utf-8"), file, file.name, Diagnostics())
    assert document is not None  # it was loaded a moment ago
    return {key: _to_json(value) for key, value in document.values.items()}


def _to_json(value: object) -> JSON:
    match value:
        case dict():
            return {str(key): _to_json(item) for key, item in value.items()}
        case list():
            return [_to_json(item) for item in value]
        case None | bool() | int() | float() | str():
            return value
        case _:  # TOML's dates and times, which no field of wrangler's takes
            return str(value)


def _module_rules(bundle: Project) -> list[JSON]:
    """One for each kind of module beside the main one, with the files' very names."""
    kinds = {kind: name for name, kind in WRANGLER_KINDS.items()}
    globs: dict[str, list[JSON]] = {}
    for module in bundle.modules:
        if module.name != bundle.main and module.kind in kinds:
            globs.setdefault(kinds[module.kind], []).append(module.name)
    return [{"type": kind, "globs": names, "fallthrough": True} for kind, names in globs.items()]
