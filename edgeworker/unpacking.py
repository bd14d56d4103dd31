"""Unpacks parts of the single binary with the import that needs them.

PyInstaller's loader would unpack everything at each start, which is most of what a short command costs. The binary that
`poe build` makes gives it only what Python begins with (see .ci/binary_parts.py); the rest lies compressed in the
program's own file, and comes into the same folder, which only its user may enter.

It is imported before anything else is unpacked, so it needs only what Python begins with.
"""

import os
import sys
import zlib
from _thread import get_ident
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from importlib.abc import Loader
    from importlib.machinery import ModuleSpec
else:
    Loader = object  # whose module is slow to load

_OWN_PROGRAM: Final = "/proc/self/exe"


class Parts(NamedTuple):
    """`files`: by its path below the folder, where a part begins in the archive, and its compressed length.
    `needed`: by the name of a module, the parts that it needs. `hooks`: by the name of a module, the one to import
    after it."""

    files: Mapping[str, tuple[int, int]]
    needed: Mapping[str, Sequence[str]]
    hooks: Mapping[str, str]


class Unpacker:
    """A finder of modules that finds none: it is asked before the others, and unpacks what they will look for."""

    def __init__(self, parts: Parts, *, program: str, start: int, folder: str) -> None:
        """`start`: where the archive begins in the file `program`."""
        self._parts = parts
        self._program = program
        self._start = start
        self._folder = folder
        self._looking: set[tuple[str, int]] = set()  # others of sys.meta_path ask us again, as that of scripts does

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> "ModuleSpec | None":
        """Raises ImportError if what the module needs cannot be written, as on a full disk."""
        needed = self._parts.needed.get(name)
        if needed is not None:
            try:
                self.unpack(needed)
            except OSError as error:
                reason = f"{name} cannot be unpacked into {self._folder}: {error.strerror or error}"
                raise ImportError(reason, name=name) from error
        hook, looking = self._parts.hooks.get(name), (name, get_ident())
        if hook is None or looking in self._looking:
            return None
        self._looking.add(looking)
        try:
            for finder in sys.meta_path:
                spec = None if finder is self else finder.find_spec(name, path, target)
                if spec is not None:
                    if spec.loader is not None:
                        spec.loader = _LoaderWithHook(spec.loader, hook)
                    return spec
        finally:
            self._looking.discard(looking)
        return None

    def unpack(self, files: Iterable[str]) -> None:
        """Raises OSError. What is there already stays; processes that share the folder may do the same at once."""
        for file in files:
            target = os.path.join(self._folder, file)
            if os.path.exists(target):
                continue
            begin, length = self._parts.files[file]
            with open(self._program, "rb") as program:
                program.seek(self._start + begin)
                packed = program.read(length)
            try:
                content = zlib.decompress(packed)
            except zlib.error:
                raise OSError(f"{self._program} was changed since it was started") from None
            _make_folders(os.path.dirname(target))
            _write_whole(target, content)
            folder = target
            while len(folder) > len(self._folder):
                folder = os.path.dirname(folder)
                sys.path_importer_cache.pop(folder, None)  # it may have seen the folder without this file

    def unpack_below(self, folder: str) -> None:
        """Raises OSError."""
        self.unpack([file for file in self._parts.files if file.startswith(f"{folder}/") or not folder])


class _LoaderWithHook(Loader):
    """Loads as `loader` does, then imports the module `hook`."""

    def __init__(self, loader: Loader, hook: str) -> None:
        self._loader = loader
        self._hook = hook

    def create_module(self, spec: "ModuleSpec") -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        import_module(self._hook)


def _make_folders(folder: str) -> None:
    if not os.path.isdir(folder):
        _make_folders(os.path.dirname(folder))
        try:
            os.mkdir(folder, 0o700)
        except FileExistsError:
            if not os.path.isdir(folder):
                raise


def _write_whole(target: str, content: bytes) -> None:
    draft = f"{target}.{os.getpid()}-{get_ident()}"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o700)
    try:
        with open(descriptor, "wb") as file:
            file.write(content)
        os.rename(draft, target)
    except OSError:
        os.unlink(draft)
        raise


_installed: Unpacker | None = None


def install(unpacker: Unpacker) -> None:
    """For the start of the binary, before what is not unpacked yet is imported."""
    global _installed  # one for the process, as sys.meta_path is
    sys.meta_path.insert(0, unpacker)
    _installed = unpacker


def unpack_below(folder: str) -> None:
    """In the binary, unpacks the data below `folder`, everything if it is ""; elsewhere nothing is to be done.

    Raises OSError.
    """
    if _installed is not None:
        _installed.unpack_below(folder)


def own_program(program: str) -> str:
    """What to open for the parts of the running program, also when an upgrade has put another one in its place."""
    try:
        return _OWN_PROGRAM if os.path.samefile(_OWN_PROGRAM, program) else program
    except OSError:  # no /proc
        return program


def was_replaced(program: str) -> bool:
    """Whether another file, or none, is now where the running program was; False where that cannot be known."""
    return os.path.exists(_OWN_PROGRAM) and own_program(program) == program
