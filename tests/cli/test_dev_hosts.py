"""Under which hosts `dev` is called: from a browser, from containers, by address."""

import json
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.running import dev, environment, run
from tests.cli.test_dev import WORKER
from tests.patience import PATIENCE_SECONDS


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The worker of the folder has routes, so it is not the default by being without; it is by being alone."""
    (tmp_path / "worker.py").write_text(WORKER % "w")
    (tmp_path / "wrangler.toml").write_text(
        'name = "w"\nmain = "worker.py"\ncompatibility_date = "2026-11-01"\n'
        'compatibility_flags = ["python_workers"]\nroutes = ["api.example.com/*", "*.shop.test/*"]\n'
    )
    return tmp_path


@pytest.mark.parametrize(
    ("host", "seen"),
    [
        ("edge:8787", "http://edge:8787/x"),
        ("192.168.1.7", "http://192.168.1.7/x"),
        ("[fd00::7]:8787", "http://[fd00::7]:8787/x"),
        ("host.docker.internal:8787", "http://host.docker.internal:8787/x"),
        ("api.example.com.localhost:8787", "http://api.example.com/x"),
        ("www.shop.test.localhost", "http://www.shop.test/x"),
        ("anything.localhost", "http://anything.localhost/x"),
    ],
)
def test_names_of_this_machine_reach_the_worker_and_real_names_stand_below_localhost(
    project: Path, host: str, seen: str
) -> None:
    with dev(cwd=project) as edge:
        answer = edge.get(host, "/x")
        foreign = edge.get("www.example.org", "/x")

    assert (answer.status, answer.text) == (200, f"w {seen}")
    assert foreign.status == 530


def test_an_edge_on_all_addresses_prints_one_that_answers(project: Path) -> None:
    with dev("--host", "0.0.0.0", cwd=project) as edge:
        assert edge.url.startswith("http://127.0.0.1:")
        assert edge.get("localhost").status == 200


def test_an_ipv6_address_may_have_its_brackets(project: Path) -> None:
    if not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")
    with dev("--host", "[::1]", cwd=project) as edge:
        assert re.fullmatch(r"http://\[::1\]:[0-9]+", edge.url)
        assert edge.get("localhost").status == 200


def test_what_dev_says_has_a_link_for_each_host(project: Path) -> None:
    (project / ".dev.vars").write_text("KEY=hidden\n")
    command = [sys.executable, "-m", "edgeworker", "dev", "--port", "0", "--api-port", "0"]
    process = subprocess.Popen(command, cwd=project, env=environment(), stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout:
        said: list[str] = []
        for line in process.stdout:
            said.append(line)
            if line.startswith("Ready on"):
                break
        process.terminate()
        process.wait(PATIENCE_SECONDS)
    port = said[-1].split(":")[2].split()[0]

    shown = "".join(said)
    assert f"http://api.example.com.localhost:{port}/ " in shown
    assert "*.shop.test/ " in shown
    assert f"http://localhost:{port}/ " in shown
    assert "Using secrets of .dev.vars" in shown
    assert "hidden" not in shown.replace("(hidden)", "")
    assert len(said) <= 24


@pytest.mark.parametrize("as_json", [True, False])
def test_a_port_that_is_in_use_names_its_option(project: Path, as_json: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = str(held.getsockname()[1])
        options = ["--json"] if as_json else []
        edge = run("dev", "--port", port, "--api-port", "0", *options, cwd=project)
        api = run("dev", "--port", "0", "--api-port", port, *options, cwd=project)

    assert (edge.returncode, api.returncode) == (1, 1)
    for done, option in ((edge, "--port"), (api, "--api-port")):
        text = json.loads(done.stderr)["message"] if as_json else done.stderr
        assert "the port is in use" in text
        assert text.strip().endswith(f": {option}")
