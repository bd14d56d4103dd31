"""Bundling with the project's own esbuild. It is looked for and never downloaded.

The options are those of wrangler 4.164 (deployment-bundle/bundle.ts), with two differences. Builtin modules of Node.js
stay imports at every compatibility date, so that the worker of an old webpack project (`import crypto from "crypto"`)
finds them. CommonJS packages that `require()` one get it: esbuild alone leaves a function that throws.
"""

import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

from edgeworker.errors import ScriptError
from edgeworker.javascript.build import Build, ModuleKind
from edgeworker.javascript.node_builtins import NODE_BUILTINS
from edgeworker.javascript.project import Module, Project
from edgeworker.javascript.rules import effective_rules, extensions_of
from edgeworker.javascript.sourcemaps import SourceMap

_TIMEOUT_SECONDS: Final = 120.0
_SHOWN_ERRORS: Final = 5
_TARGET: Final = "es2024"
_LOWERING_OPTIONS: Final = (
    "--supported:async-await=false",
    "--supported:async-generator=false",
    "--supported:for-await=false",
)
# `require` of bundled CommonJS code. A builtin's default export is what Node.js gives to `require`.
_REQUIRE: Final = (
    "import * as __ew_process from 'node:process';"
    "const require = Object.assign((name) => { const module = (__ew_process.getBuiltinModule "
    "?? __ew_process.default.getBuiltinModule)(name); "
    'if (module === undefined) throw new Error(`No such module "${name}"; only modules of Node.js can be required`); '
    "return module.default ?? module; }, { resolve: (name) => name });"
)


@dataclass(frozen=True, slots=True)
class Esbuild:
    """An esbuild program. `name` says which, for people: "esbuild 0.28.2 (node_modules)"."""

    program: Path
    name: str


def find_esbuild(root: Path) -> Esbuild | None:
    """The esbuild of the project in `root` or a folder above it, else one on PATH.

    The binary of the platform's package is preferred: it needs no Node.js.
    """
    for folder in (root, *root.parents):
        modules = folder / "node_modules"
        if not modules.is_dir():
            continue
        for program in _list_programs(modules):
            if program.is_file() and os.access(program, os.X_OK):
                return Esbuild(
                    program, f"{_read_version(modules)} of {modules.parent.name or modules.parent}/node_modules"
                )
    for folder in map(Path, filter(None, os.environ.get("PATH", "").split(os.pathsep))):
        for name in ("esbuild", "esbuild.exe"):
            if (folder / name).is_file() and os.access(folder / name, os.X_OK):
                return Esbuild(folder / name, f"esbuild of {folder}")
    return None


def _list_programs(modules: Path) -> Iterator[Path]:
    machine = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}.get(
        _find_machine(), _find_machine()
    )
    system = {"win32": "win32", "darwin": "darwin"}.get(sys.platform, "linux")
    package = f"{system}-{machine}"
    name = "esbuild.exe" if system == "win32" else "bin/esbuild"
    yield modules / "@esbuild" / package / name
    yield from sorted(modules.glob(f".pnpm/@esbuild+{package}@*/node_modules/@esbuild/{package}/{name}"), reverse=True)
    yield modules / "esbuild" / "bin" / "esbuild"


def _find_machine() -> str:
    return os.uname().machine.lower() if hasattr(os, "uname") else os.environ.get("PROCESSOR_ARCHITECTURE", "").lower()


def _read_version(modules: Path) -> str:
    try:
        package = json.loads((modules / "esbuild" / "package.json").read_bytes())
    except (OSError, ValueError):
        return "esbuild"
    version = package.get("version") if isinstance(package, dict) else None
    return f"esbuild {version}" if isinstance(version, str) else "esbuild"


def bundle(main: Path, build: Build, esbuild: Esbuild, *, lowers_async: bool = False) -> Project:
    """Blocks while esbuild runs. `lowers_async` as for `load_project`. Raises ScriptError with file, line and column
    for what esbuild refuses."""
    project, external = _bundle(main, build, esbuild, ())
    if lowers_async and external & {"async_hooks", "node:async_hooks"}:
        with contextlib.suppress(ScriptError):  # await at the top level cannot be lowered
            lowered, _ = _bundle(main, build, esbuild, _LOWERING_OPTIONS)
            return replace(lowered, lowers_async=True)
    return project


def _bundle(main: Path, build: Build, esbuild: Esbuild, more: tuple[str, ...]) -> tuple[Project, set[str]]:
    """The project, and what it imports of the engine."""
    with tempfile.TemporaryDirectory(prefix="edgeworker-bundle-") as folder:
        out = Path(folder).resolve()
        kinds = extensions_of(effective_rules(build.rules))
        places = (f"--outdir={out}", f"--metafile={out / '.meta.json'}")
        _run(esbuild, [*_list_options(main, build, kinds), *more, *places], build.root)
        return _read(out, main, build, esbuild, kinds)


def _list_options(main: Path, build: Build, kinds: Mapping[str, ModuleKind]) -> Iterator[str]:
    yield str(main)
    yield from ("--bundle", "--format=esm", "--platform=browser", "--conditions=workerd,worker,browser")
    yield from (f"--target={_TARGET}", "--supported:using=true", "--sourcemap=external", "--sources-content=false")
    yield from ("--loader:.js=jsx", "--loader:.mjs=jsx", "--loader:.cjs=jsx")
    yield from ("--log-level=error", "--log-limit=0", "--color=false", "--charset=utf8")
    yield from ("--external:node:*", "--external:cloudflare:*", "--external:workerd:*")
    yield "--external:__STATIC_CONTENT_MANIFEST"
    yield from (f"--external:{name}" for name in sorted(NODE_BUILTINS) if name not in build.alias)
    yield from (f"--loader:{ending}=copy" for ending, kind in kinds.items() if kind not in ("esm", "commonjs"))
    environment = json.dumps(os.environ.get("NODE_ENV") or "development")
    defines = {
        "navigator.userAgent": '"Cloudflare-Workers"',
        "process.env.NODE_ENV": environment,
        "global.process.env.NODE_ENV": environment,
        "globalThis.process.env.NODE_ENV": environment,
        **build.define,
    }
    yield from (f"--define:{name}={value}" for name, value in defines.items())
    yield from (f"--alias:{name}={target}" for name, target in build.alias.items())
    yield f"--jsx-factory={build.jsx_factory}"
    yield f"--jsx-fragment={build.jsx_fragment}"
    if build.keep_names:
        yield "--keep-names"
    if build.minify:
        yield "--minify"
    if build.preserve_file_names:
        yield "--asset-names=[dir]/[name]"
    if build.tsconfig is not None:
        yield f"--tsconfig={build.tsconfig}"


def _run(esbuild: Esbuild, options: list[str], root: Path) -> None:
    try:
        done = subprocess.run(
            [str(esbuild.program), *options],
            cwd=root,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=_TIMEOUT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ScriptError(
            f"{esbuild.name} did not finish within {_TIMEOUT_SECONDS:.0f} s; see what it waits for"
        ) from None
    except OSError as error:
        raise ScriptError(
            f"{esbuild.name} cannot be run: {error.strerror or error} ({esbuild.program}); install the project's "
            "packages again on this machine (npm ci)"
        ) from error
    if done.returncode != 0:
        raise ScriptError(_explain(done.stderr) or f"{esbuild.name} failed (exit {done.returncode}) and said nothing")


def _explain(text: str) -> str:
    """esbuild's own report, whose lines have the file, line, column and a mark, without its error count."""
    reports = re.split(r"(?m)^✘ \[ERROR\] ", text)[1:]
    shown = "\n".join(re.sub(r"(?m)^\d+ errors?$", "", report).strip() for report in reports[:_SHOWN_ERRORS])
    more = len(reports) - _SHOWN_ERRORS
    return shown + (f"\n(and {more} more errors)" if more > 0 else "") if reports else text.strip()


def _name_source(out: Path, root: Path, source: str) -> str:
    """A source as people know it: its path from the project's root. esbuild names it from its output folder."""
    return os.path.relpath(out / source, root.resolve()).replace(os.sep, "/")


def _read(
    out: Path, main: Path, build: Build, esbuild: Esbuild, kinds: Mapping[str, ModuleKind]
) -> tuple[Project, set[str]]:
    meta = json.loads((out / ".meta.json").read_bytes())
    modules: list[Module] = []
    maps: dict[str, SourceMap] = {}
    entry, exports = "", ()
    external: set[str] = set()
    for written, output in meta["outputs"].items():
        file = (build.root / written).resolve()
        name = file.relative_to(out).as_posix()
        if file.suffix == ".map":
            maps[name.removesuffix(".map")] = SourceMap.parse(
                file.read_text("utf-8"), partial(_name_source, out, build.root)
            )
            continue
        code = file.suffix == ".js" and output.get("inputs") != {} and "entryPoint" in output
        kind = "esm" if code else kinds.get(next((end for end in kinds if name.endswith(end)), ""), "esm")
        content = file.read_bytes()
        imports = [one for one in output.get("imports", ()) if one.get("external")]
        external.update(one["path"] for one in imports)
        if code and any(one["kind"] == "require-call" for one in imports):
            # On the first line, which is esbuild's own code, so that the source map stays right.
            content = _REQUIRE.encode() + content
        modules.append(Module(name, kind, content))
        if code:
            entry, exports = name, tuple(output["exports"])
    modules.sort(key=lambda module: module.name != entry)
    inputs = (build.root / name for name in meta["inputs"] if not name.startswith(("<", "(")))
    files = tuple(sorted({main.resolve(), *(file.resolve() for file in inputs if file.is_file())}))
    return Project(build.root, entry, tuple(modules), "default" not in exports, maps, files, esbuild.name), external
