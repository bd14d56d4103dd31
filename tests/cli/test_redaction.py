"""Nothing that an edge says or keeps holds a secret: a run with good and bad requests, and a search through all of it.

The secrets are random, so what is found was leaked. What may hold them: the KV database and the API token's file.
"""

import base64
import contextlib
import json
import queue
import re
import secrets
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from edgeworker.cli.kv.options import TOKEN_VARIABLE
from tests.cli.running import SECONDS, Answer, environment, fetch, run

FAILING = """\
from workers import Response, WorkerEntrypoint, fetch


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        secret = self.env.SECRET
        value = await self.env.KV.get("key")
        path = request.url.split("?")[0].rpartition("/")[2]
        if path == "raise":
            raise RuntimeError("the script failed")
        if path == "waituntil":
            self.ctx.waitUntil(later(secret))
            return Response("ok")
        if path == "type":
            return {"not": "a response", "secret": secret}
        if path == "header":
            return Response("x", headers={"x-bad": "a\\r\\nb" + secret})
        if path == "kv":
            await self.env.KV.put("k" * 600, value)
        if path == "ttl":
            await self.env.KV.put("key", value, expirationTtl=1)
        if path == "down":
            return await fetch("http://127.0.0.1:1/?token=" + secret, headers={"authorization": secret})
        if path == "proxied":
            return await fetch("http://proxied.example/?token=" + secret)
        if path == "stream":
            return Response(object())
        return Response(str(len(value or "")))


async def later(secret):
    raise ValueError("later")

"""
PATHS = ("", "raise", "waituntil", "type", "header", "kv", "ttl", "down", "proxied", "stream", "missing")


class Known:
    """The secrets of a run by name, and in what forms they would be found."""

    def __init__(self) -> None:
        self.by_name: dict[str, str] = {}

    def make(self, name: str) -> str:
        self.by_name[name] = f"{name}{secrets.token_hex(12)}"
        return self.by_name[name]

    def found_in(self, text: str) -> list[str]:
        return [name for name, secret in self.by_name.items() if any(form in text for form in forms(secret))]


def forms(secret: str) -> list[str]:
    """As it is, and in base64 at each of the three offsets (without the characters at the ends, which others share)."""
    encoded = [base64.b64encode(b"x" * offset + secret.encode()).decode()[4:-4] for offset in range(3)]
    return [secret, *encoded, secret.encode().hex()]


class Run:
    """A `dev` whose whole output is kept."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._kept: list[str] = []
        threading.Thread(target=self._read, args=(process,), daemon=True).start()

    def _read(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None
        with contextlib.suppress(ValueError):  # closed at the end of the test
            for line in process.stdout:
                self._lines.put(line)
        self._lines.put(None)

    def said(self) -> str:
        return "".join(self._kept)

    def wait_for(self, text: str) -> None:
        """Until a line holds `text`, which one before may do too. "" waits for the end."""
        while not text or text not in self.said():
            try:
                line = self._lines.get(timeout=SECONDS)
            except queue.Empty:
                raise AssertionError(f"{text!r} was not said; said was: {self.said()}") from None
            if line is None:
                assert not text, f"{text!r} was not said; said was: {self.said()}"
                return
            self._kept.append(line)

    def url(self, pattern: str) -> str:
        found = re.search(pattern, self.said())
        assert found is not None, self.said()
        return found[1]


@contextmanager
def running(folder: Path, *options: str, env: dict[str, str]) -> Iterator[Run]:
    command = [sys.executable, "-m", "edgeworker", "dev", "--port", "0", "--api-port", "0", *options]
    process = subprocess.Popen(
        command, cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        run = Run(process)
        run.wait_for("eady")
        yield run
        process.send_signal(signal.SIGTERM)
        run.wait_for("")
        assert process.wait(SECONDS) == 0
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


TEXT = (r"Ready on (http://\S+)", r"KV REST API +(http://\S+)/client/v4")
JSON = (r'"url": "(http://[^"]+)"', r'"api_url": "(http://[^"]+)"')


@pytest.mark.parametrize(("mode", "patterns"), [((), TEXT), (("--json",), JSON)], ids=["text", "json"])
def test_no_log_page_or_file_of_a_run_holds_a_secret(
    tmp_path: Path, mode: tuple[str, ...], patterns: tuple[str, str]
) -> None:
    known, folder = Known(), tmp_path / "project"
    api_token, variable, value = known.make("apitoken"), known.make("variable"), known.make("kvvalue")
    bearer, cookie, query, wrong = known.make("bearer"), known.make("cookie"), known.make("query"), known.make("wrong")
    body, client_secret, proxy = known.make("body"), known.make("clientsecret"), known.make("proxy")
    headers = {
        "Authorization": f"Bearer {bearer}",
        "Cookie": f"session={cookie}; CF_Authorization={cookie}",
        "CF-Access-Client-Secret": client_secret,
        "X-Api-Key": bearer,
    }
    options = (*mode, "--verbose", "--trace", "--https-port", "0", "--allow-private", "proxied.example")
    env = environment(**{TOKEN_VARIABLE: api_token, "HTTP_PROXY": f"http://me:{proxy}@127.0.0.1:1"})
    pages: list[Answer] = []

    with (
        rude_origin() as rude,
        running(_project(folder, variable, rude), *options, env=env) as dev,
    ):
        url, api_url = (dev.url(pattern) for pattern in patterns)
        api = f"{api_url}/client/v4/accounts/{ACCOUNT}/storage/kv/namespaces/ns/values"
        put = fetch(f"{api}/key", method="PUT", headers={"Authorization": f"Bearer {api_token}"}, body=value.encode())
        assert put.status == 200, put.text
        for host, path, accept in REQUESTS:
            sent = {**headers, "Host": host, "Accept": accept}
            pages.append(fetch(f"{url}/{path}?token={query}", headers=sent))
        for token in (wrong, api_token):
            pages += _api_calls(api, token, body)
        pages.append(_raw(url, f"GET /?{query} HTTP/1.1\r\nAuthorization: Bearer {bearer}\r\nAuthorization: {bearer}"))
        pages.append(_raw(url, f"GET / HTTP/1.1\r\nHost: a b\r\nAuthorization: Bearer {bearer}"))
        pages.append(_raw(url, f"BAD{query} {query}\r\nAuthorization: {bearer}"))
        pages.append(_raw(url, f"GET /{'x' * 20_000}{query} HTTP/1.1\r\nHost: app.example"))
        pages.append(_raw(url, f"GET / HTTP/1.1\r\nHost: app.example\r\nX-Long: {bearer}{'x' * 20_000}"))
        dev.wait_for("later")

    assert {page.status for page in pages} >= {200, 400, 401, 403, 404, 414, 431, 500, 520, 521, 525, 530}
    places = {"the output": dev.said(), **_files(folder)}
    places |= {f"page {number} ({page.status})": f"{page.headers} {page.text}" for number, page in enumerate(pages)}
    leaks = {place: found for place, text in places.items() if (found := known.found_in(text))}
    assert leaks == {}
    # Without these the search would prove nothing.
    assert "RuntimeError: the script failed" in dev.said()
    assert "through http://127.0.0.1:1" in dev.said()
    database = folder / ".edgeworker"
    kept = b"".join(file.read_bytes() for file in (database / "kv.sqlite", database / "kv.sqlite-wal") if file.exists())
    assert value.encode() in kept


ACCOUNT = "0" * 32
REQUESTS = [
    *(("app.example", path, accept) for path in PATHS for accept in ("*/*", "text/html")),
    ("gate.example", "orders", "*/*"),
    ("down.example", "x", "text/html"),
    ("rude.example", "x", "*/*"),
    ("tls.example", "x", "*/*"),
    ("nobody.example", "x", "text/html"),
    ("app.example", "cdn-cgi/x", "*/*"),
]


@contextmanager
def rude_origin() -> Iterator[int]:
    """Answers with what it was told, which is no answer of HTTP."""

    def serve() -> None:
        with suppress(OSError):  # the end of the test
            while True:
                connection, _ = listening.accept()
                with connection:
                    connection.settimeout(SECONDS)
                    connection.sendall(b"NO " + connection.recv(65536))

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()


def _project(folder: Path, variable: str, rude: int) -> Path:
    """A worker that fails in many ways, the gateway, and origins that fail; `rude` is the port of one."""
    (folder / "gate").mkdir(parents=True)
    (folder / "worker.py").write_text(FAILING)
    common = 'compatibility_date = "2026-11-01"\ncompatibility_flags = ["python_workers"]\n'
    binding = '[[kv_namespaces]]\nbinding = "{}"\nid = "ns"\n'
    (folder / "wrangler.toml").write_text(
        f'name = "app"\nmain = "worker.py"\n{common}routes = ["app.example/*"]\n{binding.format("KV")}'
    )
    (folder / "gate" / "wrangler.toml").write_text(
        f'name = "gate"\n{common}routes = ["gate.example/*"]\n{binding.format("TOKENS")}'
    )
    (folder / ".dev.vars").write_text(f"SECRET={variable}\n")
    (folder / "edge.toml").write_text(
        f'account_id = "{ACCOUNT}"\ndefault_worker = "app"\n'
        '[[workers]]\nconfig = "wrangler.toml"\n[[workers]]\nconfig = "gate/wrangler.toml"\n'
        f'[[zones]]\nname = "down.example"\norigin = "http://127.0.0.1:{_closed_port()}"\n'
        f'[[zones]]\nname = "tls.example"\norigin = "https://127.0.0.1:{rude}"\n'
        f'[[zones]]\nname = "rude.example"\norigin = "http://127.0.0.1:{rude}"\n'
        '[outbound]\nallow_private = ["127.0.0.1"]\n'
    )
    return folder


def _closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def _api_calls(api: str, token: str, body: str) -> list[Answer]:
    """Calls that are refused, for the token or for what they say."""
    bearer = {"Authorization": f"Bearer {token}"}
    bulk = api.removesuffix("/values") + "/bulk"
    return [
        fetch(f"{api}/key", headers={"Authorization": f"Basic {token}"}),
        fetch(f"{api}/missing", headers=bearer),
        fetch(f"{api}/key", headers={**bearer, "Host": "rebound.example"}),
        fetch(f"{api}/key", headers={**bearer, "Origin": "https://evil.example"}),
        fetch(f"{api}/key?expiration_ttl=1", method="PUT", headers=bearer, body=body.encode()),
        fetch(bulk, method="PUT", headers={**bearer, "Content-Type": "application/json"}, body=f'[{{"{body}'.encode()),
        fetch(bulk, method="PUT", headers=bearer, body=json.dumps([{"key": "", "value": body}]).encode()),
        fetch(f"{api}/key?token={token}"),
    ]


def _raw(url: str, head: str) -> Answer:
    host, _, port = url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=SECONDS) as connection:
        connection.sendall(head.encode() + b"\r\nConnection: close\r\n\r\n")
        received = b""
        with suppress(ConnectionResetError):
            while piece := connection.recv(65536):
                received += piece
    return Answer(int(received.split()[1]), {}, received.decode("latin-1"))


def _files(folder: Path) -> dict[str, str]:
    """All that is there but what may hold secrets."""
    may = {"kv.sqlite", "kv.sqlite-wal", "kv.sqlite-shm", "api-token", ".dev.vars"}
    files = [file for file in folder.rglob("*") if file.is_file() and file.name not in may]
    return {str(file.relative_to(folder)): file.read_bytes().decode("latin-1") for file in files}


@pytest.mark.parametrize(
    "write",
    [
        pytest.param(lambda secret: {".dev.vars": f"{secret}\n"}, id="a secret without a name"),
        pytest.param(lambda secret: {".dev.vars": f'SECRET="{secret}\n'}, id="an open quote"),
        pytest.param(lambda secret: {".env": f"TOKEN={secret}\n=\n"}, id="an empty name"),
        pytest.param(
            lambda secret: {"edge.toml": f'origin = "https://user:{secret}@origin.example"\n'}, id="a password in a URL"
        ),
        pytest.param(
            lambda secret: {"edge.toml": f'[[zones]]\nname = "a.example"\norigin = "https://u:{secret}@b"\n'},
            id="a password in a zone's URL",
        ),
        pytest.param(
            lambda secret: {
                "edge.toml": '[sockets]\nhttps = "127.0.0.1:0"\n[[tls.certificates]]\ncert = "c.pem"\nkey = "k.pem"\n',
                "c.pem": "no certificate",
                "k.pem": f"-----BEGIN PRIVATE KEY-----\n{secret}\n-----END PRIVATE KEY-----\n",
            },
            id="a broken key",
        ),
    ],
)
@pytest.mark.parametrize("command", ["check", "dev"])
def test_no_message_about_a_bad_configuration_holds_a_secret(
    tmp_path: Path, write: Callable[[str], dict[str, str]], command: str
) -> None:
    known = Known()
    (tmp_path / "worker.py").write_text("(")  # dev stops here at the latest
    (tmp_path / "wrangler.toml").write_text(
        'name = "w"\nmain = "worker.py"\ncompatibility_date = "2026-11-01"\ncompatibility_flags = ["python_workers"]\n'
    )
    for name, content in write(known.make("secret")).items():
        (tmp_path / name).write_text(content)
    options = ["--port", "0", "--api-port", "0", "--verbose"] if command == "dev" else ["--verbose"]

    done = run(command, *options, cwd=tmp_path)

    assert done.returncode == 1
    assert known.found_in(done.stdout + done.stderr) == []


def test_options_that_hold_secrets_are_not_repeated(tmp_path: Path) -> None:
    known = Known()
    for arguments in (
        ["dev", "--var", known.make("var"), "--port", "0", "--api-port", "0"],
        ["dev", "--origin", f"http://u:{known.make('password')}@a.example", "--port", "0", "--api-port", "0"],
        ["dev", "--api-token", known.make("token"), "--port", "x"],
    ):
        done = run(*arguments, cwd=tmp_path)
        assert done.returncode != 0, arguments
        assert known.found_in(done.stdout + done.stderr) == []
