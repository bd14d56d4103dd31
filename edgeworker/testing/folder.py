"""The one folder that relative paths of tests mean: in markers, in `Edge(...)`, in `single_worker(...)`.

Under pytest it is the folder of its configuration file (pyproject.toml, pytest.ini, ...), or without one the folder in
which pytest was started; elsewhere the current folder.
"""

import sys
from collections.abc import Sequence
from pathlib import Path


def project_folder() -> Path:
    roots = _roots_of_pytest()
    return roots[-1] if roots else Path.cwd()


def in_project(path: Path | str) -> Path:
    return (project_folder() / path).resolve()


def describe_missing(path: Path | str) -> str:
    """What an error says about a file that is not there."""
    found = in_project(path)
    if Path(path).is_absolute():
        return f"{found} cannot be read: there is no such file"
    of = "the folder of pytest's configuration" if _roots_of_pytest() else "the current folder"
    return f"{found} cannot be read: there is no such file; relative paths are those of {project_folder()}, {of}"


def _roots_of_pytest() -> Sequence[Path]:
    """From the plugin, if pytest has loaded it: it imports next to nothing itself, and needs pytest."""
    plugin = sys.modules.get("edgeworker.testing.plugin")
    return () if plugin is None else plugin.project_folders
