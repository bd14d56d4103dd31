"""A stranger's project: an empty folder, the wheel, a wrangler.toml and a copy of a suite of ours."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

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
        [str(part) for part in command], cwd=cwd, env=kept, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_suite_of_ours_runs_for_a_stranger_who_installed_the_wheel(tmp_path: Path, uv: str) -> None:
    _run(uv, "build", "--quiet", "--wheel", "--out-dir", tmp_path / "dist", ROOT, cwd=tmp_path)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    python = tmp_path / "venv" / "bin" / "python"
    _run(uv, "venv", "--quiet", "--python", sys.executable, tmp_path / "venv", cwd=tmp_path)
    _run(uv, "pip", "install", "--quiet", "--python", python, wheel, "pytest", cwd=tmp_path)
    project = tmp_path / "project"
    project.mkdir()
    for name in COPIED:
        shutil.copy(SUITE / name, project / name)

    printed = _run(python, "-m", "pytest", "-q", "-W", "error", "--strict-markers", cwd=project)

    assert " passed in " in printed
    assert "failed" not in printed
    # Types come with it: a stranger's checker sees them.
    package = next((tmp_path / "venv" / "lib").glob("python*/site-packages/edgeworker"))
    assert (package / "py.typed").is_file()
    assert (package / "testing" / "RECIPES.md").is_file()
