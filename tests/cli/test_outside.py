"""What `dev` says to the outside: to an origin, and to the proxy of its environment."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Queue

import pytest

from tests.cli.running import SECONDS, dev, environment, fetch

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
FETCHING = """\
from workers import Response, WorkerEntrypoint, fetch


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        try:
            answer = await fetch(request.headers["x-url"])
        except Exception as error:
            return Response(str(error), status=599)
        return Response(await answer.text())
"""


@contextmanager
def server() -> Iterator[tuple[int, "Queue[str]"]]:
    """A server that says "ok", and the first lines of the requests that it got."""
    lines: Queue[str] = Queue()

    def serve(listening: socket.socket) -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with connection:
                lines.put(connection.recv(65536).split(b"\r\n")[0].decode("latin-1"))
                connection.sendall(OK)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, args=(listening,), daemon=True)
        thread.start()
        yield listening.getsockname()[1], lines
        listening.shutdown(socket.SHUT_RDWR)
        thread.join(SECONDS)


def fetching(folder: Path) -> None:
    folder.joinpath("worker.py").write_text(FETCHING)
    folder.joinpath("wrangler.toml").write_text(
        'name = "w"\nmain = "worker.py"\ncompatibility_date = "2026-11-01"\ncompatibility_flags = ["python_workers"]\n'
    )


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_what_scripts_fetch_goes_through_the_proxy_of_the_environment_where_policy_allows_it(
    tmp_path: Path, variable: str
) -> None:
    fetching(tmp_path)

    with server() as (port, lines), server() as (direct, _):
        env = environment(**{variable: f"http://127.0.0.1:{port}"})
        with dev("--allow-private", "known.example", "--allow-private", "localhost", cwd=tmp_path, env=env) as edge:
            proxied = edge.get("localhost", headers={"x-url": "http://known.example/a?b"})
            refused = edge.get("localhost", headers={"x-url": "http://10.0.0.1/"})
            ours = edge.get("localhost", headers={"x-url": f"http://localhost:{direct}/"})

    assert (proxied.status, proxied.text) == (200, "ok")
    assert refused.status == 599
    assert "not on the public internet" in refused.text
    assert ours.text == "ok"
    assert list(lines.queue) == ["GET http://known.example/a?b HTTP/1.1"]


def test_a_proxy_that_cannot_be_used_keeps_dev_from_starting(tmp_path: Path) -> None:
    fetching(tmp_path)

    with (
        pytest.raises(AssertionError, match=r'ALL_PROXY must be .*; a \\?"socks5\\?" proxy cannot be used') as caught,
        dev(cwd=tmp_path, env=environment(ALL_PROXY="socks5://me:hunter2@127.0.0.1:1080")),
    ):
        pass

    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("key", "got"), [("", "/b%2Fc/d?e=%zz"), ("normalize_to_origin = false\n", "/a/../b%2fc/%64?e=%zz")]
)
def test_an_origin_gets_the_received_path_where_edge_toml_says_so(tmp_path: Path, key: str, got: str) -> None:
    fetching(tmp_path)

    with server() as (port, lines):
        tmp_path.joinpath("edge.toml").write_text(
            f'[[zones]]\nname = "a.example"\norigin = "http://127.0.0.1:{port}"\n{key}'
        )
        with dev("--edge", "edge.toml", "-c", "wrangler.toml", cwd=tmp_path) as edge:
            answer = fetch(f"{edge.url}/a/../b%2fc/%64?e=%zz", headers={"Host": "a.example"})

    assert answer.text == "ok"
    assert list(lines.queue) == [f"GET {got} HTTP/1.1"]
