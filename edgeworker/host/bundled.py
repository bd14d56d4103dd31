"""Where the scripts that come with edgeworker are: in an installed wheel, a checkout or the single binary."""

import sys
from pathlib import Path
from typing import Final

from edgeworker.errors import ScriptError
from edgeworker.unpacking import unpack_below

DEFAULT_SCRIPT: Final = "split_token"

# The wheel's name for what a checkout calls `scripts/` (see force-include in pyproject.toml).
_IN_PACKAGE: Final = "bundled_scripts"


def scripts_folder() -> Path:
    """The folder with one folder per script, absolute.

    Raises:
        ScriptError: this installation carries no scripts.
    """
    _unpack("scripts")
    for folder in _candidates():
        if folder.is_dir():
            return folder
    looked = ", ".join(str(folder) for folder in _candidates())
    raise ScriptError(f"This installation of edgeworker carries no scripts (looked at {looked}): install it again.")


def script_names() -> list[str]:
    """The names of all scripts that are here, sorted."""
    return sorted(folder.name for folder in scripts_folder().iterdir() if (folder / "worker.py").is_file())


def script(name: str) -> Path:
    """The folder of one script: its `worker.py`, `wrangler.toml` and `README.md`.

    Raises:
        ScriptError: there is no script of that name; the text lists those that are.
    """
    _unpack(f"scripts/{name}")  # the others stay packed
    for folder in _candidates():
        if (folder / name / "worker.py").is_file() and name == Path(name).name:
            return folder / name
    raise ScriptError(f'There is no script "{name}" here; there are: {", ".join(script_names())}.')


def _unpack(folder: str) -> None:
    try:
        unpack_below(folder)
    except OSError as error:
        raise ScriptError(f"The scripts that come with edgeworker cannot be unpacked: {error}") from error


def _candidates() -> list[Path]:
    package = Path(__file__).resolve().parents[1]
    folders = [package / _IN_PACKAGE, package.parent / "scripts"]
    unpacked = getattr(sys, "_MEIPASS", None)  # set by PyInstaller's start-up: where the binary's data was unpacked
    if isinstance(unpacked, str):
        root = Path(unpacked).resolve()
        return [root / "edgeworker" / _IN_PACKAGE, root / "scripts", *folders]
    return folders
