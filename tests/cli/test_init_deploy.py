"""What `edgeworker init --template oauth` writes deploys to Cloudflare: real wrangler bundles it, without a network."""

import os
import subprocess
from pathlib import Path

import pytest

from edgeworker.cli.init import write
from tests.npm_tools import npm_program
from tests.patience import PATIENCE_SECONDS

# Folder of the worker -> the folder below the project that its main file and modules are in.
WORKERS = {"auth": "src", "token": "src", "gateway": "gateway", "api": "api"}

pytestmark = pytest.mark.wrangler


@pytest.mark.parametrize("worker", WORKERS)
def test_wrangler_takes_every_module_of_the_oauth_template_along(tmp_path: Path, worker: str) -> None:
    project, out = tmp_path / "my-login", tmp_path / "out"
    write(project, "oauth")
    config = str(project / worker / "wrangler.toml")
    command = [*npm_program("wrangler", "bin/wrangler.js"), "deploy", "--dry-run", "--outdir", str(out), "-c", config]
    env = {**os.environ, "WRANGLER_SEND_METRICS": "false", "CI": "1", "HOME": str(tmp_path), "NO_COLOR": "1"}

    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=tmp_path, env=env, timeout=PATIENCE_SECONDS
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stdout + done.stderr
    source = project / WORKERS[worker]
    wanted = {path.relative_to(source).as_posix() for path in source.rglob("*.py")}
    assert len(wanted) > 5
    assert wanted <= {path.relative_to(out).as_posix() for path in out.rglob("*.py")}
