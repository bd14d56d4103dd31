"""`edgeworker dev` as a person meets it: processes, sockets, files that change."""

import json
import os
import shutil
import signal
import socket
import stat
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.cli.running import dev, environment, fetch, run

WORKER = """\
from workers import Response, WorkerEntrypoint


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return Response("%s " + request.url)
"""


def _project(folder: Path, name: str, *routes: str, says: str = "") -> Path:
    """A worker that answers with `says` and its URL; returns its wrangler.toml."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "worker.py").write_text(WORKER % (says or name))
    config = folder / "wrangler.toml"
    config.write_text(
        f'name = "{name}"\nmain = "worker.py"\ncompatibility_date = "2026-11-01"\n'
        f'compatibility_flags = ["python_workers"]\nroutes = {json.dumps(list(routes))}\n'
    )
    return config


def test_without_any_configuration_the_split_token_script_answers_every_host(tmp_path: Path) -> None:
    with dev(cwd=tmp_path) as edge:
        answer = edge.get("api.example.com", "/orders")

        assert answer.status == 401
        assert answer.headers["www-authenticate"].startswith("Bearer realm=")
        assert edge.stop() == 0


def test_three_workers_run_on_their_hosts_and_paths_and_see_the_true_url(tmp_path: Path) -> None:
    configs = [
        _project(tmp_path / "a", "a", "example.com/*"),
        _project(tmp_path / "b", "b", "example.com/hello/*", "*.example.com/*"),
        _project(tmp_path / "c", "c", "other.test/images*"),
    ]
    options = [part for config in configs for part in ("-c", str(config))]

    with dev(*options, cwd=tmp_path) as edge:
        assert edge.get("example.com", "/x").text == "a http://example.com/x"
        assert edge.get("example.com", "/hello/world?a=b").text == "b http://example.com/hello/world?a=b"
        assert edge.get("www.example.com", "/x").text == "b http://www.example.com/x"
        assert edge.get("other.test", "/images123").text == "c http://other.test/images123"
        unmatched = edge.get("other.test", "/nothing")

    assert unmatched.status == 530
    assert "other.test/images*" in unmatched.text


def test_a_changed_script_is_served_and_a_broken_one_is_not(tmp_path: Path) -> None:
    config = _project(tmp_path, "w", "example.com/*", says="one")

    with dev("-c", str(config), cwd=tmp_path) as edge:
        assert edge.get("example.com").text.startswith("one")

        (tmp_path / "worker.py").write_text(WORKER % "two")
        edge.wait_for("reloaded")
        assert edge.get("example.com").text.startswith("two")

        (tmp_path / "worker.py").write_text("def broken(:\n")
        said = edge.wait_for("keeps serving")
        assert edge.get("example.com").text.startswith("two")

        (tmp_path / "worker.py").write_text(WORKER % "three")
        edge.wait_for("reloaded")
        assert edge.get("example.com").text.startswith("three")

    assert "worker.py, line 1: SyntaxError" in said
    assert "Traceback" not in said


def test_a_changed_configuration_is_served(tmp_path: Path) -> None:
    config = _project(tmp_path, "w", "example.com/*")

    with dev("-c", str(config), cwd=tmp_path) as edge:
        assert edge.get("moved.example.com").status == 530

        _project(tmp_path, "w", "moved.example.com/*")
        edge.wait_for("reloaded")

        assert edge.get("moved.example.com").status == 200
        assert edge.get("example.com").status == 530


def test_a_change_that_needs_a_restart_says_so(tmp_path: Path) -> None:
    config = _project(tmp_path, "w", "example.com/*")
    (tmp_path / "edge.toml").write_text(f'[[workers]]\nconfig = "{config.name}"\n')

    with dev("--edge", "edge.toml", cwd=tmp_path) as edge:
        assert edge.get("example.com").status == 200
        with (tmp_path / "edge.toml").open("a") as file:
            file.write('[kv]\ndurability = "full"\n')

        edge.wait_for("the change of kv takes effect after a restart")
        assert edge.get("example.com").status == 200


def test_a_script_that_raises_gives_page_1101_and_its_traceback_to_the_log_only(tmp_path: Path) -> None:
    config = _project(tmp_path, "w", "example.com/*")
    (tmp_path / "worker.py").write_text(
        "from workers import WorkerEntrypoint\n\n\n"
        "class Default(WorkerEntrypoint):\n"
        "    async def fetch(self, request):\n"
        "        raise ValueError('inner detail')\n"
    )

    with dev("-c", str(config), "--no-error-details", cwd=tmp_path) as edge:
        answer = edge.get("example.com")
        said = edge.wait_for("inner detail")

    assert (answer.status, answer.text) == (500, "error code: 1101")
    assert "worker.py" in said


def test_the_api_and_the_worker_share_one_namespace(tmp_path: Path) -> None:
    config = _project(tmp_path, "w", "example.com/*")
    config.write_text(config.read_text() + 'kv_namespaces = [{ binding = "NS", id = "ns-1" }]\n')
    (tmp_path / "worker.py").write_text(
        "from workers import Response, WorkerEntrypoint\n\n\n"
        "class Default(WorkerEntrypoint):\n"
        "    async def fetch(self, request):\n"
        "        return Response(await self.env.NS.get('greeting') or 'nothing')\n"
    )

    with dev("-c", str(config), cwd=tmp_path) as edge:
        assert edge.get("example.com").text == "nothing"
        token_file = tmp_path / ".edgeworker" / "api-token"
        values = f"{edge.api_url}/client/v4/accounts/any/storage/kv/namespaces/ns-1/values/greeting"
        refused = fetch(values, method="PUT", body=b"Hej")
        put = fetch(
            values, method="PUT", body=b"Hej", headers={"Authorization": f"Bearer {token_file.read_text().strip()}"}
        )
        assert (refused.status, put.status) == (401, 200)
        assert edge.get("example.com").text == "Hej"

    assert stat.S_IMODE(token_file.stat().st_mode) == 0o600


def test_a_publishers_short_lived_entry_is_refused_unless_the_configuration_says_otherwise(tmp_path: Path) -> None:
    config = _project(tmp_path, "w", "example.com/*")
    edge_toml = tmp_path / "edge.toml"
    edge_toml.write_text(f'[[workers]]\nconfig = "{config.name}"\n')
    path = "/client/v4/accounts/any/storage/kv/namespaces/ns-1/values/key?expiration_ttl=30"
    statuses = []
    config.write_text(config.read_text() + 'kv_namespaces = [{ binding = "NS", id = "ns-1" }]\n')

    for _ in range(2):
        with dev("--edge", "edge.toml", "--api-token", "t", cwd=tmp_path) as edge:
            put = fetch(edge.api_url + path, method="PUT", body=b"v", headers={"Authorization": "Bearer t"})
            statuses.append(put.status)
        edge_toml.write_text(edge_toml.read_text() + "[api]\nrelaxed_expiration = true\n")

    assert statuses == [400, 200]


def test_the_zones_of_a_changed_configuration_are_shown_by_the_api(tmp_path: Path) -> None:
    config = _project(tmp_path, "w", "example.com/*")

    with dev("-c", str(config), "--api-token", "t", cwd=tmp_path) as edge:
        assert edge.get("example.com").status == 200
        _project(tmp_path, "w", "moved.test/*")
        edge.wait_for("reloaded")
        zones = fetch(f"{edge.api_url}/client/v4/zones", headers={"Authorization": "Bearer t"})

    assert [zone["name"] for zone in json.loads(zones.text)["result"]] == ["moved.test"]


def test_the_token_can_be_given(tmp_path: Path) -> None:
    verify = "/client/v4/user/tokens/verify"

    with dev("--api-token", "from-option", cwd=tmp_path) as edge:
        assert fetch(edge.api_url + verify, headers={"Authorization": "Bearer from-option"}).status == 200
        assert "from-option" not in edge.everything()
    with dev(cwd=tmp_path, env=environment(EDGEWORKER_API_TOKEN="from-environment")) as edge:
        assert fetch(edge.api_url + verify, headers={"Authorization": "Bearer from-environment"}).status == 200
    assert not (tmp_path / ".edgeworker" / "api-token").exists()


def test_a_request_is_one_json_line_without_its_query(tmp_path: Path) -> None:
    with dev(cwd=tmp_path) as edge:
        edge.get("api.example.com", "/orders?code=hidden")
        line = edge.wait_for("/orders")

    logged = json.loads(line)
    said = {name: logged[name] for name in ("event", "status", "host", "path", "served_by")}
    assert said == {
        "event": "request",
        "status": 401,
        "host": "api.example.com",
        "path": "/orders",
        "served_by": "split-token",
    }
    assert "hidden" not in line


def test_request_lines_can_be_left_out_and_are_there_when_dev_stops(tmp_path: Path) -> None:
    with dev(cwd=tmp_path) as edge:
        edge.get("api.example.com", "/last")
        edge.stop()
        with_lines = edge.everything()
    with dev("--no-request-log", cwd=tmp_path) as edge:
        edge.get("api.example.com", "/last")
        edge.stop()
        without = edge.everything()

    assert "/last" in with_lines
    assert "stopping" in without
    assert "/last" not in without


def test_with_json_every_line_of_the_log_is_json(tmp_path: Path) -> None:
    config = _project(tmp_path, "w", "example.com/*")
    config.write_text(config.read_text() + "unknown_key = 1\n")

    with dev("-c", str(config), cwd=tmp_path) as edge:
        edge.get("example.com")
        edge.wait_for('"request"')
        (tmp_path / "worker.py").write_text("def broken(:\n")
        edge.wait_for("keeps serving")
        edge.stop()
        lines = [json.loads(line) for line in edge.everything().splitlines()]

    assert "unknown_key" in lines[0]["message"]
    assert {line["level"] for line in lines} == {"warning", "info", "error"}


def test_trace_prints_the_way_of_a_request(tmp_path: Path) -> None:
    config = _project(tmp_path, "w", "example.com/*")

    with dev("-c", str(config), "--trace", cwd=tmp_path) as edge:
        edge.get("example.com", "/x")

        edge.wait_for("example.com/* -> worker w")
        edge.wait_for("w (route): 200")


def test_a_port_in_use_is_a_clear_error(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        done = run("dev", "--port", str(port), "--api-port", "0", cwd=tmp_path)

    assert done.returncode == 1
    assert f"127.0.0.1:{port}" in done.stderr
    assert "in use" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "files", "says"),
    [
        (["-c", "missing.toml"], {}, "missing.toml"),
        (["-c", "w.toml"], {"w.toml": 'name = "w"\nname = "x"\n'}, "w.toml"),
        (
            ["-c", "w.toml"],
            {"w.toml": 'name = "w"\nmain = "gone.py"\n'},
            'The entry-point file at "gone.py" was not found',
        ),
        (["-c", "w.toml"], {"w.toml": 'name = "w"\nmain = "w.js"\n', "w.js": ""}, "the worker has no event handlers"),
        (["-c", "w.toml"], {"w.toml": 'name = "w"\nmain = "w.py"\n', "w.py": "x = 1\n"}, "w.py"),
        (
            ["-c", "w.toml"],
            {"w.toml": 'name = "w"\nmain = "w.py"\n', "w.py": "import nowhere_to_be_found\n"},
            "nowhere_to_be_found",
        ),
        (["--persist-to", "file"], {"file": ""}, "is a file"),
        (["--port", "99999"], {}, "is not a port"),
    ],
)
def test_a_mistake_is_explained_without_a_traceback(
    tmp_path: Path, arguments: list[str], files: dict[str, str], says: str
) -> None:
    if "w.js" in files:
        pytest.importorskip("quickjs", reason="quickjs-bindings has wheels for CPython 3.11 and 3.13")
    for name, text in files.items():
        (tmp_path / name).write_text(text)

    done = run(
        *("dev", "--port", "0", "--api-port", "0"),
        *(["--port", "99999"] if "99999" in arguments else arguments),
        cwd=tmp_path,
    )

    assert done.returncode in (1, 2)
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_a_database_that_is_none_is_a_clear_error(tmp_path: Path) -> None:
    data = tmp_path / ".edgeworker"
    data.mkdir(mode=0o700)
    (data / "kv.sqlite").write_bytes(b"this is not a database, " * 100)

    done = run("dev", "--port", "0", "--api-port", "0", cwd=tmp_path)

    assert done.returncode == 1
    assert "kv.sqlite" in done.stderr
    assert "Traceback" not in done.stderr


def test_ctrl_c_lets_requests_in_flight_finish(tmp_path: Path) -> None:
    config = _project(tmp_path, "w", "example.com/*")
    (tmp_path / "worker.py").write_text(
        "import asyncio\n\nfrom workers import Response, WorkerEntrypoint\n\n\n"
        "class Default(WorkerEntrypoint):\n"
        "    async def fetch(self, request):\n"
        "        print('in flight')\n"
        "        await asyncio.sleep(1)\n"
        "        return Response('finished')\n"
    )

    with dev("-c", str(config), cwd=tmp_path) as edge, ThreadPoolExecutor(1) as pool:
        answer = pool.submit(edge.get, "example.com")
        # What a script prints is a line of the log: stdout is for the ready line alone.
        edge.wait_for("in flight")

        assert edge.stop() == 0

        assert answer.result().text == "finished"


def test_a_second_signal_ends_it_even_while_a_script_never_yields(tmp_path: Path) -> None:
    config = _project(tmp_path, "w", "example.com/*")
    (tmp_path / "worker.py").write_text(
        "from workers import Response, WorkerEntrypoint\n\n\n"
        "class Default(WorkerEntrypoint):\n"
        "    async def fetch(self, request):\n"
        "        print('busy')\n"
        "        while True: pass\n"
    )

    with dev("-c", str(config), cwd=tmp_path) as edge, ThreadPoolExecutor(1) as pool:
        answer = pool.submit(edge.get, "example.com")
        edge.wait_for("busy")

        os.kill(edge.pid, signal.SIGINT)  # two of a kind may be told as one, so the second is another
        assert edge.stop(signal.SIGTERM) in (-signal.SIGINT, -signal.SIGTERM)

        assert answer.exception() is not None


def test_sigterm_stops_it_with_status_0(tmp_path: Path) -> None:
    with dev(cwd=tmp_path) as edge:
        assert edge.stop(signal.SIGTERM) == 0


def test_it_starts_and_serves_without_any_network(tmp_path: Path) -> None:
    """In a network namespace whose only device is a loopback: no route leads anywhere."""
    unshare = shutil.which("unshare")
    ip = shutil.which("ip") or "/sbin/ip"
    if unshare is None or not os.path.exists(ip) or subprocess.run([unshare, "-rn", "true"], check=False).returncode:
        if os.environ.get("CI"):
            pytest.fail("network namespaces are needed under CI")
        pytest.skip("network namespaces cannot be made here")
    script = f'{ip} link set lo up && cd {tmp_path} && exec "$@"'
    with dev(cwd=tmp_path, prefix=[unshare, "-rn", "sh", "-c", script, "sh"]) as edge:
        inside = subprocess.run(
            [
                "nsenter",
                "-U",
                "--preserve-credentials",
                "-n",
                "-t",
                str(edge.pid),
                "curl",
                "-s",
                "-o",
                "/dev/null",
                "-w",
                "%{http_code}",
                edge.url,
            ],
            capture_output=True,
            text=True,
            check=True,
        )
        assert inside.stdout == "401"
        assert edge.stop() == 0
