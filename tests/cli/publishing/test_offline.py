"""`rollback --offline`: a version that ends every process of the edge is undone without the edge."""

from pathlib import Path

import pytest

from edgeworker.cli.publishing.offline import deploy_offline
from edgeworker.errors import ConfigError
from edgeworker.publishing.version_store import VersionStore
from edgeworker.publishing.versions import WorkerDeployment, WorkerVersion
from tests.cli.running import run
from tests.cli.serve.serving import serve, write_project


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The data directory of an edge that has "w" of two versions, of which the second one is served."""
    data = tmp_path / ".edgeworker"
    data.mkdir(mode=0o700)
    store = VersionStore(data)
    for number in (1, 2):
        made = store.add(
            "w",
            b"archive",
            lambda number: WorkerVersion(f"id{number}", number, 1, "ci", "", "wrangler.toml", None, 7, ""),
        )
        assert made.number == number
        store.deploy("w", WorkerDeployment(made.id, number, "ci", ""))
    return data


def deployed(data: Path) -> int | None:
    version = VersionStore(data).read().worker("w").deployed
    return None if version is None else version.number


@pytest.mark.parametrize(
    ("arguments", "number", "said"),
    [
        ((), 1, "rolled back w: version 1 is served when the edge starts"),
        (("--to", "1"), 1, "version 1 is served"),
        (("--to", "files"), None, "the worker of the configuration files is served when the edge starts"),
    ],
)
def test_what_a_stopped_edge_serves_is_changed_in_its_data_directory(
    data: Path, arguments: tuple[str, ...], number: int | None, said: str
) -> None:
    done = run("rollback", "w", *arguments, "--offline", "-m", "it ends at once", cwd=data.parent)

    assert done.returncode == 0, done.stderr
    assert said in done.stdout
    assert deployed(data) == number
    newest = VersionStore(data).read().worker("w").deployments[-1]
    assert (newest.author, newest.message) == ("offline", "it ends at once")


def test_an_edge_that_runs_is_asked_by_its_api_instead(data: Path) -> None:
    folder = data.parent / "edge"
    folder.mkdir()
    write_project(folder)
    VersionStore(data).deploy("w", WorkerDeployment(None, 3, "ci", ""))
    with serve("-c", "wrangler.toml", "--persist-to", str(data), cwd=folder):
        done = run("rollback", "w", "--offline", cwd=data.parent)

    assert done.returncode == 1
    assert "uses this data directory, or is still ending; stop that one" in done.stderr
    assert deployed(data) is None


@pytest.mark.parametrize(
    ("name", "number", "said"),
    [("w", 9, "w has no version 9; there are: 1, 2"), ("v", None, "no version of a worker v was published here")],
)
def test_what_is_not_there_changes_nothing(data: Path, name: str, number: int | None, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        deploy_offline(data, name, number, "")

    assert deployed(data) == 2


def test_a_directory_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="published were: none"):
        deploy_offline(tmp_path / "absent", "w", None, "")

    assert not (tmp_path / "absent").exists()
