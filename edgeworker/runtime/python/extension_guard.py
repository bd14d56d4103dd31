"""Extension modules that open sockets in C, which the socket guard does not see.

Imported for a script, they are refused unless the operator lets them in.

What a module can do is read from the file: the functions that it, or a library that lies with it, takes from libc.
A script that means to go around this can (ctypes): it shares the process with the edge.
"""

import logging
import sys
from collections.abc import Iterator
from functools import cache
from importlib.machinery import ExtensionFileLoader, ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Final

from edgeworker.runtime.contract.script_frames import calling_script
from edgeworker.runtime.python import tracebacks
from edgeworker.runtime.python.elf import read_shared_object
from edgeworker.runtime.python.told_once import ToldOnce

_log = logging.getLogger(__name__)
_CONNECTING: Final = frozenset({"connect", "getaddrinfo", "gethostbyname", "gethostbyname_r", "sendmsg", "sendto"})
# OpenSSL can open sockets, and these do not let it.
_HARMLESS_PACKAGES: Final = frozenset({"cryptography"})
_HARMLESS_LIBRARIES: Final = ("libcrypto", "libssl", "libxcb", "libX11", "libselinux", "libkrb5support")
_MOST_LIBRARIES: Final = 200
_create_module: Final = ExtensionFileLoader.create_module
_told: Final = ToldOnce()


def install() -> None:
    """While scripts are loaded; may be called again."""
    setattr(ExtensionFileLoader, "create_module", _create_for_script)  # noqa: B010  # mypy takes no assignment to a method


def uninstall() -> None:
    setattr(ExtensionFileLoader, "create_module", _create_module)  # noqa: B010


def _create_for_script(self: ExtensionFileLoader, spec: ModuleSpec) -> ModuleType:
    script = calling_script()
    name = spec.name.rpartition(":")[2]  # the prefix of a script's own modules goes before a colon
    if script is not None and not _is_harmless(spec.name) and opens_sockets(Path(self.path)):
        refusal = script.sockets.refuse_extension(name)
        _tell(script.worker, name, refusal)
        if refusal is not None:
            raise ImportError(refusal, name=name, path=self.path)
    if name != spec.name and "." not in name:  # the loader makes the name of its init function of what follows a dot
        spec = ModuleSpec(name, self, origin=spec.origin)
    return _create_module(self, spec)


def _is_harmless(name: str) -> bool:
    """Modules of the standard library use its `socket`, which is guarded."""
    top = name.partition(".")[0]
    return top in sys.stdlib_module_names or top in _HARMLESS_PACKAGES


@cache
def opens_sockets(file: Path) -> bool:
    """Whether the extension module, or a library that lies with it, can. What cannot be read is taken to.

    What is not of Linux is not read.
    """
    try:
        return any(imports & _CONNECTING for imports in _imports(file))
    except (OSError, ValueError):
        return True


def _imports(file: Path) -> Iterator[frozenset[str]]:
    """Of the file, and of what it needs, as far as that is not of the system."""
    left, seen = [file], {file}
    folders: list[Path] | None = None
    while left:
        found = read_shared_object(left.pop())
        if found is None:
            continue
        yield found.imports
        for need in found.needs:
            if need.startswith(_HARMLESS_LIBRARIES):
                continue
            folders = _library_folders(file) if folders is None else folders
            library = next((folder / need for folder in folders if (folder / need).is_file()), None)
            if library is not None and library not in seen and len(seen) < _MOST_LIBRARIES:
                seen.add(library)
                left.append(library)


def _library_folders(file: Path) -> list[Path]:
    """Where wheels have their libraries: beside the module, and in `NAME.libs` beside a package that it is in."""
    parents = list(file.parents)[:4]
    return [file.parent, *(folder for parent in parents for folder in parent.glob("*.libs"))]


def _tell(worker: str, name: str, refusal: str | None) -> None:
    if not _told.is_first(worker, name):
        return
    place = tracebacks.describe_script_line()
    if refusal is not None:
        _log.warning('worker "%s": %s%s', worker, refusal, place, extra={"fields": {"refusal": refusal}})
        return
    _log.warning(
        'worker "%s" imports %s, which opens sockets by itself%s: nothing of [outbound] holds for them, and '
        "Cloudflare has no such module",
        worker,
        name,
        place,
    )
