"""Plays a machine that has nothing but the C library, and its service manager: a program for test_bare_machine.py.

It runs as root in namespaces of its own (mounts, network, processes), follows ON_PREM.md, and prints "all is well".
"""

import http.server
import json
import shlex
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import quote

from tests.bench.tokens import Split, make
from tests.patience import PATIENCE_SECONDS

HOST: Final = "api.example.com"
USER: Final = 65534
_LIBRARIES: Final = ("libz.so.1", "libdl.so.2", "libpthread.so.0", "libutil.so.1", "librt.so.1", "libm.so.6")
_PATH: Final = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
_CREDENTIALS: Final = struct.Struct("3i")


def make_root(root: Path, binary: Path) -> None:
    """What a Debian has at the least, and `setpriv`, with which a service manager changes the user."""
    for name in ("dev", "etc/systemd/system", "proc", "run", "tmp", "usr/bin", "usr/local/bin", "var/lib/edgeworker"):
        (root / name).mkdir(parents=True)
    shutil.copy(binary, root / "usr/local/bin/edgeworker")
    program = shutil.which("setpriv")
    assert program is not None
    shutil.copy(program, root / "usr/bin/setpriv")
    said = subprocess.run(["ldd", program, binary], check=True, capture_output=True, text=True).stdout
    for word in {word for word in said.split() if word.startswith("/") and not word.endswith(":")}:
        place = root / word.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(word, place)
        for name in _LIBRARIES:  # the binary's own libraries need them
            if (beside := Path(word).with_name(name)).exists():
                shutil.copy(beside, place.with_name(name))


class Machine:
    """`root` can be written; services see it read-only at `seen`."""

    def __init__(self, root: Path, seen: Path) -> None:
        self.root = root
        self.seen = seen
        self.notes = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notes.settimeout(PATIENCE_SECONDS)
        self.speakers = ""
        self.main = 0

    def boot(self) -> None:
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        for what in (
            f"--bind /dev {self.root}/dev",
            f"-t proc proc {self.root}/proc",
            f"-t tmpfs -o mode=1777 tmp {self.root}/tmp",
            f"--rbind {self.root} {self.seen}",
            f"-o remount,bind,ro {self.seen}",
            f"-t tmpfs -o mode=1777 tmp {self.seen}/tmp",  # PrivateTmp=
            f"-t tmpfs -o mode=0700,uid={USER},gid={USER} state {self.seen}/var/lib/edgeworker",  # StateDirectory=
        ):
            subprocess.run(["mount", *what.split()], check=True)
        self.notes.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self.notes.bind(str(self.root / "run/notify"))
        (self.root / "run/notify").chmod(0o777)

    def command(self, *words: str, env: Mapping[str, str] = _PATH) -> "subprocess.CompletedProcess[str]":
        """As root in a shell with `umask 077`, without HOME and locale."""
        return subprocess.run(
            ["chroot", str(self.root), *words],
            env=dict(env),
            umask=0o077,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_SECONDS,
        )

    def start(self, unit: str) -> "subprocess.Popen[bytes]":
        """What `systemctl enable --now` does with the unit's lines."""
        process = self._run(unit, "ExecStart")
        self.main = process.pid
        return process

    def reload(self, unit: str) -> int:
        """What `systemctl reload` does; its exit status."""
        return self._run(unit, "ExecReload").wait(PATIENCE_SECONDS)

    def _run(self, unit: str, command: str) -> "subprocess.Popen[bytes]":
        settings = dict(line.split("=", 1) for line in unit.splitlines() if "=" in line and not line.startswith("#"))
        self.speakers = settings["NotifyAccess"]
        rights = ",".join(f"+{right.removeprefix('CAP_').lower()}" for right in settings["AmbientCapabilities"].split())
        user = (
            f"--reuid {USER} --regid {USER} --clear-groups --no-new-privs --inh-caps={rights} --ambient-caps={rights}"
        )
        environment = {**_PATH, "NOTIFY_SOCKET": "/run/notify", "STATE_DIRECTORY": "/var/lib/edgeworker"}
        if "Environment" in settings:
            name, _, value = settings["Environment"].partition("=")
            environment[name] = value
        return subprocess.Popen(
            ["chroot", str(self.seen), "/usr/bin/setpriv", *user.split(), "--", *shlex.split(settings[command])],
            env=environment,
            umask=int(settings["UMask"], 8),
        )

    def wait_for_note(self, text: str) -> None:
        """As systemd does, only from those that the unit lets speak."""
        while True:
            note, rest, _, _ = self.notes.recvmsg(4096, socket.CMSG_SPACE(_CREDENTIALS.size))
            speaker = _CREDENTIALS.unpack(rest[0][2][: _CREDENTIALS.size])[0]
            if text in note.decode() and (self.speakers == "all" or speaker == self.main):
                return


class _Origin(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        content = (self.headers.get("Authorization") or "").encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        return


def status_of(context: ssl.SSLContext | None, port: int, token: str = "", path: str = "/") -> tuple[int, str, str]:
    """(status, Location, body) of a request to the edge, from a connection of its own."""
    with socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS) as plain:
        connection = plain if context is None else context.wrap_socket(plain, server_hostname=HOST)
        fields = f"Host: {HOST}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n"
        connection.sendall(f"GET {path} HTTP/1.1\r\n{fields}\r\n".encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
    head, _, body = answer.partition("\r\n\r\n")
    location = next((line[10:] for line in head.split("\r\n") if line.lower().startswith("location: ")), "")
    return int(head.split()[1]), location, body


def until(met: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not met():
        assert time.monotonic() < end
        time.sleep(0.05)


def publish_token(state: Path, split: Split) -> None:
    """As the publisher of tokens does, with the operator's token of the REST API."""
    base = "http://127.0.0.1:8788/client/v4/accounts"
    headers = {"Authorization": f"Bearer {(state / 'api-token').read_text().strip()}"}
    with urllib.request.urlopen(urllib.request.Request(base, headers=headers)) as answer:
        account = json.load(answer)["result"][0]["id"]
    place = f"{base}/{account}/storage/kv/namespaces/tokens/values/{quote(split.key, safe='')}"
    urllib.request.urlopen(urllib.request.Request(place, split.value.encode(), headers, method="PUT")).close()


def publish_worker(machine: Machine) -> None:
    """What a developer does on another machine, here with a worker of its own path."""
    project = machine.root / "project"
    project.mkdir()
    (project / "wrangler.toml").write_text(
        'name = "hello"\nmain = "worker.py"\ncompatibility_date = "2026-11-01"\n'
        f'compatibility_flags = ["python_workers"]\nroutes = ["{HOST}/hello"]\n'
    )
    (project / "worker.py").write_text(
        "from workers import Response, WorkerEntrypoint\n\n\nclass Default(WorkerEntrypoint):\n"
        '    async def fetch(self, request):\n        return Response("hello")\n'
    )
    token = (machine.seen / "var/lib/edgeworker/api-token").read_text().strip()
    done = machine.command("edgeworker", "publish", "-c", "/project/wrangler.toml", "--api-token", token)
    assert "version 1 is served (2 of 2 processes)" in done.stdout, done


def metrics() -> str:
    with urllib.request.urlopen("http://127.0.0.1:9787/metrics") as answer:
        text: str = answer.read().decode()
    return text


def follow_the_page(machine: Machine) -> None:
    origin = http.server.ThreadingHTTPServer(("127.0.0.1", 3000), _Origin)
    threading.Thread(target=origin.serve_forever, daemon=True).start()
    for command in (
        f"edgeworker init /etc/edgeworker --template server --host {HOST} --origin http://127.0.0.1:3000",
        "edgeworker serve --edge /etc/edgeworker/edge.toml --processes 2 --print-unit",
    ):
        done = machine.command(*shlex.split(command))
        assert (done.returncode, done.stderr) == (0, ""), done
    unit = done.stdout
    service = machine.start(unit)
    machine.wait_for_note("READY=1")

    state = machine.seen / "var/lib/edgeworker"
    context = ssl.create_default_context(cafile=str(state / "tls/ca.pem"))
    assert status_of(context, 443)[0] == 401
    (split,) = make(1)
    assert status_of(context, 443, split.token)[0] == 401
    publish_token(state, split)
    assert status_of(context, 443, split.token)[::2] == (200, f"Bearer {split.value}.{split.token}")
    assert status_of(None, 80)[:2] == (308, f"https://{HOST}/"), status_of(None, 80)
    until(lambda: 'edgeworker_tokens_total{result="accepted"} 1' in metrics())
    told = Path(f"/proc/{service.pid}/status").read_text()
    assert f"Uid:\t{USER}\t{USER}\t{USER}" in told
    assert f"CapEff:\t{1 << 10:016x}" in told  # CAP_NET_BIND_SERVICE
    assert {oct(path.stat().st_mode & 0o077) for path in state.iterdir() if path.name != "tls"} == {"0o0"}

    gateway = machine.root / "etc/edgeworker/gateway.toml"
    gateway.write_text(gateway.read_text().replace('REALM = "api"', 'REALM = "other"'))
    assert machine.reload(unit) == 0
    machine.wait_for_note("RELOADING=1")
    machine.wait_for_note("STATUS=reloaded")
    until(lambda: "edgeworker_reloads_total 2\n" in metrics())  # of both processes
    written = gateway.read_text()
    gateway.write_text("name = ")
    assert machine.reload(unit) == 1
    machine.wait_for_note("the version before keeps serving")
    assert status_of(context, 443, split.token)[0] == 200

    gateway.write_text(written)
    publish_worker(machine)
    assert status_of(context, 443, path="/hello")[::2] == (200, "hello")

    service.send_signal(signal.SIGTERM)
    assert service.wait(PATIENCE_SECONDS) == 0
    assert list((machine.seen / "tmp").iterdir()) == [], "what the binary unpacked is gone"


def refuse_programs_in_tmp(machine: Machine) -> None:
    """A machine whose /tmp is mounted noexec, which security guides ask for."""
    subprocess.run(["mount", "-o", "remount,noexec", f"{machine.root}/tmp"], check=True)
    shown = ["edgeworker", "serve", "--edge", "/etc/edgeworker/edge.toml", "--print-unit"]
    refused = machine.command(*shown)
    assert "noexec? set TMPDIR=FOLDER" in refused.stderr, refused
    done = machine.command(*shown, env={**_PATH, "TMPDIR": "/var/lib/edgeworker"})
    assert "\nEnvironment=TMPDIR=/var/lib/edgeworker\n" in done.stdout, done


if __name__ == "__main__":
    folder, binary = Path(sys.argv[1]), Path(sys.argv[2])
    (folder / "seen").mkdir()
    make_root(folder / "root", binary)
    bare = Machine(folder / "root", folder / "seen")
    bare.boot()
    follow_the_page(bare)
    refuse_programs_in_tmp(bare)
    print("all is well")
