"""A worker's own files as modules, without a bundler: `no_bundle`, or no esbuild is there.

Imports are followed from `main`. A relative import finds its file as a bundler would (`./a` is `./a.ts`,
`./a/index.js`), and its text is replaced by the exact name, because engines look modules up by name. Packages of
node_modules need a bundler: their entry points, conditions and CommonJS are its work.
"""

import posixpath
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from edgeworker.errors import ScriptError
from edgeworker.javascript.build import Build, ModuleKind, ModuleRule
from edgeworker.javascript.node_builtins import is_provided
from edgeworker.javascript.project import Module, Project
from edgeworker.javascript.rules import effective_rules, kind_of
from edgeworker.javascript.sourcemaps import SourceMap
from edgeworker.javascript.syntax import Import, ModuleSyntax, read_syntax

MAX_FILES: Final = 2_000
MAX_BYTES: Final = 64 * 1024 * 1024
_TYPESCRIPT: Final = (".ts", ".mts", ".cts", ".tsx", ".jsx")
_CODE: Final = (".js", ".mjs", ".cjs", *_TYPESCRIPT)
_TRIED_ENDINGS: Final = ("", *_CODE, ".json", *(f"/index{ending}" for ending in _CODE))

# JavaScript of a TypeScript or JSX file, line for line; raises ScriptError for syntax that it does not know.
StripTypes = Callable[[str, Path], str]


def collect(main: Path, build: Build, strip_types: StripTypes | None) -> Project:
    """`strip_types` None: a TypeScript file is an error that says what would run it.

    Raises ScriptError for a file or package that cannot be found, with the line of its import.
    """
    base = (build.base_dir or main.parent).resolve()
    files = _ModuleCollector(base, build, effective_rules(build.rules), strip_types)
    entry = files.add(main.resolve(), imported_by=None)
    if build.find_additional_modules:
        files.add_by_rules(main.resolve())
    modules = tuple(files.modules.values())
    syntax = files.syntax[entry]
    is_service_worker = not syntax.has_default_export
    return Project(build.root, entry, modules, is_service_worker, files.source_maps, tuple(sorted(files.paths)))


@dataclass(slots=True)
class _ModuleCollector:
    base: Path
    build: Build
    rules: tuple[ModuleRule, ...]
    strip_types: StripTypes | None
    modules: dict[str, Module] = field(default_factory=dict)
    syntax: dict[str, ModuleSyntax] = field(default_factory=dict)
    source_maps: dict[str, SourceMap] = field(default_factory=dict)
    paths: set[Path] = field(default_factory=set)
    size: int = 0

    def add(self, file: Path, *, imported_by: str | None, kind: ModuleKind | None = None) -> str:
        """The name of the module, with all that it imports; a file that is there already is not read again."""
        name = self._name(file)
        if name in self.modules:
            return name
        content = self._read(file, imported_by)
        kind = kind or self._find_kind(file, name)
        self.modules[name] = Module(name, kind, content)  # before its imports: they may lead back here
        if kind in ("esm", "commonjs"):
            source = self._decode(content, file)
            syntax = self.syntax[name] = read_syntax(source)
            if kind == "esm" and imported_by is None and not syntax.is_module:
                kind = "script"  # sloppy mode, as a classic service worker has it
            if self.build.no_bundle:
                self._read_source_map(file, name)
            linked = source if self.build.no_bundle else self._link(source, syntax, file, name)
            self.modules[name] = Module(name, kind, linked.encode())
        return name

    def add_by_rules(self, main: Path) -> None:
        """What `find_additional_modules` brings: every file below the base that a rule names."""
        for file in sorted(self.base.rglob("*")):
            name = file.relative_to(self.base).as_posix()
            if file == main or "node_modules" in file.parts or not file.is_file():
                continue
            kind = kind_of(name, self.rules)
            if kind is not None:
                self.add(file, imported_by="find_additional_modules", kind=kind)

    def _read_source_map(self, file: Path, name: str) -> None:
        """That of a ready bundle, where it lies beside it; one that cannot be read is as none."""
        written = file.with_name(f"{file.name}.map")
        if not written.is_file():
            return
        try:
            text = self._read(written, None).decode("utf-8")
            self.source_maps[name] = SourceMap.parse(text, partial(self._name_source, written.parent))
        except ValueError:
            return

    def _name_source(self, folder: Path, source: str) -> str:
        return posixpath.relpath(posixpath.join(folder.as_posix(), source), self.build.root.resolve().as_posix())

    def _link(self, source: str, syntax: ModuleSyntax, file: Path, name: str) -> str:
        for found in reversed(syntax.imports):
            target = self._resolve(found, file)
            if target is None:
                continue
            imported = self.add(target, imported_by=f"{self._name_file(file)}:{found.line}")
            relative = posixpath.relpath(imported, posixpath.dirname(name) or ".")
            text = relative if relative.startswith(".") else f"./{relative}"
            quote = source[found.start]
            source = source[: found.start] + quote + text + quote + source[found.end :]
        return source

    def _resolve(self, found: Import, file: Path) -> Path | None:
        """None for a module that the engine provides. `import x from "page.html"` without "./" is a file too."""
        specifier = self.build.alias.get(found.specifier, found.specifier)
        if is_provided(specifier) or specifier == "__STATIC_CONTENT_MANIFEST":
            return None
        where = f"{self._name_file(file)}:{found.line}"
        folder = file.parent
        is_bare = not specifier.startswith((".", "/"))
        for ending in _TRIED_ENDINGS:
            candidate = Path(f"{folder / specifier.partition('?')[0]}{ending}")
            if candidate.is_file():
                return candidate.resolve()
        # TypeScript with "moduleResolution": "nodenext" writes ./a.js for ./a.ts.
        for ending in _TYPESCRIPT:
            candidate = (folder / specifier).with_suffix(ending)
            if specifier.endswith((".js", ".mjs", ".jsx")) and candidate.is_file():
                return candidate.resolve()
        if found.is_dynamic:
            return None
        if is_bare:
            raise ScriptError(
                f'{where}: "{specifier}" is a package, and there is no esbuild to bundle it: run "npm install '
                '--save-dev esbuild" in the project, or let "main" be a ready bundle'
            )
        raise ScriptError(f'{where}: the import "{specifier}" matches no file; correct its path')

    def _find_kind(self, file: Path, name: str) -> ModuleKind:
        by_rule = kind_of(name, self.rules)
        if by_rule is not None:
            return by_rule
        if file.suffix == ".json":
            return "json"
        return "commonjs" if file.suffix in (".cjs", ".cts") else "esm"

    def _decode(self, content: bytes, file: Path) -> str:
        try:
            source = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            raise ScriptError(f"{self._name_file(file)}:{line}: the file is not UTF-8; save it as UTF-8") from error
        if file.suffix not in _TYPESCRIPT:
            return source
        if self.strip_types is None:
            raise ScriptError(
                f"{self._name_file(file)}: TypeScript and JSX need esbuild or the embedded JavaScript engine: run "
                '"npm install --save-dev esbuild" in the project, or install edgeworker[javascript], on Python 3.11 or '
                "3.13"
            )
        return self.strip_types(source, file)

    def _read(self, file: Path, imported_by: str | None) -> bytes:
        if len(self.paths) >= MAX_FILES:
            raise ScriptError(f"The worker has more than {MAX_FILES} modules; bundle it, and point main at the bundle")
        try:
            content = file.read_bytes()
        except OSError as error:
            where = f"{imported_by}: " if imported_by is not None else ""
            raise ScriptError(f"{where}{self._name_file(file)} cannot be read: {error.strerror}") from error
        self.size += len(content)
        if self.size > MAX_BYTES:
            raise ScriptError(
                f"The worker's modules are larger than {MAX_BYTES >> 20} MiB; bundle it with minify = true"
            )
        self.paths.add(file)
        return content

    def _name(self, file: Path) -> str:
        try:
            return file.relative_to(self.base).as_posix()
        except ValueError:
            # Outside of the base: the names of its folders are kept, without a way up.
            return "/".join(("_", *file.parts[1:]))

    def _name_file(self, file: Path) -> str:
        try:
            return file.relative_to(self.build.root.resolve()).as_posix()
        except ValueError:
            return str(file)
