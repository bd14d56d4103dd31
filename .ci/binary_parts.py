"""What the loader of the binary leaves packed, and how that gets into the binary; for the recipe of build_binary.py.

PyInstaller's loader unpacks every file at each start. Of ours it gets those that Python needs until binary_start.py has
run. The others lie in the archive of modules, behind the modules, with an entry of their own that lists them (see
edgeworker/unpacking.py).
"""

import marshal
import os
import struct
import zlib
from pathlib import Path
from typing import Final

from PyInstaller.building.utils import process_collected_binary
from PyInstaller.depend.bindepend import get_imports

INDEX: Final = "edgeworker-parts"
# Of PyInstaller's archive of modules: magic, magic of Python, where its table begins.
_HEADER: Final = struct.Struct("!4s4si")
_DATA: Final = 2  # the kind of an entry that is no module

# What is imported before binary_start.py has run.
_AT_ONCE: Final = ("_struct", "zlib")
# PyInstaller's runtime hooks, each with the module that it changes; it would import them at each start.
_HOOKS: Final = {
    "pyi_rth_inspect": "inspect",
    "pyi_rth_multiprocessing": "multiprocessing",
    "pyi_rth_pkgutil": "pkgutil",
}

Entry = tuple[str, str, str]  # name in the binary, file here, kind


class Parts:
    """Takes out of an Analysis what is unpacked later."""

    def __init__(self, analysis: object) -> None:
        self._packages = {name for name, file, _ in analysis.pure if Path(file).stem == "__init__"}
        self._files: dict[str, str] = {}
        self._needed: dict[str, list[str]] = {}
        self._hooks: dict[str, str] = {}
        self._libraries = [file for _, file, _ in analysis.binaries]
        self._later_hooks(analysis)
        analysis.binaries = self._later_libraries(analysis.binaries)
        analysis.datas = [
            entry for entry in analysis.datas if not _is_left_out(entry[0]) and not self._is_later_data(*entry)
        ]

    def list_libraries(self, file: str) -> None:
        """What code for this system goes in, a line each."""
        Path(file).write_text("\n".join(self._libraries))

    def _later_hooks(self, analysis: object) -> None:
        for entry in list(analysis.scripts):
            name, file, _ = entry
            if name in _HOOKS:
                self._hooks[_HOOKS[name]] = name
                analysis.scripts.remove(entry)
                analysis.pure.append((name, file, "PYMODULE"))

    def _later_libraries(self, binaries: list[Entry]) -> list[Entry]:
        """Returns what the loader has to unpack."""
        modules = {name: entry for entry in binaries if (name := _module_of(*entry)) is not None}
        libraries = {os.path.basename(name): (name, file) for name, file, kind in binaries if kind == "BINARY"}
        later: set[str] = set()
        for module, (name, file, _) in modules.items():
            if module in _AT_ONCE:
                continue
            needed = {name: file} | _needed_libraries(file, libraries)
            self._needed[module] = sorted(needed)
            for each, its_file in needed.items():
                self._files[each] = process_collected_binary(its_file, each, use_strip=True)
            later |= needed.keys()
        at_once = [entry for entry in binaries if entry[0] not in later]
        for name, file, _ in list(at_once):
            for each in _needed_libraries(file, libraries):
                if each in later:
                    raise SystemExit(f"{name} is unpacked at the start, and needs {each}, which is not")
        return at_once

    def _is_later_data(self, name: str, file: str, kind: str) -> bool:
        if kind != "DATA" or name == "base_library.zip":
            return False
        owner = self._find_owner(name)
        if owner == "edgeworker":  # which is imported already
            return False
        self._files[name] = file
        if owner:
            self._needed.setdefault(owner, []).append(name)
        return True

    def _find_owner(self, name: str) -> str:
        """The module that is imported before the file is looked for; "" if code asks for it."""
        if ".dist-info/" in name:
            return "importlib.metadata"
        folders = Path(name).parts[:-1]
        packages = [".".join(folders[:length]) for length in range(len(folders), 0, -1)]
        return next((package for package in packages if package in self._packages), "")

    def append(self, archive: str) -> None:
        """Writes them behind the modules of PyInstaller's archive."""
        content = Path(archive).read_bytes()
        magic, python, table_begin = _HEADER.unpack_from(content)
        table = marshal.loads(content[table_begin:])
        written = bytearray(content[:table_begin])
        files = {}
        for name, file in sorted(self._files.items()):
            packed = zlib.compress(Path(file).read_bytes(), 9)
            files[name] = (len(written), len(packed))
            written += packed
        index = zlib.compress(marshal.dumps((files, self._needed, self._hooks)), 9)
        table.append((INDEX, (_DATA, len(written), len(index))))
        written += index
        _HEADER.pack_into(written, 0, magic, python, len(written))
        Path(archive).write_bytes(bytes(written) + marshal.dumps(table))


def _is_left_out(name: str) -> bool:
    """What no one reads in the binary: our own pages for those who change it, and how the packages were installed."""
    folder, _, base = name.rpartition("/")
    if folder.endswith(".dist-info"):
        return base in ("INSTALLER", "RECORD", "REQUESTED", "direct_url.json")
    return name.startswith("edgeworker/") and name.endswith(".md")


def _module_of(name: str, _file: str, kind: str) -> str | None:
    """The module's name, None for a library."""
    if kind != "EXTENSION":
        return None
    folders, _, base = name.rpartition("/")
    package = [] if folders.endswith("lib-dynload") else folders.split("/")
    return ".".join(each for each in (*package, base.partition(".")[0]) if each not in ("", "__init__"))


def _needed_libraries(file: str, libraries: dict[str, tuple[str, str]]) -> dict[str, str]:
    """Of those that the binary carries, by their names in it; those that these need, too."""
    found: dict[str, str] = {}
    todo = [file]
    while todo:
        for needed, _ in get_imports(todo.pop()):
            if needed in libraries:
                name, its_file = libraries[needed]
                if name not in found:
                    found[name] = its_file
                    todo.append(its_file)
    return found
