"""What an engine is given of a JavaScript worker, and what its configuration says of the build. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from edgeworker.javascript.sourcemaps import SourceMap

# Of a JavaScript or TypeScript `main`.
ENDINGS: Final = (".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".cts", ".tsx")
ModuleKind = Literal["esm", "commonjs", "script", "text", "data", "wasm", "json"]


@dataclass(frozen=True, slots=True)
class ModuleRule:
    """Files that a glob matches are modules of this kind. `fallthrough`: the next rule of the kind counts too."""

    kind: ModuleKind
    globs: tuple[str, ...]
    fallthrough: bool = False


@dataclass(frozen=True, slots=True)
class Build:
    """How a worker's files become modules; the fields are wrangler's.

    `root` is the folder of the configuration file, `base_dir` where the names of modules begin (default: the folder of
    `main`). `alias` and `define` are esbuild's. Source:
    https://developers.cloudflare.com/workers/wrangler/configuration/#bundling
    """

    root: Path
    no_bundle: bool = False
    find_additional_modules: bool = False
    preserve_file_names: bool = False
    base_dir: Path | None = None
    rules: tuple[ModuleRule, ...] = ()
    define: Mapping[str, str] = field(default_factory=dict)
    alias: Mapping[str, str] = field(default_factory=dict)
    minify: bool = False
    keep_names: bool = True
    tsconfig: Path | None = None
    jsx_factory: str = "React.createElement"
    jsx_fragment: str = "React.Fragment"


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
