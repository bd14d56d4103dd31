"""`edgeworker serve` as an operator meets it: signals, processes, reloads under load, logs, health."""

import json
import os
import signal
import socket
import sqlite3
import stat
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPException
from pathlib import Path

import pytest

from tests.cli.running import SECONDS, environment, run
from tests.cli.serve.serving import Served, serve, write_project

_PAUSE_SECONDS = 0.05


class Load:
    """Requests on several threads, each counted by what it was answered, with a pause between them: without one the
    clients take the processors from the edge, and each reload takes many times longer."""

    def __init__(self, served: Served, threads: int = 4) -> None:
        self._url = served.urls["edge"]
        self._stop = threading.Event()
        self.answers: list[str] = []
        self.failures: list[str] = []
        self._threads = [threading.Thread(target=self._run) for _ in range(threads)]

    def _run(self) -> None:
        while not self._stop.is_set():
            request = urllib.request.Request(self._url, headers={"Host": "example.com"})
            try:
                with urllib.request.urlopen(request, timeout=SECONDS) as response:
                    self.answers.append(response.read().decode().split()[0])
            except OSError as error:
                self.failures.append(str(error))
            self._stop.wait(_PAUSE_SECONDS)

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def wait_for(self, answer: str) -> None:
        """Until it was given from now on."""
        before, until = len(self.answers), time.monotonic() + 3 * SECONDS
        while answer not in self.answers[before:]:
            assert time.monotonic() < until, f"{answer} was not answered: {self.failures[:3]}"
            time.sleep(0.01)


@pytest.mark.parametrize("processes", [1, 2])
def test_reloads_under_load_lose_no_request_and_a_mistake_keeps_the_old_version(tmp_path: Path, processes: int) -> None:
    config = write_project(tmp_path, "v0")

    with serve("-c", str(config), "--processes", str(processes), cwd=tmp_path) as served:
        with Load(served) as load:
            load.wait_for("v0")
            for number in range(1, 4):
                write_project(tmp_path, f"v{number}")
                served.send(signal.SIGHUP)
                for _ in range(processes):
                    served.wait_for('"message": "reloaded"')
                load.wait_for(f"v{number}")
            (tmp_path / "worker.py").write_text("def broken(:\n")
            served.send(signal.SIGHUP)
            served.wait_for("keeps serving")
            load.wait_for("v3")
            counted = f"reloads   {3 * processes} (one of each process), 1 refused"
            until = time.monotonic() + 3 * SECONDS
            # What the other processes counted comes once a second.
            while counted not in (status := served.manage("/status").text) and time.monotonic() < until:
                time.sleep(0.1)
            assert counted in status
        assert load.failures == []
        assert served.get().text.startswith("v3 ")
        assert served.stop() == 0


@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.parametrize(
    "line",
    [
        "import os; os._exit(0)",
        "import sys; sys.exit(0)",
        "import posix; posix._exit(0)",
        "import posix; posix.kill(posix.getpid(), 9)",
        "raise KeyboardInterrupt",
    ],
)
def test_a_script_that_ends_the_process_which_loads_it_leaves_the_old_version(
    tmp_path: Path, processes: int, line: str
) -> None:
    config = write_project(tmp_path, "v0")

    with serve("-c", str(config), "--processes", str(processes), cwd=tmp_path) as served:
        (tmp_path / "worker.py").write_text(f"{line}\n")
        served.send(signal.SIGHUP)
        served.wait_for("keeps serving")

        assert served.get().text.startswith("v0 ")
        assert served.stop() == 0


def test_a_configuration_is_tried_behind_the_requests(tmp_path: Path) -> None:
    config = write_project(tmp_path)
    worker = tmp_path / "worker.py"
    worker.write_text("import os\nopen(f'nice-{os.getpid()}', 'w').write(str(os.nice(0)))\n" + worker.read_text())

    with serve("-c", str(config), "--processes", "2", cwd=tmp_path) as served:
        serving = {int(file.read_text()) for file in tmp_path.glob("nice-*")}
        served.send(signal.SIGHUP)
        for _ in range(2):
            served.wait_for('"message": "reloaded"')
        later = {int(file.read_text()) for file in tmp_path.glob("nice-*")}

    (own,) = serving
    assert later == {own, min(own + 10, 19)}


def test_the_first_call_of_the_api_does_not_keep_requests_waiting_for_what_it_imports(tmp_path: Path) -> None:
    config = write_project(tmp_path)
    worker = tmp_path / "worker.py"
    looks = "\nVERSION = 'wrangler_compat.api.endpoints' in sys.modules\n"
    worker.write_text(f"import sys\n{worker.read_text()}{looks}")

    with serve("-c", str(config), cwd=tmp_path) as served:
        assert served.get().text.startswith("True ")
        assert served.stop() == 0


def test_a_process_that_is_killed_is_started_again_and_the_others_go_on(tmp_path: Path) -> None:
    config = write_project(tmp_path)

    with serve("-c", str(config), "--processes", "2", cwd=tmp_path) as served:
        seen: set[int] = set()
        until = time.monotonic() + 3 * SECONDS
        while len(seen) < 2 and time.monotonic() < until:
            seen.add(int(served.get().text.split()[1]))
        assert len(seen) == 2, "both processes answer"
        killed = seen.pop()
        os.kill(killed, signal.SIGKILL)
        served.wait_for("ended (SIGKILL); it is started again")
        while len(seen) < 2 and time.monotonic() < until:
            seen.add(int(served.get().text.split()[1]))

        assert killed not in seen
        assert len(seen) == 2
        assert served.stop() == 0


def test_the_log_says_in_which_line_of_a_script_a_process_crashed(tmp_path: Path) -> None:
    config = write_project(tmp_path)
    worker = tmp_path / "worker.py"
    crashes = "        import ctypes\n        ctypes.string_at(0)\n"
    worker.write_text(worker.read_text().replace("        return", f"{crashes}        return"))

    with serve("-c", str(config), "--processes", "2", cwd=tmp_path) as served:
        with pytest.raises((OSError, HTTPException)):
            served.get()
        told = json.loads(served.wait_for("ended (SIGSEGV); it is started again"))
        assert f'File "{worker}", line 10 in fetch' in told["message"]
        assert served.stop() == 0


@pytest.mark.parametrize("processes", [1, 2])
def test_a_thread_of_a_script_does_not_keep_serve_from_ending(tmp_path: Path, processes: int) -> None:
    config = write_project(tmp_path)
    worker = tmp_path / "worker.py"
    waits = "        import asyncio, time\n        asyncio.create_task(asyncio.to_thread(time.sleep, 3600))\n"
    worker.write_text(worker.read_text().replace("        return", f"{waits}        return"))

    with serve("-c", str(config), "--processes", str(processes), cwd=tmp_path) as served:
        assert served.get().status == 200
        assert served.stop() == 0
        served.wait_for("although a thread still runs")


def test_no_process_outlives_a_parent_that_was_killed(tmp_path: Path) -> None:
    config = write_project(tmp_path)

    with serve("-c", str(config), "--processes", "2", cwd=tmp_path) as served:
        child = int(served.get().text.split()[1])
        served.send(signal.SIGKILL)
        served.process.wait(SECONDS)
        until = time.monotonic() + 3 * SECONDS
        while Path(f"/proc/{child}").exists() and time.monotonic() < until:
            time.sleep(0.05)

        assert not Path(f"/proc/{child}").exists()


def test_health_and_metrics_are_joined_over_the_processes(tmp_path: Path) -> None:
    config = write_project(tmp_path)

    with serve("-c", str(config), "--processes", "2", cwd=tmp_path) as served:
        for _ in range(20):
            assert served.get().status == 200
        assert served.get(host="nowhere.test").status == 530
        until = time.monotonic() + 3 * SECONDS
        wanted = 'edgeworker_requests_total{method="GET",status="200",served_by="w"} 20'
        while wanted not in (text := served.manage("/metrics").text) and time.monotonic() < until:
            time.sleep(0.1)
        # What the other process counted comes once a second.
        counted = "requests  21 (20 2xx, 0 3xx, 0 4xx, 1 5xx)"
        while counted not in (status := served.manage("/status").text) and time.monotonic() < until:
            time.sleep(0.1)

        assert wanted in text
        assert "edgeworker_processes 2" in text
        assert served.manage("/healthz").text == "ok\n"
        assert served.manage("/readyz").text == "ready\n"
        assert counted in status
        assert served.manage("/nothing").status == 404


def test_a_worker_without_a_configuration_is_not_guessed(tmp_path: Path) -> None:
    write_project(tmp_path)

    done = run("serve", cwd=tmp_path)

    assert done.returncode == 1
    assert "name it with --edge edge.toml or -c wrangler.toml" in done.stderr


def test_a_first_start_that_fails_ends_with_the_reason(tmp_path: Path) -> None:
    config = write_project(tmp_path)
    (tmp_path / "worker.py").write_text("import nothing_like_it\n")

    for processes in ("1", "2"):
        done = run(
            "serve",
            "-c",
            str(config),
            "--port=0",
            "--api-port=0",
            "--management-port=0",
            "--processes",
            processes,
            cwd=tmp_path,
        )

        assert done.returncode == 1
        assert "nothing_like_it" in done.stderr
        assert "Traceback" not in done.stderr


def test_each_line_of_a_json_log_is_json_also_what_is_wrong_at_the_start(tmp_path: Path) -> None:
    config = write_project(tmp_path)
    config.write_text(config.read_text() + "nonsense = 1\n")

    with serve("-c", str(config), cwd=tmp_path) as served:
        lines = [json.loads(line) for line in served.said]
    config.write_text('nonsense = "\n')
    broken = run("serve", "-c", str(config), "--log-format", "json", cwd=tmp_path)
    write_project(tmp_path)
    (tmp_path / "worker.py").write_text("import nothing_like_it\n")
    ports = ("--port=0", "--api-port=0", "--management-port=0")
    failing = run("serve", "-c", str(config), "--log-format", "json", *ports, cwd=tmp_path)

    assert "nonsense" in lines[0]["message"]
    assert lines[0]["level"] == "warning"
    assert [json.loads(line)["level"] for line in broken.stderr.splitlines()] == ["error"]
    *_, last = (json.loads(line) for line in failing.stderr.splitlines())
    assert "nothing_like_it" in last["message"]


def test_a_port_in_use_is_told_before_anything_starts(tmp_path: Path) -> None:
    config = write_project(tmp_path)

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = run("serve", "-c", str(config), f"--port={taken.getsockname()[1]}", cwd=tmp_path)

    assert done.returncode == 1
    assert "the port is in use" in done.stderr


def test_the_address_of_the_command_line_is_that_of_all_sockets_of_clients(tmp_path: Path) -> None:
    write_project(tmp_path)
    edge = tmp_path / "edge.toml"
    edge.write_text(
        'workers = [{ config = "wrangler.toml" }]\n[sockets]\nhttps = "0.0.0.0:0"\nredirect = "0.0.0.0:0"\n'
    )

    with serve("--edge", str(edge), "--host", "127.0.0.1", "--no-cron", cwd=tmp_path) as served:
        addresses = {name: url.split("//")[1].rpartition(":")[0] for name, url in served.urls.items()}

    assert addresses == dict.fromkeys(("edge", "https", "redirect", "api", "management"), "127.0.0.1")


def test_production_defaults_hold(tmp_path: Path) -> None:
    config = write_project(tmp_path)
    config.write_text(config.read_text() + '[triggers]\ncrons = ["0 0 1 1 *"]\n')

    with serve("-c", str(config), "--persist-to", "data", cwd=tmp_path) as served:
        assert served.get("/cdn-cgi/handler/scheduled").status == 404
        assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
        assert served.stop() == 0


@contextmanager
def _managed(folder: Path) -> Iterator[tuple[Served, socket.socket]]:
    """An edge of two processes, and the service manager that it tells how it is."""
    config = write_project(folder)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(folder / "notify"))
        manager.settimeout(3 * SECONDS)
        env = environment(NOTIFY_SOCKET=str(folder / "notify"))
        with serve("-c", str(config), "--processes", "2", cwd=folder, env=env) as served:
            assert manager.recv(200).startswith(b"READY=1")
            yield served, manager


def test_the_service_manager_is_told_of_readiness_reload_and_stop(tmp_path: Path) -> None:
    with _managed(tmp_path) as (served, manager):
        served.send(signal.SIGHUP)
        assert manager.recv(200).startswith(b"RELOADING=1\nMONOTONIC_USEC=")
        assert manager.recv(200) == b"READY=1\nSTATUS=reloaded"
        served.send(signal.SIGTERM)
        assert manager.recv(200) == b"STOPPING=1"
        assert served.process.wait(3 * SECONDS) == 0


def test_a_reload_is_told_when_each_process_has_ended_it(tmp_path: Path) -> None:
    with _managed(tmp_path) as (served, manager):
        script = (tmp_path / "worker.py").read_text()
        (tmp_path / "worker.py").write_text(
            f"{script}\nimport time\ntime.sleep(0.3)\nwith open('loads', 'a') as file:\n    file.write('x')\n"
        )
        served.send(signal.SIGHUP)
        assert manager.recv(200).startswith(b"RELOADING=1")
        served.send(signal.SIGHUP)  # while the first is under way

        assert manager.recv(200) == b"READY=1\nSTATUS=reloaded"
        # One x is of the trial.
        assert len((tmp_path / "loads").read_text()) >= 3
        assert manager.recv(200).startswith(b"RELOADING=1")
        assert manager.recv(200) == b"READY=1\nSTATUS=reloaded"
        assert len((tmp_path / "loads").read_text()) == 6


def test_a_reload_that_processes_refuse_after_its_trial_is_told_as_one(tmp_path: Path) -> None:
    with _managed(tmp_path) as (served, manager):
        script = (tmp_path / "worker.py").read_text()
        (tmp_path / "worker.py").write_text(f"{script}\nopen('tried', 'x').close()  # works once\n")
        served.send(signal.SIGHUP)
        assert manager.recv(200).startswith(b"RELOADING=1")

        expected = b"READY=1\nSTATUS=of 2 processes that reload, 2 refused it and serve the version before"
        assert manager.recv(200) == expected
        assert served.get().text.startswith("one ")


def test_a_stop_is_not_kept_waiting_by_a_configuration_that_is_tried(tmp_path: Path) -> None:
    config = write_project(tmp_path)

    with serve("-c", str(config), "--processes", "2", cwd=tmp_path) as served:
        (tmp_path / "worker.py").write_text("import time\nopen('tried', 'w').close()\ntime.sleep(600)\n")
        served.send(signal.SIGHUP)
        until = time.monotonic() + 3 * SECONDS
        while not (tmp_path / "tried").exists() and time.monotonic() < until:
            time.sleep(0.02)

        assert served.stop() == 0


@pytest.mark.parametrize("file", ["kv.sqlite", "state.sqlite"])
@pytest.mark.parametrize("processes", [1, 2])
def test_a_database_of_a_newer_version_is_refused_once_and_before_anything_is_served(
    tmp_path: Path, processes: int, file: str
) -> None:
    config = write_project(tmp_path)
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    with closing(sqlite3.connect(data / file)) as connection:
        connection.execute("PRAGMA user_version = 9999")

    ports = ("--port=0", "--api-port=0", "--management-port=0")
    place = ("-c", str(config), "--persist-to", str(data), "--processes", str(processes))
    done = run("serve", *place, *ports, cwd=tmp_path)

    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"error: {data / file} was written by a newer edgeworker (its schema is 9999")
