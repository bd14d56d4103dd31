"""How the `import` of a script finds its modules, without touching those of others.

Every module that a worker owns lies in `sys.modules` under a mangled name, "shop@3:util" for module `util` of worker
"shop", third script loaded in this process. So two workers may each have a `util`, a reloaded worker lives beside its
predecessor, and code that looks a module up by `__module__` or `__name__` (dataclasses, pickle, typing, inspect,
relative imports, `importlib.reload`) finds the right one.

Three small things make it work. Each module of a worker has a `__builtins__` of its own whose `__import__` mangles the
names that the worker owns; functions keep the builtins of the module they were written in, so this holds for imports
at request time and in threads. A finder in front of `sys.meta_path` loads mangled names, and only those.
`importlib.import_module` is replaced, while any script is loaded, by one that mangles for callers within a script.
"""

import builtins
import importlib
import importlib.util
import itertools
import sys
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from importlib.machinery import (
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    ModuleSpec,
    SourceFileLoader,
)
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Final

from edgeworker.runtime.contract.script_frames import MARK, Script, current_script, enter_script
from edgeworker.runtime.python import (
    blocking_loop,
    ending_guard,
    extension_guard,
    guarded_modules,
    http_client_library,
    http_libraries,
    missing_await,
    process_guard,
    script_logging,
    socket_guard,
    stand_ins,
)
from edgeworker.runtime.python.load_turns import build_class_in_turn
from edgeworker.runtime.python.script_loaders import ScriptLoader, ShimLoader, ValueLoader, make_spec, rename_spec
from edgeworker.runtime.python.script_sys import ScriptSys, make_print
from edgeworker.runtime.python.startup_entropy import forbid_entropy

if TYPE_CHECKING:
    from importlib.metadata import Distribution, DistributionFinder

# Of the first months of Python Workers. Cloudflare's SDK of its API, which may be installed, is `cloudflare` too.
_OLD_NAMES: Final = {"cloudflare.workers": "workers"}
_JS: Final = "js"
_PYTHON_MODULES: Final = "python_modules"  # where pywrangler puts the packages that are deployed
_numbers: Final = itertools.count(1)
_open: Final[dict[str, "Modules"]] = {}
# Edges may live on loops of several threads. Reentrant, because a collected object may close a worker at any moment.
_lock: Final = threading.RLock()
_builtin_import: Final = builtins.__import__
_import_module: Final = importlib.import_module
_reload: Final = importlib.reload

# Names of a module that we supply ("js", "workers.asgi") -> what fills its namespace.
Shims = Mapping[str, Callable[[], Mapping[str, object]]]


class Modules(Script):
    """The modules of one loaded worker.

    A name is looked for in this order: modules and packages beside the script, the names that we supply (`shims`),
    what is installed or in the standard library, folders without an `__init__.py` beside the script, and at last
    `python_modules/`: those packages were chosen for WebAssembly, so an installed one is better.
    """

    def __init__(self, worker: str, main: Path, shims: Shims) -> None:
        super().__init__(worker)
        self.prefix = f"{worker}@{next(_numbers)}:"
        self.main = self.prefix + main.stem.replace(".", "_")
        self._main_path = main
        self._shims = shims
        self._own = self._finder(main.parent, cached=False)
        vendored = (folder / _PYTHON_MODULES for folder in (main.parent, main.parent.parent))
        self._vendored = [self._finder(folder, cached=True) for folder in vendored if folder.is_dir()]
        self._finders: dict[str, FileFinder] = {}
        self._owned: dict[str, bool] = {}
        self._plainly: dict[str, bool] = {}  # names at the top that the script's modules go by for libraries
        self._running: list[ModuleType] = []  # their specifications still have the mangled names
        self.sys = ScriptSys()
        own = {"__import__": self._import, "print": make_print(self.sys), MARK: self}
        self.builtins: dict[str, object] = {**vars(builtins), "__build_class__": build_class_in_turn, **own}
        _install(self)
        for name in shims:
            if name in sys.modules and self.is_plain(name):  # unit tests imported it: libraries would find theirs
                stand_ins.place(name, self)

    def close(self) -> None:
        """Forgets every module. Code that still runs keeps what it has and can import nothing more of its own."""
        _uninstall(self)
        # A list first, in one step: another thread may import meanwhile.
        for mangled in list(sys.modules):
            if mangled.startswith(self.prefix):
                sys.modules.pop(mangled, None)
        stand_ins.release(self)

    def load_main(self) -> ModuleType:
        """Run the script. Raises what the script raises while it is imported."""
        with enter_script(self), forbid_entropy(self):
            return self._settled(_import_module(self.main))

    def import_(self, name: str) -> ModuleType:
        """What `import name` at the top of the script would give, the module itself also for a dotted name."""
        with enter_script(self):
            return self._settled(_import_module(self.mangled(name)))

    def find_module(self, name: str, *, may_load: bool = True) -> ModuleType | None:
        mangled = self.mangled(name)
        if mangled == name:
            return None
        module = sys.modules.get(mangled)
        if module is None and may_load:
            try:
                return self._settled(_import_module(mangled))
            except ModuleNotFoundError as error:
                if error.name is None or not mangled.startswith(error.name):
                    raise
        return module

    def name_plainly(self, module: ModuleType) -> None:
        name = module.__name__.removeprefix(self.prefix)
        if self.is_plain(name):
            if name not in self._shims:  # a library that imports one of those gets its stand-in then
                stand_ins.place(name, self)
            module.__name__ = name
            module.__package__ = name if hasattr(module, "__path__") else name.rpartition(".")[0]
            self._running.append(module)

    def is_plain(self, name: str) -> bool:
        """Whether libraries know the script's modules of this name by it. Not if the process has another one: then
        they find the script's by its mangled name.
        """
        top = name.partition(".")[0]
        plain = self._plainly.get(top)
        if plain is None:
            plain = self._plainly[top] = self.owns(top) and stand_ins.may_stand(top)
        return plain

    def reload(self, module: ModuleType) -> ModuleType:
        """What `importlib.reload` does for a module of the script."""
        specification = module.__spec__
        if specification is not None and not specification.name.startswith(self.prefix):
            rename_spec(specification, self.prefix + specification.name)
        return self._settled(_reload(module))

    def _settled(self, module: ModuleType) -> ModuleType:
        """After an import: the specifications of modules that have run say the plain name too."""
        for running in list(self._running):
            specification = running.__spec__
            if specification is None or not getattr(specification, "_initializing", False):
                with suppress(ValueError):  # another thread saw it too
                    self._running.remove(running)
                if specification is not None:
                    rename_spec(specification, running.__name__)
        return module

    def mangled(self, name: str) -> str:
        """The name under which the import system knows what the script calls `name`."""
        return self.prefix + name if not name.startswith(self.prefix) and self.owns(name) else name

    def owns(self, name: str) -> bool:
        """Whether this name is resolved here, and not among what is installed."""
        top = name.partition(".")[0]
        if self.prefix + top == self.main:
            return True
        owned = self._owned.get(top)
        if owned is None:
            owned = self._owned[top] = self._find_owner(top)
        return owned

    def brings(self, name: str) -> bool:
        """Whether a module of this name is deployed with the script: its own one, or one in `python_modules/`."""
        top = name.partition(".")[0]
        return self.owns(top) or any(finder.find_spec(top) is not None for finder in self._vendored)

    def list_sources(self) -> list[Path]:
        """The script's own files that were loaded."""
        loaders = (
            getattr(each, "__loader__", None)
            for name, each in list(sys.modules.items())
            if name.startswith(self.prefix)
        )
        return [Path(each.path) for each in loaders if isinstance(each, ScriptLoader) and not each.cached]

    def webassembly(self, name: str) -> Path | None:
        """The extension module of this name in `python_modules/`, where it is built for WebAssembly."""
        *packages, last = name.split(".")
        for finder in self._vendored:
            for file in Path(finder.path, *packages).glob(f"{last}.*.so"):
                if "wasm" in file.name or "emscripten" in file.name:
                    return file
        return None

    def plain(self, text: str) -> str:
        """A text for people: the module names in it as the script spells them."""
        return text.replace(self.prefix, "")

    def spec(self, name: str) -> ModuleSpec | None:
        """Where the module of this (not mangled) name is, for the import system."""
        mangled = self.prefix + name
        if mangled == self.main:
            return make_spec(mangled, ScriptLoader(self, mangled, str(self._main_path)), None)
        if name in self._shims and not self._is_own(name):
            shim = ShimLoader(self._shims[name], self)
            # A global of JavaScript can be imported as a module of `js`.
            is_package = name == _JS or any(other.startswith(name + ".") for other in self._shims)
            return ModuleSpec(mangled, shim, origin="edgeworker", is_package=is_package)
        if name.startswith(_JS + ".") and not self._is_own(_JS):
            value: object = vars(sys.modules[self.prefix + _JS]).get(name.removeprefix(_JS + "."))
            return None if value is None else ModuleSpec(mangled, ValueLoader(value), origin="edgeworker")
        package, _, tail = name.rpartition(".")
        if package:
            places = [self._in(place) for place in sys.modules[self.prefix + package].__path__]
        else:
            places = [self._own, *self._vendored]
        found = [spec for finder in places if (spec := finder.find_spec(tail)) is not None]
        for spec in found:
            match spec.loader:
                case SourceFileLoader() as loader:
                    cached = not isinstance(loader, ScriptLoader) or loader.cached
                    own = ScriptLoader(self, mangled, loader.path, cached=cached)
                    return make_spec(mangled, own, spec.submodule_search_locations)
                case ExtensionFileLoader() as loader:
                    return make_spec(mangled, ExtensionFileLoader(mangled, loader.path), None)
                case _:
                    continue
        if not found:
            return None
        folder = ModuleSpec(mangled, None, is_package=True)
        folder.submodule_search_locations = [
            place for spec in found for place in (spec.submodule_search_locations or [])
        ]
        return folder

    def _import(
        self,
        name: str,
        globals: Mapping[str, object] | None = None,
        locals: Mapping[str, object] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        """The `__import__` of the worker's modules."""
        if name == "sys" and not level:
            return self.sys
        if fromlist and name in _OLD_NAMES:
            name = _OLD_NAMES[name]
        package = globals.get("__package__") if level and globals is not None else None
        if isinstance(package, str) and package and not package.startswith(self.prefix):
            name, level = importlib.util.resolve_name("." * level + name, package), 0
        if level or not self.owns(name):
            module = _builtin_import(name, globals, locals, fromlist or (), level)
            self._adapt_libraries(name)
            return self._settled(module)
        try:
            module = _builtin_import(self.prefix + name, globals, locals, fromlist or (), 0)
            self._adapt_libraries(name)
            return self._settled(module)
        except ModuleNotFoundError as error:
            if error.name is None or not error.name.startswith(self.prefix):
                raise
            plain = self.plain(error.name)
            raise ModuleNotFoundError(self.plain(str(error)), name=plain) from None

    def _adapt_libraries(self, name: str) -> None:
        """After an import of the script: HTTP libraries that came with it go out by its fetch()."""
        if http_libraries.adapt_imported(name, self.prefix):
            self.waits = True

    def _find_owner(self, top: str) -> bool:
        if self._is_own(top) or top in self._shims:
            return True
        shared = stand_ins.is_of_others(top) or stand_ins.find_elsewhere(top, _finder) is not None
        return not shared and any(finder.find_spec(top) is not None for finder in (self._own, *self._vendored))

    def _is_own(self, name: str) -> bool:
        """Beside the script, as a file or a package. A mere folder is not enough: it may hold assets."""
        spec = None if "." in name else self._own.find_spec(name)
        return spec is not None and spec.loader is not None

    def _in(self, place: str) -> FileFinder:
        finder = self._finders.get(place)
        if finder is None:
            folder = Path(place)
            finder = self._finders[place] = self._finder(folder, cached=_PYTHON_MODULES in folder.parts)
        return finder

    def _finder(self, folder: Path, *, cached: bool) -> FileFinder:
        class _ForHere(ScriptLoader):
            def __init__(loader, fullname: str, path: str) -> None:
                super().__init__(self, fullname, path, cached=cached)

        return FileFinder(str(folder), (ExtensionFileLoader, EXTENSION_SUFFIXES), (_ForHere, SOURCE_SUFFIXES))


class _Finder:
    """First in `sys.meta_path`. Knows mangled names and, for libraries that work for a script, its plain ones."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        prefix, mark, name = fullname.partition(":")
        if mark:
            modules = _open.get(prefix + mark)
            return None if modules is None else modules.spec(name)
        if fullname in guarded_modules.GUARDS:
            return guarded_modules.guard_when_loaded(stand_ins.find_elsewhere(fullname, self, path), fullname)
        script = current_script()
        if not isinstance(script, Modules) or not script.is_plain(fullname):
            return None
        package = fullname.rpartition(".")[0]
        if package and script.find_module(package) is None:
            return None
        real = script.spec(fullname)
        return None if real is None else stand_ins.spec_of(script, fullname, real)

    def find_distributions(self, context: "DistributionFinder.Context") -> "Iterable[Distribution]":
        from edgeworker.runtime.python.distributions import find_distributions  # seldom wanted, slow to load

        script = current_script()
        return find_distributions(script._vendored if isinstance(script, Modules) else (), context)


_finder: Final = _Finder()


def _install(modules: Modules) -> None:
    """The finder is looked for each time: who restores `sys.meta_path`, as pytest's pytester does, takes it away."""
    with _lock:
        _open[modules.prefix] = modules
        if _finder not in sys.meta_path:
            sys.meta_path.insert(0, _finder)
        importlib.import_module = _import_module_for_scripts
        importlib.reload = _reload_for_scripts
        blocking_loop.install(lambda: current_script() is not None)
        socket_guard.install()
        extension_guard.install()
        process_guard.install()
        ending_guard.install()
        script_logging.install()
        missing_await.install()
        http_client_library.install()


def _uninstall(modules: Modules) -> None:
    with _lock:
        if _open.pop(modules.prefix, None) is not None and not _open:
            if _finder in sys.meta_path:
                sys.meta_path.remove(_finder)
            importlib.import_module = _import_module
            importlib.reload = _reload
            blocking_loop.uninstall()
            socket_guard.uninstall()
            extension_guard.uninstall()
            process_guard.uninstall()
            ending_guard.uninstall()
            script_logging.uninstall()
            missing_await.uninstall()
            http_client_library.uninstall()


def _import_module_for_scripts(name: str, package: str | None = None) -> ModuleType:
    modules = current_script()
    if not isinstance(modules, Modules):
        return stand_ins.outside_scripts(_import_module(name, package))
    if name == "sys":
        return modules.sys
    if not name.startswith("."):
        name = modules.mangled(name)
    elif package is not None:
        package = modules.mangled(package)
    try:
        return modules._settled(_import_module(name, package))
    except ModuleNotFoundError as error:
        if error.name is None or not error.name.startswith(modules.prefix):
            raise
        raise ModuleNotFoundError(modules.plain(str(error)), name=modules.plain(error.name)) from None


def _reload_for_scripts(module: ModuleType) -> ModuleType:
    own_builtins = vars(module).get("__builtins__")
    script = own_builtins.get(MARK) if isinstance(own_builtins, dict) else None
    return (
        script.reload(sys.modules[script.prefix + module.__name__]) if isinstance(script, Modules) else _reload(module)
    )
