"""Which Python a new project is run with."""

from pathlib import Path

import pytest

from edgeworker.cli.newest_python import RELEASES_WITH_ENGINE, find_newest_python


def place(folder: Path, name: str, program: str) -> None:
    file = folder / name
    file.write_text(f"#!/bin/sh\n{program}\n")
    file.chmod(0o755)


@pytest.mark.parametrize(
    ("programs", "newest"),
    [
        ({}, None),
        ({"python3.11": "echo 3.11", "python3": "echo 3.14"}, None),
        ({"python3.12": "echo 3.12", "python3.13": "echo 3.13"}, (3, 13)),
        ({"python3.14": "echo 3.14", "python3.13": "echo 3.13"}, (3, 14)),
        # https://github.com/pyenv/pyenv: a shim of a release that is not chosen
        ({"python3.14": "echo command not found >&2; exit 127", "python3.12": "echo 3.12"}, (3, 12)),
        ({"python3.14": "exec /nowhere", "python3.13": "echo 3.12"}, None),
    ],
)
def test_the_newest_that_runs_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, programs: dict[str, str], newest: tuple[int, int] | None
) -> None:
    for name, program in programs.items():
        place(tmp_path, name, program)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert find_newest_python() == newest


def test_a_project_that_needs_the_embedded_engine_gets_a_python_that_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for minor in (12, 13, 14):
        place(tmp_path, f"python3.{minor}", f"echo 3.{minor}")
    monkeypatch.setenv("PATH", str(tmp_path))

    assert find_newest_python(RELEASES_WITH_ENGINE) == (3, 13)


def test_a_file_that_is_no_program_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "python3.13").write_bytes(b"\x7fELF")
    (tmp_path / "python3.13").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert find_newest_python() is None
