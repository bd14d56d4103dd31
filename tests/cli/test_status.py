"""`edgeworker status`: how a serving edge does, for those without Prometheus."""

import time
from pathlib import Path

import pytest

from tests.cli.running import run
from tests.cli.serve.serving import serve, write_project
from tests.patience import PATIENCE_SECONDS


def test_it_shows_what_all_processes_did(tmp_path: Path) -> None:
    config = write_project(tmp_path)

    with serve("-c", str(config), "--processes", "2", cwd=tmp_path) as served:
        served.get()
        # Of each other a process knows what it was a second ago at most.
        until = time.monotonic() + PATIENCE_SECONDS
        shown = run("status", "--management", served.urls["management"], cwd=tmp_path)
        while "requests  1 (1 2xx, 0 3xx, 0 4xx, 0 5xx)" not in shown.stdout:
            assert time.monotonic() < until, shown.stdout
            shown = run("status", "--management", served.urls["management"], cwd=tmp_path)

    assert (shown.returncode, shown.stderr) == (0, "")
    assert "KV reads  0 found, 0 missing" in shown.stdout


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("http://127.0.0.1:1", "no edge answers at http://127.0.0.1:1"),
        ("ftp://127.0.0.1", "is not a base URL such as"),
        ("9787", "is not a base URL such as"),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, url: str, text: str) -> None:
    told = run("status", "--management", url, cwd=tmp_path)

    assert told.returncode == 1
    assert text in told.stderr
