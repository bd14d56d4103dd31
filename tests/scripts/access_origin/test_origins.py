"""Verifiers of Cloudflare's documentation, unchanged: Flask and PyJWT, jose, go-oidc.

They take every good token before, during and after a rotation, and no bad one.
"""

import importlib.util
import os
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edgeworker.host.bundled import script
from tests.npm_tools import missing, node_tools, npm_program
from tests.patience import PATIENCE_SECONDS
from tests.scripts.access_origin.minted import Access, access

ORIGINS = script("access_origin") / "origins"
GOPATH = Path("/usr/share/gocode")  # where Debian's golang-github-coreos-go-oidc-dev puts it
Verifier = Callable[[str], int]


@pytest.fixture
def stage() -> Iterator[Access]:
    with access() as made:
        yield made


def _check(stage: Access, verify: Verifier) -> None:
    before = [stage.identity_token(), stage.service_token()]
    assert [verify(token) for token in before] == [200, 200]

    stage.edge.access.rotate()
    stage.publish()
    during = [stage.identity_token(), stage.service_token()]
    assert [verify(token) for token in (*before, *during)] == [200] * 4
    assert {name: verify(token) for name, token in stage.bad_tokens().items() if verify(token) == 200} == {}

    stage.edge.access.rotate()
    stage.publish()
    after = stage.identity_token()
    assert [verify(token) for token in (*during, after)] == [200] * 3


def test_flask_and_pyjwt(stage: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEAM_DOMAIN", stage.server.url)
    monkeypatch.setenv("POLICY_AUD", stage.aud)
    found = importlib.util.spec_from_file_location("flask_app_of_the_tutorial", ORIGINS / "flask_app.py")
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)

    def verify(token: str) -> int:
        client = module.app.test_client(use_cookies=False)
        status: int = client.get("/", headers={"Cookie": f"CF_Authorization={token}"}).status_code
        return status

    _check(stage, verify)


def _over_http(port: int) -> Verifier:
    def verify(token: str) -> int:
        request = urllib.request.Request(f"http://127.0.0.1:{port}/", headers={"Cf-Access-Jwt-Assertion": token})
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as response:
                return int(response.status)
        except urllib.error.HTTPError as error:
            with error:  # it holds the response
                return error.code

    return verify


@pytest.fixture
def started() -> Iterator[Callable[[list[str], dict[str, str], Path], int]]:
    """Starts a program that prints its port; ends it with the test."""
    processes: list[subprocess.Popen[str]] = []

    def start(command: list[str], variables: dict[str, str], folder: Path) -> int:
        environment = {**os.environ, **variables, "PORT": "0"}
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True)
        processes.append(process)
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("listening on "), line
        return int(line.split()[-1])

    yield start
    for process in processes:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


@pytest.mark.node
def test_jose(stage: Access, tmp_path: Path, started: Callable[[list[str], dict[str, str], Path], int]) -> None:
    node = npm_program("jose", "package.json")[0]
    (tmp_path / "node_modules").symlink_to(node_tools() / "node_modules")
    shutil.copy(ORIGINS / "jose.mjs", tmp_path / "jose.mjs")
    variables = {"TEAM_DOMAIN": stage.server.url, "POLICY_AUD": stage.aud}

    _check(stage, _over_http(started([node, "jose.mjs"], variables, tmp_path)))


@pytest.mark.go
def test_go_oidc(stage: Access, tmp_path: Path, started: Callable[[list[str], dict[str, str], Path], int]) -> None:
    if shutil.which("go") is None or not (GOPATH / "src/github.com/coreos/go-oidc").is_dir():
        missing("golang-go and golang-github-coreos-go-oidc-dev are needed")
    program = tmp_path / "origin"
    environment = {**os.environ, "GO111MODULE": "off", "GOPATH": str(GOPATH), "GOCACHE": str(tmp_path / "cache")}
    subprocess.run(
        ["go", "build", "-o", str(program), "."], cwd=ORIGINS / "go_oidc", env=environment, check=True, timeout=900
    )
    variables = {"TEAM_DOMAIN": stage.server.url, "POLICY_AUD": stage.aud}

    _check(stage, _over_http(started([str(program)], variables, tmp_path)))
