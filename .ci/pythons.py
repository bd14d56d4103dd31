"""The Pythons of this machine, and the one that the single binary is made with: the newest that has all of its parts.

`python .ci/pythons.py` lists them with what each one lacks; `--newest` prints the path of the one for the binary,
`--others` those of every other release, the newest patch of each, for CI.
None is downloaded.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement

ROOT: Final = Path(__file__).resolve().parent.parent
OLDEST: Final = (3, 11)
# The extras that the binary carries. A requirement whose marker leaves a Python out has no wheel for it.
EXTRAS: Final = ("fast", "javascript", "acme", "otel")

# Where one of them is, the data path is compiled.
COMPILERS: Final = ("gcc", "cc", "clang")

_SECONDS: Final = 30.0
_PROBE: Final = """
import importlib.util, json, sys, sysconfig
lacks = []
if sys.implementation.name != "cpython":
    lacks.append("it is " + sys.implementation.name + ", not CPython")
if sys.version_info.releaselevel != "final":
    lacks.append("it is a pre-release")
if sysconfig.get_config_var("Py_GIL_DISABLED"):
    lacks.append("it is built without the GIL")
for name in ("_bz2", "_ctypes", "_lzma", "_sqlite3", "_ssl", "zlib"):
    if name not in sys.builtin_module_names and importlib.util.find_spec(name) is None:
        lacks.append("no module " + name.lstrip("_"))
print(json.dumps({
    "version": list(sys.version_info[:3]),
    "prefix": sys.base_prefix,
    "program": getattr(sys, "_base_executable", None) or sys.executable,
    "lacks": lacks,
    "include": sysconfig.get_path("include"),
    "shared": [sysconfig.get_config_var(name) or "" for name in ("LIBDIR", "INSTSONAME")],
}))
"""


@dataclass(frozen=True, slots=True)
class Python:
    """`lacks` says why it cannot make the binary; empty if it can."""

    program: Path
    prefix: Path
    version: tuple[int, int, int]
    lacks: tuple[str, ...]

    @property
    def release(self) -> str:
        return f"{self.version[0]}.{self.version[1]}"

    def __str__(self) -> str:
        return f"Python {'.'.join(map(str, self.version))} ({self.program})"


def find_pythons() -> list[Python]:
    """Each one once, the newest first."""
    found: dict[tuple[Path, tuple[int, int, int]], Python] = {}
    for program in _programs():
        python = inspect_python(program)
        if python is not None and python.version[:2] >= OLDEST:
            found.setdefault((python.prefix, python.version), python)
    return sorted(found.values(), key=lambda python: python.version, reverse=True)


def inspect_python(program: Path) -> Python | None:
    """The Python that `program` runs, itself and not its environment; None if it does not run."""
    command = [str(program), "-I", "-c", _PROBE]
    try:
        said = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=True).stdout
        told = json.loads(said)
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    major, minor, patch = told["version"]
    lacks = [*told["lacks"], *_missing_parts(f"{major}.{minor}")]
    if sys.platform == "linux":
        if not Path(*told["shared"]).is_file() or not told["shared"][1].endswith((".so", ".so.1.0")):
            lacks.append(f"no shared library libpython{major}.{minor}")
        if not Path(told["include"], "Python.h").is_file() and any(map(shutil.which, COMPILERS)):
            lacks.append("no Python.h")
    return Python(Path(told["program"]), Path(told["prefix"]), (major, minor, patch), tuple(lacks))


def choose_python(pythons: Sequence[Python], wanted: str | None) -> Python:
    """`wanted` is a version, whole or in part, or None for the newest that lacks nothing."""
    matching = [python for python in pythons if wanted is None or _matches(python, wanted)]
    complete = next((python for python in matching if not python.lacks), None)
    if complete is not None:
        return complete
    told = "".join(f"\n  {python}: {', '.join(python.lacks)}" for python in matching or pythons)
    what = f"no Python {wanted} here" if wanted is not None and not matching else "no Python here can make the binary"
    raise SystemExit(f"{what}; install one that has all of its parts, such as 3.13 by pyenv. Found:{told or ' none'}")


def find_python(wanted: str | None) -> Python:
    """`wanted` is a version such as "3.13", the path of a Python, or None for the newest here."""
    if wanted is None or re.fullmatch(r"\d+\.\d+(\.\d+)?", wanted):
        return choose_python(find_pythons(), wanted)
    python = inspect_python(Path(wanted))
    if python is None:
        raise SystemExit(f'--python: "{wanted}" is not a Python that runs here; use a version such as 3.13, or a path')
    return choose_python([python], None)


def make_environment(python: Python) -> Path:
    """Returns the Python of an environment of its own, below build/, with all that the project needs."""
    folder = ROOT / "build" / f"python-{python.release}"
    environment = os.environ | {"UV_PROJECT_ENVIRONMENT": str(folder)}
    environment.pop("VIRTUAL_ENV", None)
    command = ["uv", "sync", "--quiet", "--no-python-downloads", "--python", str(python.program)]
    try:
        subprocess.run(command, cwd=ROOT, env=environment, check=True)
    except FileNotFoundError:
        raise SystemExit("uv makes the environment of another Python: pip install uv") from None
    return folder / "bin" / "python"


def is_this(python: Python) -> bool:
    return (python.prefix, python.version) == (Path(sys.base_prefix), sys.version_info[:3])


def _matches(python: Python, wanted: str) -> bool:
    numbers = tuple(map(int, wanted.split(".")))
    return python.version[: len(numbers)] == numbers


def _programs() -> Iterator[Path]:
    """Of pyenv, of uv, of PATH and where Debian has them."""
    yield Path(sys.executable)
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv", "versions")
    managed = Path(os.environ.get("UV_PYTHON_INSTALL_DIR") or Path.home() / ".local" / "share" / "uv" / "python")
    for folder in (pyenv, managed):
        yield from sorted(folder.glob("*/bin/python3"))
    for name in dict.fromkeys([*os.environ.get("PATH", "").split(os.pathsep), "/usr/local/bin", "/usr/bin"]):
        folder = Path(name)
        if not name or folder.name == "shims":  # pyenv's own, which run what the folder chooses
            continue
        for file in sorted(folder.glob("python3*")):
            if re.fullmatch(r"python3(\.\d+)?", file.name) and os.access(file, os.X_OK):
                yield file


def _missing_parts(release: str) -> list[str]:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    requirements = [Requirement(text) for extra in EXTRAS for text in extras[extra]]
    place = {"python_version": release, "python_full_version": f"{release}.0"}
    return [
        f"no {each.name} for {release}"
        for each in requirements
        if each.marker is not None and not each.marker.evaluate(place)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--newest", action="store_true", help="the path of the Python for the binary")
    parser.add_argument("--others", action="store_true", help="the paths of the other releases, one each")
    options = parser.parse_args()
    pythons = find_pythons()
    if options.newest:
        print(choose_python(pythons, None).program)
    elif options.others:
        releases = {python.release: python for python in reversed(pythons)}
        releases.pop(f"{sys.version_info.major}.{sys.version_info.minor}", None)
        print("\n".join(str(python.program) for python in releases.values()))
    else:
        for python in pythons:
            print(f"{python}: {', '.join(python.lacks) or 'can make the binary'}")


if __name__ == "__main__":
    main()
