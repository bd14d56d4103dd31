"""Relative paths of tests mean one folder, whatever pytest is started from."""

from pathlib import Path

import pytest

from edgeworker.errors import ConfigError
from edgeworker.testing import Edge, single_worker
from tests.testing.test_plugin import WORKER, WRANGLER

pytest_plugins = ["pytester"]

TESTS = """
import pytest
from edgeworker.testing import Edge, single_worker

@pytest.mark.edgeworker(config="gateway/wrangler.toml")
def test_marker(edge):
    assert edge.get("/").text == "hello"

def test_edge():
    with Edge("gateway/wrangler.toml") as edge, Edge(["gateway/wrangler.toml"]) as other:
        assert edge.get("/").text == other.get("/").text == "hello"

@pytest.mark.edgeworker(config=single_worker("gateway/worker.py", kv=["TOKENS"], variables={"GREETING": "moin"}))
def test_single(edge):
    assert edge.get("/").text == "moin"
"""
MISSING = """
import pytest
from edgeworker.testing import Edge, single_worker

@pytest.mark.edgeworker(config="wrangler.toml")
def test_marker(edge): pass

def test_edge():
    Edge("wrangler.toml")

def test_single():
    single_worker("worker.py")
"""


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    gateway = pytester.mkdir("gateway")
    (gateway / "wrangler.toml").write_text(WRANGLER)
    (gateway / "worker.py").write_text(WORKER)
    pytester.mkdir("tests").joinpath("test_it.py").write_text(TESTS)
    pytester.mkdir("others")
    return pytester


@pytest.mark.parametrize("started_in", [".", "tests", "others"])
def test_it_is_that_of_the_configuration(
    project: pytest.Pytester, started_in: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.makeini("[pytest]\n")
    monkeypatch.chdir(project.path / started_in)

    result = project.runpytest_inprocess("-q", "-p", "no:asyncio", str(project.path / "tests"))

    result.assert_outcomes(passed=3)


def test_without_a_configuration_it_is_where_pytest_was_started(project: pytest.Pytester) -> None:
    project.runpytest_inprocess("-q", "-p", "no:asyncio", "tests/test_it.py").assert_outcomes(passed=3)


def test_an_error_names_it(project: pytest.Pytester) -> None:
    project.makeini("[pytest]\n")
    (project.path / "tests" / "test_it.py").write_text(MISSING)

    result = project.runpytest_inprocess("-q", "-p", "no:asyncio", "tests")

    result.assert_outcomes(failed=2, errors=1)
    of = f"relative paths are those of {project.path}, the folder of pytest's configuration"
    assert result.stdout.str().count(f"wrangler.toml cannot be read: there is no such file; {of}") >= 2
    assert f"worker.py cannot be read: there is no such file; {of}" in result.stdout.str()


def test_a_folder_of_ones_own_is_named_by_a_whole_path(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml cannot be read: there is no such file$"):
        Edge(tmp_path / "none.toml")
    assert single_worker(tmp_path / "later.py").workers[0].main == tmp_path / "later.py"
