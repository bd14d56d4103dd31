"""The same two folders deploy to Cloudflare: real wrangler bundles them, without a network."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.npm_tools import npm_program
from tests.patience import PATIENCE_SECONDS
from tests.scripts.oauth.auth_stage import SCRIPTS

pytestmark = pytest.mark.wrangler

WORKERS = {"auth": "auth_worker.py", "token": "token_worker.py"}


@pytest.mark.parametrize("worker", WORKERS)
def test_wrangler_takes_every_module_along(tmp_path: Path, worker: str) -> None:
    config, out = SCRIPTS / worker / "wrangler.toml", tmp_path / "out"
    command = [
        *npm_program("wrangler", "bin/wrangler.js"),
        "deploy",
        "--dry-run",
        "--outdir",
        str(out),
        "-c",
        str(config),
    ]
    env = {**os.environ, "WRANGLER_SEND_METRICS": "false", "CI": "1", "HOME": str(tmp_path), "NO_COLOR": "1"}

    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=tmp_path, env=env, timeout=PATIENCE_SECONDS
    )

    assert done.returncode == 0, done.stdout + done.stderr
    # wrangler warns of what it does not know in a configuration.
    assert "WARNING" not in done.stdout + done.stderr
    source = SCRIPTS / "src"
    wanted = {str(path.relative_to(source)) for path in (source / "issuer").rglob("*.py")} | {WORKERS[worker]}
    assert wanted <= {str(path.relative_to(out)) for path in out.rglob("*.py")}
    assert (out / WORKERS[worker]).read_bytes() == (source / WORKERS[worker]).read_bytes()
