"""Load balancers under `serve`: one process checks, all of them know, and `/origins` tells."""

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.cli.serve.serving import Served, serve
from tests.patience import PATIENCE_SECONDS

EDGE = """\
[[zones]]
name = "example.com"
routes_without_worker = ["example.com/*"]

[[zones.load_balancers]]
[[zones.load_balancers.origins]]
url = "{first}"
[[zones.load_balancers.origins]]
url = "{second}"
backup = true
[zones.load_balancers.monitor]
path = "/health"
interval_seconds = 1
timeout_seconds = 100
consecutive_down = 1
consecutive_up = 1
"""


class Site:
    """A server with a name, whose `/health` is as a test says."""

    def __init__(self, name: str) -> None:
        self.healthy = True
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                content = name.encode()
                self.send_response(200 if site.healthy or self.path != "/health" else 503)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None:
                return None

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@contextmanager
def sites(*names: str) -> Iterator[list[Site]]:
    made = [Site(name) for name in names]
    try:
        yield made
    finally:
        for site in made:
            site.server.shutdown()
            site.server.server_close()


def _origins(served: Served) -> dict[str, dict[str, object]]:
    return {one["origin"]: one for one in json.loads(served.manage("/origins").text)["origins"]}


def _wait_until_known(served: Served, url: str, *, healthy: int, processes: int) -> dict[str, object]:
    """What `/origins` tells when so many processes take the origin for healthy."""
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        told = _origins(served)[url]
        if (told["healthy_processes"], told["processes"]) == (healthy, processes) and told["last_check"] is not None:
            return told
        assert time.monotonic() < until, told
        time.sleep(0.05)


def test_all_processes_know_what_one_of_them_checks(tmp_path: Path) -> None:
    with sites("first", "second") as (first, second):
        edge = tmp_path / "edge.toml"
        edge.write_text(EDGE.format(first=first.url, second=second.url))
        with serve("--edge", str(edge), "--processes", "2", "--no-cron", cwd=tmp_path) as served:
            _wait_until_known(served, first.url, healthy=2, processes=2)
            assert {served.get().text for _ in range(10)} == {"first"}

            first.healthy = False
            told = _wait_until_known(served, first.url, healthy=0, processes=2)
            assert {served.get().text for _ in range(10)} == {"second"}
            assert (told["healthy"], told["why"]) == (False, ["checks failed"])
            check = told["last_check"]
            assert isinstance(check, dict)
            assert check["error"] == "answered 503, not 2xx"

            first.healthy = True
            _wait_until_known(served, first.url, healthy=2, processes=2)
            assert {served.get().text for _ in range(10)} == {"first"}

            # Of each other a process knows what it was a second ago at most.
            line = f'edgeworker_origin_healthy{{load_balancer="example.com",origin="{first.url}"}} 1'
            until = time.monotonic() + PATIENCE_SECONDS
            while line not in served.manage("/metrics").text:
                assert time.monotonic() < until
                time.sleep(0.05)
            assert served.stop() == 0


def test_the_checks_go_on_when_the_process_that_makes_them_is_killed(tmp_path: Path) -> None:
    with sites("first", "second") as (first, second):
        edge = tmp_path / "edge.toml"
        edge.write_text(EDGE.format(first=first.url, second=second.url))
        with serve("--edge", str(edge), "--processes", "2", "--no-cron", cwd=tmp_path) as served:
            _wait_until_known(served, first.url, healthy=2, processes=2)
            children = Path(f"/proc/{served.process.pid}/task/{served.process.pid}/children").read_text().split()
            os.kill(int(children[0]), signal.SIGKILL)  # slot 0 is started first
            served.wait_for("it is started again")
            first.healthy = False
            _wait_until_known(served, first.url, healthy=0, processes=2)
