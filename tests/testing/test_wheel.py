"""A stranger's project: an empty folder, the wheel, a wrangler.toml and a copy of a suite of ours."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.patience import PATIENCE_SECONDS

ROOT = Path(__file__).parents[2]
SUITE = ROOT / "tests" / "scripts"
COPIED = ("wrangler.toml", "test_gateway.py", "test_gateway_settings.py")

pytestmark = pytest.mark.wheel


@pytest.fixture(scope="module")
def uv() -> str:
    found = shutil.which("uv")
    if found is None:
        if os.environ.get("CI"):
            pytest.fail("uv is missing, and CI must have it")
        pytest.skip("uv, which builds and installs the wheel, is not here")
    return found


def _run(*command: str | Path, cwd: Path) -> str:
    """What it printed. Nothing of this test's own environment is seen by it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PYTEST", "VIRTUAL_"))}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=kept,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory, uv: str) -> Path:
    """A virtual environment with the wheel and pytest, and nothing of this checkout."""
    folder = tmp_path_factory.mktemp("stranger")
    _run(uv, "build", "--quiet", "--wheel", "--out-dir", folder / "dist", ROOT, cwd=folder)
    (wheel,) = (folder / "dist").glob("*.whl")
    python = folder / "venv" / "bin" / "python"
    _run(uv, "venv", "--quiet", "--python", sys.executable, folder / "venv", cwd=folder)
    _run(uv, "pip", "install", "--quiet", "--python", python, wheel, "pytest", cwd=folder)
    return folder / "venv"


def test_a_suite_of_ours_runs_for_a_stranger_who_installed_the_wheel(tmp_path: Path, installed: Path) -> None:
    python = installed / "bin" / "python"
    project = tmp_path / "project"
    project.mkdir()
    for name in COPIED:
        shutil.copy(SUITE / name, project / name)

    printed = _run(python, "-m", "pytest", "-q", "-W", "error", "--strict-markers", cwd=project)

    assert " passed in " in printed
    assert "failed" not in printed
    # Types come with it: a stranger's checker sees them.
    package = next((installed / "lib").glob("python*/site-packages/edgeworker"))
    assert (package / "py.typed").is_file()
    assert (package / "testing" / "RECIPES.md").is_file()


def test_the_whole_oauth_flow_is_in_the_wheel(tmp_path: Path, installed: Path) -> None:
    printed = _run(installed / "bin" / "edgeworker", "demo", "--oauth", cwd=tmp_path)

    assert "FAILED" not in printed
    assert printed.rstrip().endswith("checks held.")
