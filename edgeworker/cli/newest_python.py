"""Which Python a new project is run with: the newest one here that it can use."""

import shutil
import subprocess
from collections.abc import Sequence
from typing import Final

# Cloudflare runs none older than 3.12.
RELEASES: Final[Sequence[tuple[int, int]]] = ((3, 14), (3, 13), (3, 12))
# Of them the embedded engine of JavaScript has wheels for one.
RELEASES_WITH_ENGINE: Final[Sequence[tuple[int, int]]] = ((3, 13),)

_TELL_RELEASE: Final = "import sys; print('%d.%d' % sys.version_info[:2])"
_SECONDS: Final = 20.0


def find_newest_python(releases: Sequence[tuple[int, int]] = RELEASES) -> tuple[int, int] | None:
    """The first of these releases that a command of PATH is. A command that does not run (of pyenv, where the release
    is not chosen) counts as none."""
    for major, minor in releases:
        program = shutil.which(f"python{major}.{minor}")
        if program is not None and _ask_release(program) == f"{major}.{minor}":
            return major, minor
    return None


def _ask_release(program: str) -> str | None:
    command = [program, "-I", "-S", "-c", _TELL_RELEASE]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.strip() if answer.returncode == 0 else None
