"""What an engine is given of a JavaScript worker. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edgeworker.javascript.build import ModuleKind

if TYPE_CHECKING:
    from edgeworker.javascript.sourcemaps import SourceMap


@dataclass(frozen=True, slots=True)
class Module:
    """`name` is what an import finds it by: a path with "/" from the root of the modules. `content` of code is UTF-8
    JavaScript, types stripped."""

    name: str
    kind: ModuleKind
    content: bytes


@dataclass(frozen=True, slots=True)
class Project:
    """A worker ready for an engine.

    `main` names the first module. `is_service_worker`: it has no default export and adds its listeners itself.
    `source_maps` are by module name; sources in them are paths from `root`. `files` is what it was made of, for
    the watcher. `bundler` says who bundled it, or is None. `lowers_async`: its `await`s are calls of then().
    """

    root: Path
    main: str
    modules: tuple[Module, ...]
    is_service_worker: bool
    source_maps: "Mapping[str, SourceMap]"
    files: tuple[Path, ...]
    bundler: str | None = None
    lowers_async: bool = False
