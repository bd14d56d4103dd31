"""What a developer sees on error pages and in the log, and what other clients must not see."""

import json
from pathlib import Path

import pytest

from tests.cli.running import dev, fetch

RAISES = """\
from workers import WorkerEntrypoint, fetch


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        if "/pass" in request.url:
            return await fetch(request)
        raise ValueError("%s")  # %s
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "worker.py").write_text(RAISES % ("first", "one"))
    (tmp_path / "wrangler.toml").write_text(
        'name = "w"\nmain = "worker.py"\ncompatibility_date = "2026-11-01"\n'
        'compatibility_flags = ["python_workers"]\nroutes = ["api.example.com/*"]\n'
    )
    return tmp_path


def test_page_1101_shows_the_traceback_of_the_script_that_runs_now(project: Path) -> None:
    with dev(cwd=project) as edge:
        text = edge.get("api.example.com")
        page = edge.get("api.example.com", headers={"Accept": "text/html"})
        (project / "worker.py").write_text("# moved down\n\n\n" + RAISES % ("second", "two"))
        edge.wait_for("reloaded")
        after = edge.get("api.example.com")

    assert (text.status, text.text.splitlines()[0]) == (500, "error code: 1101")
    assert 'raise ValueError("first")  # one' in text.text
    assert "ValueError: first" in page.text
    assert "<pre>" in page.text
    assert 'raise ValueError("second")  # two' in after.text


@pytest.mark.parametrize(
    ("options", "edge_toml"),
    [
        (["--no-error-details"], ""),
        (["--host", "0.0.0.0"], ""),
        ([], '[sockets]\ntrusted_proxies = ["127.0.0.1"]\n'),
    ],
    ids=["switched off", "on all addresses", "behind a proxy"],
)
def test_others_than_developers_see_nothing_of_it(project: Path, options: list[str], edge_toml: str) -> None:
    if edge_toml:
        (project / "edge.toml").write_text(f'[[workers]]\nconfig = "wrangler.toml"\n{edge_toml}')
        options = [*options, "--edge", "edge.toml"]
    with dev(*options, cwd=project) as edge:
        answer = edge.get("api.example.com")

    assert (answer.status, answer.text) == (500, "error code: 1101")


def test_page_521_names_the_origin(project: Path) -> None:
    with dev("--origin", "http://127.0.0.1:9", cwd=project) as edge:
        answer = edge.get("api.example.com", "/pass")

    assert answer.status == 521
    assert "origin http://127.0.0.1:9: " in answer.text


def test_a_worker_that_ran_is_not_no_worker_and_530_is_in_the_log(project: Path) -> None:
    with dev(cwd=project) as edge:
        passed = edge.get("api.example.com", "/pass")
        said = edge.wait_for("530: The worker of api.example.com/pass passed the request on")
        nothing = edge.get("other.example.com", "/x")
        edge.wait_for("530: No worker takes other.example.com/x")

    assert (passed.status, nothing.status) == (530, 530)
    assert "The worker of api.example.com/pass passed the request on" in passed.text
    assert "No worker takes" not in passed.text
    assert "has no origin" in said


def test_writes_and_refused_calls_of_the_api_are_logged(project: Path) -> None:
    call = "/client/v4/accounts/any/storage/kv/namespaces"
    with dev("--api-token", "right-token", cwd=project) as edge:
        fetch(edge.api_url + call, headers={"Authorization": "Bearer right-token"})
        fetch(edge.api_url + call + "?secret=1", headers={"Authorization": "Bearer wrong-token"})
        refused = json.loads(edge.wait_for("REST API"))
        body = b'{"title": "t"}'
        fetch(edge.api_url + call, method="POST", body=body, headers={"Authorization": "Bearer right-token"})
        written = json.loads(edge.wait_for("REST API"))
        edge.stop()
        everything = edge.everything()

    assert (refused["message"], refused["client"]) == (f"REST API: GET {call} 401", "127.0.0.1")
    assert refused["ray"]
    assert written["message"] == f"REST API: POST {call} 200, from 127.0.0.1"
    assert (written["event"], written["client"], written["status"]) == ("api", "127.0.0.1", 200)
    assert "-token" not in everything + json.dumps([refused, written])
