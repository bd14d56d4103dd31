"""`edgeworker test-server`, used from other languages."""

import json
import os
import shutil
import signal
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.patience import PATIENCE_SECONDS

HERE = Path(__file__).parent
WRANGLER = """
name = "shop"
main = "worker.py"
compatibility_date = "2026-04-01"
compatibility_flags = ["python_workers"]
routes = [{ pattern = "api.example.com/*", zone_name = "example.com" }]
[[kv_namespaces]]
binding = "TOKENS"
id = "0123456789abcdef0123456789abcdef"
"""
WORKER = """
from workers import Response, WorkerEntrypoint, fetch


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        stored = await self.env.TOKENS.get("k")
        return Response(stored) if stored is not None else await fetch(request)
"""
COMMAND = [sys.executable, "-m", "edgeworker", "test-server"]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "wrangler.toml").write_text(WRANGLER)
    (tmp_path / "worker.py").write_text(WORKER)
    return tmp_path


@pytest.fixture
def ready(project: Path) -> Iterator[dict[str, str]]:
    """The ready line of a server that is ended afterwards."""
    process = subprocess.Popen([*COMMAND, "--json"], cwd=project, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout:
        line: dict[str, str] = json.loads(process.stdout.readline())
        yield line
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_SECONDS) == 0


def _ask(method: str, url: str, *, token: str = "", body: bytes | None = None, host: str = "") -> bytes:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    if host:
        headers["Host"] = host
    request = urllib.request.Request(url, data=body, method=method, headers=headers)
    with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:
        content: bytes = answer.read()
        return content


def test_one_line_says_where_everything_is_and_all_of_it_works(ready: dict[str, str]) -> None:
    control, token = ready["control_url"], ready["control_token"]

    assert ready["event"] == "ready"
    assert _ask("GET", ready["url"], host="api.example.com") == b"origin\n"
    _ask("PUT", f"{control}/kv/TOKENS/k?expiration_ttl=60", token=token, body=b"over the control socket")
    assert _ask("GET", ready["url"], host="api.example.com") == b"over the control socket"
    _ask("POST", f"{control}/clock", token=token, body=b'{"advance": 60}')
    assert _ask("GET", ready["url"], host="api.example.com") == b"origin\n"

    value = f"{ready['api_url']}/accounts/a/storage/kv/namespaces/0123456789abcdef0123456789abcdef/values/k"
    _ask("PUT", value, token=ready["api_token"], body=b"over the REST API")
    assert _ask("GET", ready["url"], host="api.example.com") == b"over the REST API"

    _ask("POST", f"{control}/reset", token=token)
    assert _ask("GET", ready["url"], host="api.example.com") == b"origin\n"


def test_a_script_that_cannot_be_loaded_is_told_at_the_start(project: Path) -> None:
    (project / "worker.py").write_text("class Default(:")

    done = subprocess.run(
        [*COMMAND, "--json"], cwd=project, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
    )

    assert (done.returncode, done.stdout) == (1, "")
    assert "worker.py, line 1: SyntaxError" in done.stderr


@pytest.mark.node
def test_a_suite_of_another_language_uses_it(project: Path) -> None:
    node = shutil.which("node")
    if node is None:
        if os.environ.get("CI"):
            pytest.fail("node is missing, and CI must have it")
        pytest.skip("node is not installed")
    environment = {**os.environ, "EDGEWORKER": json.dumps(COMMAND)}

    done = subprocess.run(
        [node, "--test", str(HERE / "test_server.test.mjs")],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "pass 4" in done.stdout


def test_https_is_served_with_an_authority_of_its_own_whatever_the_test_clock_says(project: Path) -> None:
    process = subprocess.Popen([*COMMAND, "--json", "--https"], cwd=project, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout:
        ready: dict[str, str] = json.loads(process.stdout.readline())
        trusting = ssl.create_default_context(cafile=ready["ca"])
        port = ready["https_url"].rpartition(":")[2]
        _ask("POST", f"{ready['control_url']}/clock", token=ready["control_token"], body=b'{"advance": 99999999}')

        with urllib.request.urlopen(f"https://localhost:{port}/", timeout=PATIENCE_SECONDS, context=trusting) as answer:
            content = answer.read()

        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_SECONDS) == 0
    assert content == b"origin\n"
    assert not Path(ready["ca"]).exists()
