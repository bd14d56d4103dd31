"""Modules of scripts under the names that their authors gave them, for libraries that look modules up.

The modules of a script lie in `sys.modules` under mangled names, but call themselves by their plain ones: `util`, not
"shop@3:util". Under the plain name stands one object for all scripts, which is for each script that asks its own
module. So pickle, typing, dataclasses, Django, logging.config, importlib.resources and unittest.mock find by
`__module__`, `__name__` or a text in a configuration what belongs to the script that they work for.
"""

import importlib
import sys
import threading
from collections.abc import Sequence
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Final

from edgeworker.runtime.contract.script_frames import Script, current_script
from edgeworker.runtime.python.script_loaders import ShimLoader

# What is another object for each script, and is taken into a library's own names by `from workers import env`.
_OF_A_SCRIPT: Final = {"workers": ("env",), "js": ("caches", "console")}
# The import system writes these; the module itself has them already.
_IMPORT_FIELDS: Final = frozenset(
    {"__cached__", "__file__", "__loader__", "__name__", "__package__", "__path__", "__spec__"}
)


class StandIn(ModuleType):
    """In `sys.modules`, for the modules of this name of all scripts and of other code."""

    def __getattribute__(self, name: str) -> object:
        if name == "__class__":
            return StandIn
        # Code that looks through all modules asks for such names; nothing is loaded for it, and what every module has
        # is there: pytest, for one, reads `__doc__` without a second thought.
        is_question = name.startswith("__") and name != "__path__"
        try:
            module = _module_of(self, may_load=not is_question)
        except AttributeError:
            if is_question:
                return ModuleType.__getattribute__(self, name)
            raise
        try:
            value: object = getattr(module, name)
        except AttributeError:
            # A package that scripts share imports a submodule once, while it works for one of them.
            submodule = sys.modules.get(f"{_name_of(self)}.{name}")
            if type(submodule) is not StandIn:
                raise
            value = _module_of(submodule)
        if name in _OF_A_SCRIPT.get(_name_of(self), ()):
            return _OfCurrentScript(self, name)
        return value

    def __setattr__(self, name: str, value: object) -> None:
        module = _module_of(self)
        if name in _IMPORT_FIELDS and getattr(module, name, None) is not None:
            return
        # The import system sets a submodule on its package.
        setattr(module, name, _module_of(value) if isinstance(value, StandIn) else value)

    def __delattr__(self, name: str) -> None:
        delattr(_module_of(self), name)

    def __dir__(self) -> list[str]:
        return dir(_module_of(self))

    def __repr__(self) -> str:
        return f"<modules {_name_of(self)!r} of workers>"


class StandInLoader(Loader):
    """Puts a stand-in in place of what a library imports by a plain name, and loads the script's own module."""

    def __init__(self, script: Script, real: ModuleSpec) -> None:
        self._script = script
        self._real = real

    def create_module(self, spec: ModuleSpec) -> StandIn:
        return place(spec.name, self._script)

    def exec_module(self, module: ModuleType) -> None:
        if isinstance(module, StandIn) and self._script.find_module(_name_of(module)) is None:
            raise ModuleNotFoundError(f"No module named {_name_of(module)!r}", name=_name_of(module))

    def __getattr__(self, name: str) -> object:
        """`get_data`, `get_source`, `get_resource_reader`, ... of the loader of the script's own module."""
        if name in ("_real", "_script"):
            raise AttributeError(name)
        return getattr(self._real.loader, name)


class _OfCurrentScript:
    """`env` of `from workers import env` in a package that several scripts share: that of the script that asks."""

    def __init__(self, module: StandIn, name: str) -> None:
        self.__dict__["_of"] = module, name

    def _found(self) -> object:
        module, name = self.__dict__["_of"]
        return getattr(_module_of(module), name)

    def __getattr__(self, name: str) -> object:
        return getattr(self._found(), name)

    def __setattr__(self, name: str, value: object) -> None:
        setattr(self._found(), name, value)

    def __dir__(self) -> list[str]:
        return dir(self._found())

    def __repr__(self) -> str:
        return repr(self._found())


def may_stand(name: str) -> bool:
    """Whether `name`, of the top level, is free for scripts: the process's own modules keep their places."""
    return name not in sys.stdlib_module_names and not is_of_others(name)


def is_of_others(name: str) -> bool:
    """Whether a module of that name is loaded that is neither a script's nor one of ours for unit tests."""
    there = sys.modules.get(name)
    return there is not None and type(there) is not StandIn and not isinstance(_loader_of(there), ShimLoader)


def place(name: str, script: Script) -> StandIn:
    """The stand-in of that name, put where libraries look. It stays until the last script that asked for it closes."""
    with _places:
        _scripts_of.setdefault(name, set()).add(script)
        there = sys.modules.get(name)
        if isinstance(there, StandIn):
            return there
        stand_in = StandIn(name)
        if there is not None:
            _elsewhere[name] = there
        sys.modules[name] = stand_in
        return stand_in


def _loader_of(module: ModuleType) -> object:
    return getattr(module, "__loader__", None)


def release(script: Script) -> None:
    """The script is closed: names that no other script uses go back to the process's own modules."""
    with _places:
        for name in [name for name, scripts in _scripts_of.items() if script in scripts]:
            _scripts_of[name].discard(script)
            if _scripts_of[name]:
                continue
            del _scripts_of[name]
            module = _elsewhere.pop(name, None)
            if type(sys.modules.get(name)) is StandIn:
                if module is None:
                    sys.modules.pop(name, None)
                else:
                    sys.modules[name] = module


def spec_of(script: Script, name: str, real: ModuleSpec) -> ModuleSpec:
    """The spec of a script's module that is imported by its plain name."""
    spec = ModuleSpec(name, StandInLoader(script, real), origin=real.origin)
    spec.submodule_search_locations = real.submodule_search_locations
    spec.has_location = real.has_location
    return spec


def find_elsewhere(name: str, besides: object, path: Sequence[str] | None = None) -> ModuleSpec | None:
    """What the process's other finders know under a name."""
    for finder in sys.meta_path:
        if finder is besides:
            continue
        find = getattr(finder, "find_spec", None)
        spec = None if find is None else find(name, path)
        if isinstance(spec, ModuleSpec):
            return spec
    return None


def outside_scripts(module: ModuleType) -> ModuleType:
    """What `importlib.import_module` gives to code that is not a script's. Raises ModuleNotFoundError."""
    if type(module) is not StandIn:
        return module
    try:
        return _module_of(module)
    except AttributeError:
        name = _name_of(module)
        raise ModuleNotFoundError(f"No module named {name!r}", name=name) from None


_elsewhere: Final[dict[str, ModuleType]] = {}
_import_module: Final = importlib.import_module
_scripts_of: Final[dict[str, set[Script]]] = {}
# What is placed and released, by scripts of several threads; reentrant, because a collected object may close a worker.
_places: Final = threading.RLock()
# One import at a time of code that is not a script's. Not taken while `_places` is held: an import may place one.
_lock: Final = threading.RLock()


def _name_of(stand_in: ModuleType) -> str:
    name: str = ModuleType.__getattribute__(stand_in, "__dict__")["__name__"]
    return name


def _module_of(stand_in: ModuleType, *, may_load: bool = True) -> ModuleType:
    """Raises AttributeError if there is no such module."""
    if type(stand_in) is not StandIn:
        return stand_in
    name = _name_of(stand_in)
    script = current_script()
    own = None if script is None else script.find_module(name, may_load=may_load)
    module = own or _elsewhere.get(name)
    if module is None and may_load:
        module = _load_elsewhere(name)
    if module is None:
        raise AttributeError(f"module {name!r} belongs to a worker, and was imported where no worker runs")
    return module


def _load_elsewhere(name: str) -> ModuleType | None:
    """Code that is not a script's may have modules of the same names, such as tests that import a script."""
    with _lock:
        stand_in = sys.modules.pop(name, None)
        module = None
        try:
            module = _import_module(name)
        except ModuleNotFoundError as error:
            if error.name is None or not name.startswith(error.name):
                raise
        finally:
            with _places:
                if name in _scripts_of:
                    if module is not None:
                        _elsewhere[name] = module
                    if stand_in is not None:
                        sys.modules[name] = stand_in
    return module
