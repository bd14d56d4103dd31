"""What scripts and commands of the single binary can import, and what of it is unpacked for that."""

import json
import os
import shutil
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

import pytest

from edgeworker.cli.one_file import find_intruder, restore_library_path, with_own_libraries
from tests.cli.running import dev, environment
from tests.cli.test_binary import binary
from tests.patience import PATIENCE_SECONDS

# README.md names them.
LEFT_OUT: Final = "distutils ensurepip idlelib lib2to3 test tkinter turtle turtledemo venv _tkinter"
# Of other systems, or of libraries that a Python may have been built without.
ELSEWHERE: Final = (
    "_dbm _gdbm _ios_support _overlapped _scproxy _winapi _wmi msvcrt nt winreg winsound msilib nis ossaudiodev"
)
NOT_IN_IT: Final = f"{LEFT_OUT} {ELSEWHERE}"
LIST_MODULES: Final = """
import importlib, json, pkgutil, sys, warnings
warnings.simplefilter("ignore")
left_out = set(sys.argv[1].split())
found = []
for name in sorted(sys.stdlib_module_names - left_out):
    try:
        module = importlib.import_module(name)
    except ImportError:
        continue
    inner = pkgutil.walk_packages(getattr(module, "__path__", []), f"{name}.", onerror=lambda _: None)
    for each in [name, *(info.name for info in inner)]:
        if not {"test", "tests", "__main__", "idle_test"} & set(each.split(".")):
            try:
                importlib.import_module(each)
            except ImportError:
                continue
            found.append(each)
print(sys.version.split()[0], json.dumps(found))
"""
SCRIPT: Final = """
import importlib, json, sys, warnings
from workers import Response, WorkerEntrypoint

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        warnings.simplefilter("ignore")
        missing = {}
        for name in json.loads(self.env.NAMES) or sys.stdlib_module_names - set(self.env.LEFT_OUT.split()):
            try:
                importlib.import_module(name)
            except ImportError as error:
                missing[name] = str(error)
        return Response(json.dumps(missing))
"""
WRANGLER: Final = """
name = "w"
main = "worker.py"
compatibility_date = "2026-11-01"
compatibility_flags = ["python_workers"]
"""


def write_worker(folder: Path, script: str, **variables: str) -> None:
    folder.joinpath("worker.py").write_text(script)
    lines = [f"{name} = {json.dumps(value)}\n" for name, value in variables.items()]
    folder.joinpath("wrangler.toml").write_text(WRANGLER + "[vars]\n" + "".join(lines))


@pytest.mark.binary
def test_a_script_can_import_every_module_of_the_standard_library(tmp_path: Path) -> None:
    write_worker(tmp_path, SCRIPT, NAMES="[]", LEFT_OUT=NOT_IN_IT)

    with dev(cwd=tmp_path, program=(binary(),)) as edge:
        assert json.loads(edge.get("localhost").text) == {}


@pytest.mark.binary
def test_a_script_can_import_what_is_in_the_packages_of_the_standard_library(tmp_path: Path) -> None:
    said = subprocess.run([binary(), "--version"], capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=True)
    listed = subprocess.run(
        [sys.executable, Path(__file__).parents[2] / ".ci" / "pythons.py", "--newest"],
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    python = listed.stdout.strip() if listed.returncode == 0 else sys.executable
    command = [python, "-I", "-c", LIST_MODULES, NOT_IN_IT]
    done = subprocess.run(
        command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=PATIENCE_SECONDS, check=True
    )
    version, _, names = done.stdout.strip().split("\n")[-1].partition(" ")
    if f"Python {version}," not in said.stdout:
        pytest.skip(f"the binary was made with another Python than {version}")
    assert len(json.loads(names)) > 500
    write_worker(tmp_path, SCRIPT, NAMES=names)

    with dev(cwd=tmp_path, program=(binary(),)) as edge:
        assert json.loads(edge.get("localhost").text) == {}


@pytest.mark.binary
def test_a_short_command_has_little_unpacked(tmp_path: Path) -> None:
    waiting = subprocess.Popen(
        [binary(), "jwt", "inspect"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment(TMPDIR=str(tmp_path)),
    )
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not list(tmp_path.glob("*/.edgeworker-in-use")) and time.monotonic() < deadline:
        time.sleep(0.05)
    try:
        files = [path for path in tmp_path.rglob("*") if path.is_file()]
        names = {path.name.partition(".")[0] for path in files}
        size = sum(path.stat().st_size for path in files)
    finally:
        assert waiting.stdin is not None
        waiting.stdin.close()
        waiting.wait(PATIENCE_SECONDS)

    assert not names & {"_rust", "libcrypto", "_quickjs", "loop", "worker"}
    assert size < 30_000_000


@pytest.mark.binary
def test_an_upgrade_of_the_file_leaves_the_running_edge_whole(tmp_path: Path) -> None:
    program = tmp_path / "bin" / "edgeworker"
    program.parent.mkdir()
    shutil.copy2(binary(), program)
    late = ("xmlrpc.client", "curses", "_codecs_jp", "sqlite3", "wsgiref.handlers")
    write_worker(tmp_path, SCRIPT, NAMES=json.dumps(late))

    with dev(cwd=tmp_path, program=(str(program),)) as edge:
        other = tmp_path / "other"
        other.write_bytes(b"#!/bin/sh\n" + bytes(40_000_000))
        other.replace(program)

        assert json.loads(edge.get("localhost").text) == {}


def _unpack_in(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [binary(), "--version"],
        env=environment(TMPDIR=str(folder)),
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


@pytest.mark.binary
@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a file system")
def test_where_there_is_no_room_to_unpack_that_is_said(tmp_path: Path) -> None:
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(tmp_path)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("no file system can be mounted here")
    try:
        done = _unpack_in(tmp_path)
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)

    assert done.returncode != 0
    assert "is there no room? set TMPDIR=FOLDER" in done.stderr


@pytest.mark.binary
def test_the_binary_does_not_run_where_others_could_replace_what_it_unpacks(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)

    done = _unpack_in(tmp_path)

    assert done.returncode == 1
    assert done.stdout == ""
    assert f"everyone may write to {tmp_path}, which has no sticky bit; set TMPDIR=FOLDER" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("mode", "reason"),
    [
        (0o700, None),
        (0o755, None),
        (0o1777, None),
        (0o777, "everyone may write to"),
        (0o703, "everyone may write to"),
        (0o770, None),  # of this process's own group
    ],
)
def test_a_folder_in_which_others_may_rename_is_found(tmp_path: Path, mode: int, reason: str | None) -> None:
    folder = tmp_path / "shared" / "inside"
    folder.mkdir(parents=True)
    os.chown(folder.parent, -1, os.getegid())
    folder.parent.chmod(mode)

    for place in (folder, folder.parent):
        found = find_intruder(place)
        assert (found is None) if reason is None else (reason in (found or "") and str(folder.parent) in (found or ""))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a folder away")
def test_a_folder_of_another_user_or_group_is_found(tmp_path: Path) -> None:
    folder = tmp_path / "theirs"
    folder.mkdir(mode=0o755)
    os.chown(folder, 12345, -1)
    assert find_intruder(folder) == f"{folder} belongs to user 12345"

    os.chown(folder, 0, 12345)
    folder.chmod(0o775)
    assert find_intruder(folder) == f"group 12345 may write to {folder}, which has no sticky bit"
    folder.chmod(stat.S_ISVTX | 0o775)
    assert find_intruder(folder) is None


@pytest.mark.parametrize("before", [None, "/opt/lib"])
def test_programs_that_are_started_find_their_own_libraries(
    monkeypatch: pytest.MonkeyPatch, before: str | None
) -> None:
    loaders = {"LD_LIBRARY_PATH": f"/tmp/unpacked:{before}", "LD_LIBRARY_PATH_ORIG": before or ""}
    environ = {"PATH": "/bin", **(loaders if before else {"LD_LIBRARY_PATH": "/tmp/unpacked"})}

    restore_library_path(environ)

    assert environ == {"PATH": "/bin", **({"LD_LIBRARY_PATH": before} if before else {})}
    assert with_own_libraries(environ) == environ
    monkeypatch.setattr(sys, "_MEIPASS", "/tmp/unpacked", raising=False)
    again = with_own_libraries(environ)
    assert again["LD_LIBRARY_PATH"] == (f"/tmp/unpacked:{before}" if before else "/tmp/unpacked")
    restore_library_path(again)
    assert again == environ
