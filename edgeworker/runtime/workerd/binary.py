"""Where workerd is. It is looked for and never downloaded."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from edgeworker.errors import ConfigError

_ANSWER_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Binary:
    """`newest_date` is the newest compatibility date that it knows, "2026-07-30"; `found_in` is for people."""

    program: Path
    newest_date: str
    found_in: str

    def __str__(self) -> str:
        return f"workerd {self.newest_date} ({self.found_in})"


def find_in_project(root: Path) -> Path | None:
    """The workerd of the project in `root` or of a folder above it: wrangler brings it."""
    for folder in (root, *root.parents):
        modules = folder / "node_modules"
        if modules.is_dir():
            for program in _list_programs(modules):
                if program.is_file() and os.access(program, os.X_OK):
                    return program
    return None


def find_on_path() -> Path | None:
    for folder in map(Path, filter(None, os.environ.get("PATH", "").split(os.pathsep))):
        program = folder / ("workerd.exe" if sys.platform == "win32" else "workerd")
        if program.is_file() and os.access(program, os.X_OK):
            return program
    return None


def _list_programs(modules: Path) -> Iterator[Path]:
    machine = os.uname().machine.lower() if hasattr(os, "uname") else "x86_64"
    kind = {"x86_64": "64", "amd64": "64", "aarch64": "arm64", "arm64": "arm64"}.get(machine, machine)
    system = {"win32": "windows", "darwin": "darwin"}.get(sys.platform, "linux")
    package = f"workerd-{system}-{kind}"
    name = "workerd.exe" if system == "windows" else "workerd"
    yield modules / "@cloudflare" / package / "bin" / name
    pattern = f".pnpm/@cloudflare+{package}@*/node_modules/@cloudflare/{package}/bin/{name}"
    yield from sorted(modules.glob(pattern), reverse=True)


def inspect_binary(program: Path, found_in: str) -> Binary:
    """Asks the program for its version; the answer is remembered for as long as the file stays the same.

    Raises ConfigError for what is not a workerd that runs here.
    """
    try:
        state = program.stat()
    except OSError as error:
        raise ConfigError(f"workerd at {program}: {error.strerror}; give the path of the program") from error
    return Binary(program, _read_version(str(program), state.st_mtime_ns, state.st_size), found_in)


@lru_cache(maxsize=16)
def _read_version(program: str, _changed_at: int, _size: int) -> str:
    try:
        done = subprocess.run(
            [program, "--version"], capture_output=True, text=True, timeout=_ANSWER_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ConfigError(f"workerd at {program} does not run here: {error}") from error
    found = re.search(r"(\d{4}-\d{2}-\d{2})", done.stdout)
    if found is None:
        told = (done.stderr or done.stdout).strip().splitlines()
        raise ConfigError(f"{program} is not a workerd that runs here: {told[0] if told else 'it says no version'}")
    return found[1]
