"""Two edges on one data directory."""

import signal
from pathlib import Path

import pytest

from tests.cli.running import SECONDS, dev, run
from tests.cli.serve.serving import serve, write_project

PORTS = ("--port=0", "--api-port=0", "--management-port=0")


@pytest.mark.parametrize("processes", [1, 2])
def test_a_second_edge_is_refused_and_one_that_was_killed_is_followed(tmp_path: Path, processes: int) -> None:
    config = write_project(tmp_path)
    options = ("-c", str(config), "--processes", str(processes), "--persist-to", "state")
    with serve(*options, cwd=tmp_path) as first:
        before = sorted((tmp_path / "state/run").rglob("*.json"))

        second = run("serve", *options, *PORTS, cwd=tmp_path)

        assert second.returncode == 1
        assert f"state: another edge (process {first.process.pid}) uses this data directory" in second.stderr
        assert "Traceback" not in second.stderr
        assert set(before) <= set((tmp_path / "state/run").rglob("*.json"))
        assert before
        assert first.get().text.startswith("one ")

        first.send(signal.SIGKILL)
        first.process.wait(SECONDS)
        with serve(*options, cwd=tmp_path) as third:
            assert third.get().text.startswith("one ")
            assert third.stop() == 0


def test_two_edges_with_a_data_directory_each_serve(tmp_path: Path) -> None:
    config = write_project(tmp_path)

    with (
        serve("-c", str(config), "--persist-to", "a", cwd=tmp_path) as first,
        serve("-c", str(config), "--persist-to", "b", cwd=tmp_path) as second,
    ):
        assert first.get().text.startswith("one ")
        assert second.get().text.startswith("one ")


def test_dev_beside_serve_works_without_the_record_of_refusals(tmp_path: Path) -> None:
    config = write_project(tmp_path)
    with serve("-c", str(config), "--persist-to", "state", cwd=tmp_path) as served:
        assert served.get(host="nowhere.test").status == 530

        with dev("-c", str(config), "--persist-to", "state", cwd=tmp_path) as edge:
            assert edge.get("example.com").text.startswith("one ")
            edge.wait_for("records no refusals")

        explained = run("explain", "--persist-to", "state", cwd=tmp_path)
        assert explained.returncode == 0, explained.stderr
        assert "nowhere.test" in explained.stdout


def test_serve_beside_dev_is_refused(tmp_path: Path) -> None:
    config = write_project(tmp_path)
    with dev("-c", str(config), "--persist-to", "state", cwd=tmp_path) as edge:
        refused = run("serve", "-c", str(config), "--persist-to", "state", *PORTS, cwd=tmp_path)

        assert refused.returncode == 1
        assert f"another edge (process {edge.pid})" in refused.stderr
