"""`edgeworker reload`, as an operator and `systemctl reload` meet it."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.running import SECONDS, run
from tests.cli.serve.serving import serve, write_project

OLDER = """
import signal, sys
from pathlib import Path
from edgeworker.host.data_lock import hold_data
hold_data(Path(sys.argv[1]))
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGHUP])
print(flush=True)
print(signal.sigwait([signal.SIGHUP]), flush=True)
"""


@pytest.mark.parametrize("processes", [1, 2])
def test_when_it_ends_every_process_serves_the_new_version_and_a_refusal_is_its_exit_status(
    tmp_path: Path, processes: int
) -> None:
    config = write_project(tmp_path, "v0")
    options = ("-c", str(config), "--processes", str(processes), "--persist-to", "state")

    with serve(*options, cwd=tmp_path) as served:
        for number in range(1, 4):
            write_project(tmp_path, f"v{number}")
            done = run("reload", "--persist-to", "state", cwd=tmp_path)
            assert (done.returncode, done.stdout, done.stderr) == (0, "ok: reloaded\n", "")
            assert {served.get().text.split()[0] for _ in range(4 * processes)} == {f"v{number}"}

        (tmp_path / "worker.py").write_text("def broken(:\n")
        done = run("reload", "--persist-to", "state", cwd=tmp_path)
        assert (done.returncode, done.stdout) == (1, "")
        assert "the reload was refused; the version before keeps serving; the edge's log says why" in done.stderr
        assert served.get().text.startswith("v3 ")
        assert served.stop() == 0

    done = run("reload", "--persist-to", "state", cwd=tmp_path)
    assert done.returncode == 1
    assert "state: no edge serves from this data directory" in done.stderr


def test_without_an_edge_it_says_so(tmp_path: Path) -> None:
    done = run("reload", cwd=tmp_path)

    assert done.returncode == 1
    assert ".edgeworker: no edge serves from this data directory; name that of `serve` with --persist-to" in done.stderr


def test_an_edge_that_is_older_is_signalled_and_not_waited_for(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", OLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True) as older:
        assert older.stdout is not None
        assert older.stdout.readline() == "\n"

        done = run("reload", "--persist-to", str(tmp_path), cwd=tmp_path)

        assert done.returncode == 0, done
        assert f"process {older.pid} was told to reload" in done.stdout
        assert older.stdout.readline() == "1\n"
        assert older.wait(SECONDS) == 0
