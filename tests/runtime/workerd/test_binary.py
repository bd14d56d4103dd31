"""Finding workerd, and asking what it is."""

from pathlib import Path

import pytest

from edgeworker.errors import ConfigError, ScriptError
from edgeworker.runtime.workerd.binary import Binary, find_in_project, inspect_binary
from edgeworker.runtime.workerd.child import Child


def program(folder: Path, text: str) -> Path:
    file = folder / "workerd"
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)
    return file


def test_the_version_is_the_newest_date_that_it_knows(tmp_path: Path) -> None:
    found = inspect_binary(program(tmp_path, "echo workerd 2026-07-30"), "PATH")

    assert (found.newest_date, str(found)) == ("2026-07-30", "workerd 2026-07-30 (PATH)")


def test_a_program_that_is_not_workerd_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"is not a workerd that runs here: GLIBC_2\.35 not found"):
        inspect_binary(program(tmp_path, "echo GLIBC_2.35 not found >&2; exit 1"), "PATH")
    with pytest.raises(ConfigError, match=r"give the path of the program"):
        inspect_binary(tmp_path / "nope", "PATH")
    (tmp_path / "text").write_text("no program")
    with pytest.raises(ConfigError, match=r"does not run here: .*Permission denied"):
        inspect_binary(tmp_path / "text", "PATH")


def test_a_project_without_node_modules_has_none(tmp_path: Path) -> None:
    assert find_in_project(tmp_path) is None


async def test_a_program_that_cannot_be_started_or_does_not_listen_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = Child(
        Binary(tmp_path / "nope", "2026-01-01", "PATH"), lambda: None, lambda _worker, stack: stack, heap_megabytes=64
    )
    gone.write([])
    with pytest.raises(ScriptError, match="cannot be started: No such file or directory"):
        await gone.start()
    await gone.stop()

    monkeypatch.setattr("edgeworker.runtime.workerd.child.START_SECONDS", 0.3)
    silent = Child(
        Binary(program(tmp_path, "sleep 60"), "2026-01-01", "PATH"),
        lambda: None,
        lambda _worker, stack: stack,
        heap_megabytes=64,
    )
    silent.write([])
    monkeypatch.setattr(silent, "_expected", 1)
    with pytest.raises(ScriptError, match="did not start within 0 s"):
        await silent.start()
    assert not silent.folder.exists()


async def test_what_a_killed_edge_left_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    left = tmp_path / "edgeworker-workerd-old"
    left.mkdir(mode=0o700)
    (left / "lock").write_text("")
    (tmp_path / "edgeworker-workerd-new").mkdir(mode=0o700)
    binary = Binary(tmp_path / "workerd", "2026-01-01", "PATH")

    first = Child(binary, lambda: None, lambda _worker, stack: stack, heap_megabytes=64)
    second = Child(binary, lambda: None, lambda _worker, stack: stack, heap_megabytes=64)

    assert not left.exists()
    assert (tmp_path / "edgeworker-workerd-new").exists(), "its lock may come this moment"
    assert first.folder.exists(), "another edge of this machine is not touched"
    await first.stop()
    await second.stop()
