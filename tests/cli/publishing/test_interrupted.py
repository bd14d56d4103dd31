"""A publication and a rollback that `kill -9` or reloads cut short, in an edge that serves."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.cli.publishing.test_publish import edge, project, publish
from tests.cli.running import SECONDS, environment
from tests.cli.serve.serving import Served, serve, write_project
from tests.cli.serve.test_session import Load

__all__ = ["edge", "project"]

# It says where it is loaded, and takes long enough there to be killed.
_TELLING = """\
import os
import time

with open(f"{PLACE}/{VERSION}-{'trial' if os.nice(0) >= 10 else 'serving'}-{os.getpid()}", "w"):
    pass
time.sleep(0.2)
"""
_PATIENCE_SECONDS = 3 * SECONDS


def _write(project: Path, version: str, place: Path) -> None:
    write_project(project, version)
    worker = project / "worker.py"
    worker.write_text(f"PLACE = {str(place)!r}\nVERSION = {version!r}\n{_TELLING}{worker.read_text()}")


def _begin(served: Served, project: Path, *command: str) -> "subprocess.Popen[str]":
    place = ("--api-url", served.urls["api"], "--persist-to", str(project.parent / "edge" / ".edgeworker"))
    return subprocess.Popen(
        [sys.executable, "-m", "edgeworker", *command, *place],
        cwd=project,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _wait_for_load(place: Path, what: str) -> None:
    until = time.monotonic() + _PATIENCE_SECONDS
    while not list(place.glob(f"{what}-*")):
        assert time.monotonic() < until, f"{what} was never loaded"
        time.sleep(0.01)


def _children(process: int) -> list[int]:
    return list(map(int, Path(f"/proc/{process}/task/{process}/children").read_text().split()))


def _kill(processes: list[int]) -> None:
    for each in processes:
        with suppress(ProcessLookupError):  # a trial's, which has ended
            os.kill(each, signal.SIGKILL)


def _wait_until_ended(processes: list[int]) -> None:
    until = time.monotonic() + _PATIENCE_SECONDS
    while any(Path(f"/proc/{each}").exists() for each in processes):
        assert time.monotonic() < until
        time.sleep(0.05)


def _answers(served: Served, *versions: str) -> str:
    """Waits until the processes, which may be starting, agree on one of the versions."""
    until = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            said = {served.get().text.split()[0] for _ in range(8)}
        except OSError:
            said = set()
        if len(said) == 1 and said <= set(versions):
            return said.pop()
        assert time.monotonic() < until, f"answers are {said}"
        time.sleep(0.1)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds the processes in /proc")
@pytest.mark.parametrize(
    ("command", "loaded"),
    [
        pytest.param("publish", "v2-trial", id="publish: in its trial"),
        pytest.param("publish", "v2-serving", id="publish: deployed, and not yet served by all"),
        pytest.param("rollback", "v1-serving", id="rollback: deployed, and not yet served by all"),
    ],
)
@pytest.mark.parametrize("killed", ["the parent", "its children"])
def test_an_edge_that_is_killed_in_the_middle_serves_a_whole_version_and_takes_the_next(
    edge: Path, project: Path, tmp_path: Path, command: str, loaded: str, killed: str
) -> None:
    place = tmp_path / "loaded"
    place.mkdir()
    options = ("-c", "wrangler.toml", "--processes", "2")

    def publish_version(served: Served, version: str) -> None:
        _write(project, version, place)
        done = publish(served, project)
        assert done.returncode == 0, done.stderr

    def look_after(served: Served, changed: "subprocess.Popen[str]") -> None:
        said, _ = changed.communicate(timeout=_PATIENCE_SECONDS)
        acknowledged = "is served" in said
        new, old = ("v2", "v1") if command == "publish" else ("v1", "v2")
        assert _answers(served, *([new] if acknowledged else [new, old]))
        publish_version(served, "v3")
        assert _answers(served, "v3")
        assert served.stop() == 0

    with serve(*options, cwd=edge) as served:
        publish_version(served, "v1")
        if command == "rollback":
            publish_version(served, "v2")
        for file in place.iterdir():
            file.unlink()
        _write(project, "v2", place)
        changed = _begin(served, project, command, *([] if command == "publish" else ["w"]))
        _wait_for_load(place, loaded)
        children = _children(served.process.pid)
        if killed == "its children":
            _kill(children)
            look_after(served, changed)
            return
        _kill([served.process.pid])
        served.process.wait(_PATIENCE_SECONDS)
        _wait_until_ended(children)
    with serve(*options, cwd=edge) as served:
        look_after(served, changed)


def test_fifty_reloads_in_a_row_and_a_publication_among_them_lose_no_request(edge: Path, project: Path) -> None:
    with serve("-c", "wrangler.toml", "--processes", "2", cwd=edge) as served:
        with Load(served) as load:
            load.wait_for("files")
            publishing = _begin(served, project, "publish")
            for _ in range(50):
                served.send(signal.SIGHUP)
                time.sleep(0.02)
            _, error = publishing.communicate(timeout=2 * _PATIENCE_SECONDS)
            assert publishing.returncode == 0, error
            load.wait_for("v1")
            write_project(edge, "later")  # which the published one hides
            served.send(signal.SIGHUP)
            served.wait_for('"message": "reloaded"')
        assert load.failures == []
        assert _answers(served, "v1")
        assert served.stop() == 0
