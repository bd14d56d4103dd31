"""What the single binary's processes do about each other; with the binary itself where it was built."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from edgeworker.cli import one_file
from tests.cli.running import dev, environment
from tests.cli.test_binary import binary
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.skipif(os.name != "posix", reason="there is no flock")


def test_only_what_an_ended_process_has_marked_is_removed(tmp_path: Path) -> None:
    ended, running, unmarked, foreign = (
        tmp_path / name for name in ("_EWKended", "_EWKrunning", "_EWKunmarked", "other")
    )
    for folder in (ended, running, unmarked, foreign):
        folder.mkdir()
        (folder / "content").write_text("x")
    program = "import sys, pathlib, edgeworker.cli.one_file as one; one.hold(pathlib.Path(sys.argv[1]))"
    subprocess.run([sys.executable, "-c", program, str(ended)], check=True)
    one_file.hold(foreign)
    descriptor = one_file.hold(running)
    (tmp_path / "_EWKlink").symlink_to(ended)

    assert one_file.remove_abandoned(tmp_path, now=time.time()) == [ended]
    assert not ended.exists()
    assert all((folder / "content").exists() for folder in (running, unmarked, foreign))
    os.close(descriptor)


def test_processes_of_one_binary_use_a_folder_together_and_the_last_one_keeps_it(tmp_path: Path) -> None:
    folder = tmp_path / "_EWKshared"
    folder.mkdir()
    mark = one_file.hold(folder)
    program = "import sys, pathlib, edgeworker.cli.one_file as one; one.hold(pathlib.Path(sys.argv[1])); print('held')"

    done = subprocess.run(
        [sys.executable, "-c", program, str(folder)],
        check=True,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
    )

    assert done.stdout == "held\n"
    assert one_file.remove_abandoned(tmp_path, now=time.time()) == []
    os.close(mark)
    assert one_file.remove_abandoned(tmp_path, now=time.time()) == [folder]


@pytest.mark.binary
def test_an_edge_ends_with_the_killed_first_process_and_leaves_nothing(tmp_path: Path) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    env = environment(TMPDIR=str(temporary))
    with dev(cwd=tmp_path, program=(binary(),), env=env) as edge:
        os.kill(edge.pid, signal.SIGKILL)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while list(temporary.iterdir()) and time.monotonic() < deadline:
            time.sleep(0.1)

        assert list(temporary.iterdir()) == []
        with pytest.raises(OSError, match="refused"):
            edge.get("localhost")


@pytest.mark.binary
def test_where_nothing_unpacked_may_run_that_is_said(tmp_path: Path) -> None:
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "noexec", "tmpfs", str(tmp_path)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("only root may mount a file system")
    try:
        env = environment(TMPDIR=str(tmp_path))
        done = subprocess.run(
            [binary(), "--version"], env=env, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
        )
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)

    assert done.returncode != 0
    assert "noexec? set TMPDIR=FOLDER" in done.stderr


@pytest.mark.binary
def test_a_loader_that_may_not_run_code_there_names_the_variable() -> None:
    content = Path(binary()).read_bytes()

    assert b"noexec? set TMPDIR=FOLDER" in content


@pytest.mark.binary
def test_the_binary_says_what_it_was_built_from() -> None:
    said = subprocess.run([binary(), "--version"], capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=True)

    sources = r"commit \w+ of [-\d]+(, with changes)?|sources without a commit"
    assert re.fullmatch(rf"edgeworker \S+ \((compiled, )?Python 3\.\d+\.\d+, ({sources})\)\n", said.stdout)


@pytest.mark.binary
def test_the_binary_has_the_embedded_engine_of_javascript(tmp_path: Path) -> None:
    tmp_path.joinpath("index.js").write_text("export default { fetch: () => new Response(`${6 * 7}`) };\n")
    tmp_path.joinpath("wrangler.toml").write_text('name = "w"\nmain = "index.js"\ncompatibility_date = "2026-11-01"\n')

    with dev(cwd=tmp_path, program=(binary(),)) as edge:
        assert edge.get("localhost").text == "42"
