"""How a module of a script is run: with builtins of its own, under the name that its author gave it."""

import hashlib
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.abc import Loader
from importlib.machinery import ExtensionFileLoader, ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from types import CodeType, ModuleType
from typing import Final, Protocol

from edgeworker.runtime.python.load_turns import give_turn

# Sources of which a part waits without `await`; of byte code only the first word is found.
_WAITS: Final = re.compile(
    rb"run_sync|run_until_complete|\basyncio\.run\b|^[ \t]*from asyncio import .*\brun\b"
    rb"|^[ \t]*(?:import|from)[ \t]+(?:httpx2?|requests|urllib3|urllib\.request|http\.client|xmlrpc)\b"
    rb"|^[ \t]*from[ \t]+(?:urllib[ \t]+import.*\brequest|http[ \t]+import.*\bclient)\b",
    re.MULTILINE,
)
# Imports within functions.
_LATE_IMPORT: Final = re.compile(rb"^[ \t]+(?:import|from)[ \t]+([A-Za-z_]\w*)", re.MULTILINE)
_MOST_COMPILED: Final = 256
_MOST_SCANNED: Final = 4096


@lru_cache(maxsize=_MOST_COMPILED)
def _compile_source(source: bytes) -> CodeType:
    return compile(source, "", "exec", dont_inherit=True)


def _compile(source: bytes, path: str) -> CodeType:
    """A published version has its files in a folder of its own, and most of them are those of the version before."""
    try:
        return _name_file(_compile_source(source), path)
    except SyntaxError:
        return compile(source, path, "exec", dont_inherit=True)  # for an error that names the file


def _name_file(code: CodeType, path: str) -> CodeType:
    inner = tuple(_name_file(one, path) if isinstance(one, CodeType) else one for one in code.co_consts)
    return code.replace(co_filename=path, co_consts=inner)


@dataclass(frozen=True, slots=True)
class _Scan:
    """What the text of a module says: that it waits, and what it imports within functions."""

    waits: bool
    late_imports: tuple[str, ...]


_scans: Final[dict[bytes, _Scan]] = {}  # by the digest of the text: libraries are large


def _scan(content: bytes) -> _Scan:
    digest = hashlib.sha256(content).digest()
    found = _scans.get(digest)
    if found is None:
        if len(_scans) >= _MOST_SCANNED:
            _scans.clear()
        late = dict.fromkeys(name.decode("ascii", "replace") for name in _LATE_IMPORT.findall(content))
        found = _scans[digest] = _Scan(_WAITS.search(content) is not None, tuple(late))
    return found


class Owner(Protocol):
    """The script, as far as its loaders need it."""

    builtins: dict[str, object]
    waits: bool

    def owns(self, name: str) -> bool:
        """Whether this is a module of the script."""
        ...

    def name_plainly(self, module: ModuleType) -> None:
        """Gives a module that is about to run its author's name, and libraries a way to find it."""
        ...


class ScriptLoader(SourceFileLoader):
    """Gives a module the worker's builtins.

    No byte code is written beside a script: it is matched by the second and the size, and a developer saves twice in a
    second. Vendored packages do not change under our feet (`cached`).
    """

    def __init__(self, owner: Owner, fullname: str, path: str, *, cached: bool = False) -> None:
        super().__init__(fullname, path)
        self.cached = cached
        self._owner = owner

    def path_stats(self, path: str) -> Mapping[str, object]:
        if not self.cached:
            raise OSError("byte code of scripts is not kept")
        return super().path_stats(path)

    def get_data(self, path: str) -> bytes:
        content = super().get_data(path)
        scan = _scan(content)
        if scan.waits or any(self._may_wait(name) for name in scan.late_imports):
            self._owner.waits = True
        return content

    def get_code(self, fullname: str) -> CodeType | None:
        """A reload compiles and scans those files only that have changed: requests wait meanwhile."""
        if self.cached:
            return super().get_code(fullname)
        path = self.get_filename(fullname)
        return _compile(self.get_data(path), path)

    def _may_wait(self, name: str) -> bool:
        """What a handler imports may stand on an HTTP library, which is known too late for its first request."""
        return name not in sys.stdlib_module_names and not self._owner.owns(name)

    def exec_module(self, module: ModuleType) -> None:
        vars(module)["__builtins__"] = self._owner.builtins
        # The parent reads the code by the name that the import system knows.
        code = self.get_code(module.__name__)
        if code is None:
            raise ImportError(f"no code in {self.path}", name=module.__name__)
        self._owner.name_plainly(module)
        give_turn()
        exec(code, vars(module))


class ShimLoader(Loader):
    """Fills a module that we supply. Each worker has a module object of its own, so one may patch it alone."""

    def __init__(self, fill: Callable[[], Mapping[str, object]], owner: Owner | None = None) -> None:
        self._fill = fill
        self._owner = owner

    def create_module(self, spec: ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        if self._owner is not None:
            self._owner.name_plainly(module)
        vars(module).update(self._fill())


class ValueLoader(Loader):
    """Puts a value in the place of a module, as Pyodide does for `import js.fetch`."""

    def __init__(self, value: object) -> None:
        self._value = value

    def create_module(self, spec: ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        any_objects: dict[str, object] = sys.modules  # type: ignore[assignment]  # the import system takes any object
        any_objects[module.__name__] = self._value


def make_spec(name: str, loader: SourceFileLoader | ExtensionFileLoader, places: list[str] | None) -> ModuleSpec | None:
    """`places`: where the modules of a package are."""
    return spec_from_file_location(name, loader.path, loader=loader, submodule_search_locations=places)


def rename_spec(specification: ModuleSpec, name: str) -> None:
    specification.name = name
    if isinstance(specification.loader, ScriptLoader):
        specification.loader.name = name
