"""Limits of `serve`: connections, file descriptors, and rate limits over several processes."""

import http.client
import resource
import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.cli.running import environment
from tests.cli.serve.serving import Served, serve, write_project
from tests.patience import PATIENCE_SECONDS

EDGE = """\
workers = [{ config = "wrangler.toml" }]

[[zones]]
name = "example.com"

"""
READS_BODY = """\
from workers import Response, WorkerEntrypoint


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return Response(await request.text())
"""
LIMIT = """\
[[zones.api_shield.rate_limits]]
requests = 5
period = "24h"
characteristics = ["ip.src"]
"""


def _place(served: Served) -> tuple[str, int]:
    place = urlsplit(served.urls["edge"])
    assert place.hostname is not None
    assert place.port is not None
    return place.hostname, place.port


def _status(served: Served) -> tuple[int, str | None]:
    """The status of a request on a connection of its own, and Retry-After."""
    connection = http.client.HTTPConnection(*_place(served), timeout=PATIENCE_SECONDS)
    connection.request("GET", "/", headers={"Host": "example.com"})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status, answer.headers["Retry-After"]


@pytest.mark.parametrize("processes", [1, 2])
def test_each_process_counts_for_itself(tmp_path: Path, processes: int) -> None:
    write_project(tmp_path)
    edge = tmp_path / "edge.toml"
    edge.write_text(EDGE + LIMIT)

    with serve("--edge", str(edge), "--processes", str(processes), "--no-cron", cwd=tmp_path) as served:
        answers = [_status(served) for _ in range(40)]

    passed = [status for status, _ in answers].count(200)
    # At midnight a new period begins. Which process a connection reaches is the system's choice.
    assert 5 <= passed <= 5 * processes * 2
    refused = [retry_after for status, retry_after in answers if status == 429]
    assert len(refused) == 40 - passed
    assert all(retry_after is not None and 1 <= int(retry_after) <= 86_400 for retry_after in refused)


def test_connections_beyond_the_limit_are_refused_and_those_that_wait_make_room(tmp_path: Path) -> None:
    write_project(tmp_path)
    (tmp_path / "worker.py").write_text(READS_BODY)
    edge = tmp_path / "edge.toml"
    edge.write_text(EDGE + "[limits]\nconnections = 4\n")

    with serve("--edge", str(edge), "--no-cron", cwd=tmp_path) as served:
        begun = [socket.create_connection(_place(served), timeout=PATIENCE_SECONDS) for _ in range(4)]
        for one in begun:
            one.sendall(b"POST / HTTP/1.1\r\nHost: example.com\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n")
            assert one.recv(65536).startswith(b"HTTP/1.1 100 ")  # so its request is under way
        refused = socket.create_connection(_place(served), timeout=PATIENCE_SECONDS)
        head = refused.recv(65536)
        while b"\r\n\r\n" not in head:
            head += refused.recv(65536)
        for one in (*begun, refused):
            one.close()
        assert head.startswith(b"HTTP/1.1 503 ")
        assert b"CF-Ray: " in head

        waiting = [socket.create_connection(_place(served), timeout=PATIENCE_SECONDS) for _ in range(4)]
        assert _status(served)[0] == 200
        for one in waiting:
            one.close()


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_when_file_descriptors_are_used_up_one_line_tells_and_the_edge_goes_on_when_some_are_free(
    tmp_path: Path, loop: str
) -> None:
    config = write_project(tmp_path)
    env = environment(EDGEWORKER_EVENT_LOOP=loop)

    with serve("-c", str(config), "--no-cron", cwd=tmp_path, env=env) as served:
        served.get()
        pid = served.process.pid
        used = len(list(Path(f"/proc/{pid}/fd").iterdir()))
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (used + 20, used + 20))
        held = [socket.create_connection(_place(served), timeout=PATIENCE_SECONDS) for _ in range(60)]
        served.wait_for("no more file descriptors")
        for one in held:
            one.close()

        served.wait_for("file descriptors are free again")
        assert served.get().status == 200
        assert sum("no more file descriptors" in line for line in served.said) == 1
        assert not any("Traceback" in line for line in served.said)
        assert served.stop() == 0
