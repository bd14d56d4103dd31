"""Limits hold for the edge, however many processes serve: rates, wrong tokens, connections."""

import http.client
import os
import queue
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from tests.cli.serve.serving import Served, serve
from tests.patience import PATIENCE_SECONDS

EDGE = """\
[limits]
connections = 5

[[zones]]
name = "limited.test"
routes_without_worker = ["limited.test/*"]
origin = "http://127.0.0.1:{port}"

[[zones.api_shield.rate_limits]]
requests = 5
period = "24h"
characteristics = ["ip.src"]

[[zones]]
name = "balanced.test"
routes_without_worker = ["balanced.test/*"]

[[zones.load_balancers]]

[[zones.load_balancers.origins]]
url = "http://127.0.0.1:{port}"
max_connections = 2
"""
PROCESSES = 4
DAY = 86_400


@dataclass
class HoldingOrigin:
    """Says which request has come in, and answers /held when it is told to, the others at once."""

    listening: socket.socket
    came: "queue.Queue[str]" = field(default_factory=queue.Queue)
    answer: threading.Event = field(default_factory=threading.Event)

    def accept(self) -> None:
        while True:
            try:
                connection, _ = self.listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                piece = connection.recv(65536)
                if not piece:
                    return
                head += piece
            path = head.split(b" ")[1].decode()
            self.came.put(path)
            if path == "/held":
                self.answer.wait(3 * PATIENCE_SECONDS)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


@contextmanager
def holding_origin() -> Iterator[HoldingOrigin]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        origin = HoldingOrigin(listening)
        threading.Thread(target=origin.accept, daemon=True).start()
        yield origin
        origin.answer.set()
        listening.shutdown(socket.SHUT_RDWR)


def _begin(served: Served, host: str, path: str) -> http.client.HTTPConnection:
    place = urlsplit(served.urls["edge"])
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=PATIENCE_SECONDS)
    connection.request("GET", path, headers={"Host": host, "Connection": "close"})
    return connection


def _status(connection: http.client.HTTPConnection) -> int:
    with connection.getresponse() as answer:
        answer.read()
    connection.close()
    return answer.status


def _try_token(served: Served, token: str) -> int:
    place = urlsplit(served.urls["api"])
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=PATIENCE_SECONDS)
    connection.request("GET", "/client/v4/user", headers={"Authorization": f"Bearer {token}", "Connection": "close"})
    return _status(connection)


def _passed_of_twenty(served: Served) -> int:
    """How many requests of twenty; again where midnight, at which a period begins, came between."""
    while True:
        day = int(time.time()) // DAY
        statuses = [_status(_begin(served, "limited.test", "/")) for _ in range(20)]
        if int(time.time()) // DAY == day:
            return statuses.count(200)


def test_limits_hold_over_all_processes(tmp_path: Path) -> None:
    edge = tmp_path / "edge.toml"
    with holding_origin() as origin:
        edge.write_text(EDGE.format(port=origin.listening.getsockname()[1]))
        arguments = ("--edge", str(edge), "--processes", str(PROCESSES), "--persist-to", "state")
        with serve(*arguments, cwd=tmp_path) as served:
            assert _passed_of_twenty(served) == 5
            while not origin.came.empty():
                origin.came.get()

            assert {_try_token(served, f"wrong-{number}") for number in range(20)} == {401}
            assert _try_token(served, "wrong-20") == 429

            held = []
            for _ in range(2):
                held.append(_begin(served, "balanced.test", "/held"))
                assert origin.came.get(timeout=PATIENCE_SECONDS) == "/held"
            assert {_status(_begin(served, "balanced.test", "/")) for _ in range(2 * PROCESSES)} == {503}

            origin.answer.set()
            assert [_status(connection) for connection in held] == [200, 200]
            _wait_for_a_place(served)


def test_what_a_killed_process_had_under_way_does_not_count_any_more(tmp_path: Path) -> None:
    edge = tmp_path / "edge.toml"
    with holding_origin() as origin:
        edge.write_text(EDGE.format(port=origin.listening.getsockname()[1]))
        with serve("--edge", str(edge), "--processes", "2", "--persist-to", "state", cwd=tmp_path) as served:
            held = []
            for _ in range(2):
                held.append(_begin(served, "balanced.test", "/held"))
                assert origin.came.get(timeout=PATIENCE_SECONDS) == "/held"

            for child in _children(served.process.pid):
                os.kill(child, signal.SIGKILL)

            _wait_for_a_place(served)
            for connection in held:
                connection.close()


def test_the_connections_of_all_processes_have_one_bound(tmp_path: Path) -> None:
    edge = tmp_path / "edge.toml"
    with holding_origin() as origin:
        written = EDGE.format(port=origin.listening.getsockname()[1]).replace("max_connections = 2\n", "")
        edge.write_text(written)
        with serve("--edge", str(edge), "--processes", "2", "--persist-to", "state", cwd=tmp_path) as served:
            held = []
            for _ in range(5):
                held.append(_begin(served, "balanced.test", "/held"))
                assert origin.came.get(timeout=PATIENCE_SECONDS) == "/held"

            assert {_status(_begin(served, "balanced.test", "/")) for _ in range(8)} == {503}

            origin.answer.set()
            assert {_status(connection) for connection in held} == {200}
            _wait_for_a_place(served)


def _wait_for_a_place(served: Served) -> None:
    """A place is free when the edge has seen the end of what had it, a little after its client."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while _status_or_cut(served) != 200:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _status_or_cut(served: Served) -> int:
    try:
        return _status(_begin(served, "balanced.test", "/"))
    except (OSError, http.client.HTTPException):
        return 0


def _children(process: int) -> list[int]:
    return list(map(int, Path(f"/proc/{process}/task/{process}/children").read_text().split()))
