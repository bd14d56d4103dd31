"""Commands of a user who may not read or write the data directory."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.running import SECONDS, environment
from tests.cli.serve.serving import write_project
from tests.cli.without_rights import give_away


@pytest.mark.parametrize(
    "command",
    [
        "kv backup copy",
        "kv restore copy",
        "kv namespace list",
        "kv stats",
        "token list",
        "token create ci --allow kv:read",
        "explain",
        "reload",
        "publish -c wrangler.toml",
        "versions",
        "rollback w",
        "serve -c wrangler.toml --port 0 --api-port 0 --management-port 0",
        "dev -c wrangler.toml --port 0 --api-port 0",
    ],
)
def test_each_tells_which_file_it_may_not_use(command: str, tmp_path: Path) -> None:
    write_project(tmp_path)
    (tmp_path / "copy").touch()
    state = tmp_path / "state"
    (state / "run").mkdir(parents=True)
    (state / "kv.sqlite").touch()
    words = (*give_away(state), sys.executable, "-m", "edgeworker", *command.split(), "--persist-to", str(state))
    try:
        done = subprocess.run(
            words, cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=3 * SECONDS, check=False
        )
    finally:
        state.chmod(0o700)

    assert done.returncode == 1, done
    assert "Traceback" not in done.stderr
    assert str(state) in done.stderr
    assert any(word in done.stderr.lower() for word in ("permission denied", "may not write into it")), done.stderr


def test_the_audit_of_production_tells_of_a_directory_that_it_may_not_enter(tmp_path: Path) -> None:
    write_project(tmp_path)
    state = tmp_path / "state"
    state.mkdir()
    (state / "state.sqlite").touch()
    command = ("check", "-c", "wrangler.toml", "--production", "--json", "--persist-to", str(state))
    words = (*give_away(state), sys.executable, "-m", "edgeworker", *command)
    try:
        done = subprocess.run(
            words, cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=3 * SECONDS, check=False
        )
    finally:
        state.chmod(0o700)

    assert done.returncode == 1
    rules = [finding["rule"] for finding in json.loads(done.stdout)["findings"] if finding["severity"] == "error"]
    assert rules == ["data-directory"]
