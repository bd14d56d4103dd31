"""How many instructions a request of the split-token route costs: `poe instructions [dev|path]`, with callgrind.

`poe instructions embedded|workerd` counts those of the same route as a JavaScript worker, without workerd's own.
`poe instructions start` counts those of a small project's `dev` up to its first answer, with bytecode cached.

A count of instructions is the same on a busy machine, so it tells of a change what time cannot. It leaves out what the
system does. Where the time goes is told by `poe profile`.
"""

import argparse
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from tests.bench import dev, javascript, rounds, start, tokens
from tests.bench.configured import with_routes
from tests.bench.load import HOST
from tests.bench.processes import ended, wait_for_line

_CONNECTIONS: Final = 16
_WARM_UP: Final = 400
_CALLGRIND: Final = ("valgrind", "--tool=callgrind", "--instr-atstart=no", "--quiet")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="?", choices=["dev", "path", "start", *javascript.ENGINES], default="dev")
    parser.add_argument("--requests", type=int, default=800)
    parser.add_argument("--functions", type=int, default=0, help="list so many functions of C, the dearest first")
    parser.add_argument("--out", type=Path, help="keep callgrind's file here")
    parser.add_argument("--routes", type=int, help="of `dev`: the script's route is one among so many")
    parser.add_argument("--origin-answers", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("options", nargs="*", help="more of `edgeworker dev`")
    options = parser.parse_args()
    if shutil.which("valgrind") is None:
        print("valgrind is not installed")
        return 2
    with ExitStack() as stack:
        data = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="edgeworker-instructions-")))
        out = data / "callgrind"
        if options.what == "start":
            return _count_start(data, out, options)
        made = tokens.make(200)
        tokens.write(made, data / "tokens.json")
        origin = f"http://127.0.0.1:{rounds.start_origin(stack, data)}"
        prefix = (*_CALLGRIND, f"--callgrind-out-file={out}")
        if options.what != "path":
            more = list(options.options)
            if options.what in javascript.ENGINES:
                javascript.write_gateway(data / options.what, options.what)
                more += ["--js-engine", options.what]
            elif options.routes:
                more += with_routes(options.routes)(data, origin)
            started = dev.start(stack, origin, data / options.what, made, *more, starts=0, prefix=prefix)
            if started is None:
                return 1
            port, pid = started.port, started.pid
        else:
            command = [*prefix, sys.executable, "-m", "tests.bench.peers", "path"]
            command += ["--origin", origin, "--data", str(data)]
            process = stack.enter_context(
                ended(subprocess.Popen(command, cwd=rounds.ROOT, stdout=subprocess.PIPE, text=True))
            )
            port, pid = int(wait_for_line(process, "ready ").split()[1]), process.pid
        client = _Client(port, [one.token for one in made])
        client.ask(_WARM_UP)
        _control(pid, "--instr=on")
        client.ask(options.requests)
        _control(pid, "--instr=off")
        _control(pid, "--dump")
        _tell(data, options, options.requests, "a request")
    return 0


def _count_start(data: Path, out: Path, options: argparse.Namespace) -> int:
    project = data / "project"
    start.write_project(project)
    with start.first_answer(project):
        pass
    with start.first_answer(project, "valgrind", "--tool=callgrind", "--quiet", f"--callgrind-out-file={out}") as pid:
        _control(pid, "--dump")
        _tell(data, options, 1, "up to the first answer")
    return 0


def _tell(data: Path, options: argparse.Namespace, requests: int, what_for: str) -> None:
    dumped = _wait_for(data, "callgrind.*")
    found = re.search(r"^totals: (\d+)", dumped.read_text(), re.MULTILINE)
    assert found is not None
    print(f"{options.what}: {int(found[1]) / requests:,.0f} instructions {what_for}")
    if options.functions:
        _print_functions(dumped, options.functions, requests)
    if options.out is not None:
        shutil.copy(dumped, options.out)


class _Client:
    """Keeps connections busy together, so that the loop finds several requests at a time as under load."""

    def __init__(self, port: int, sent: list[str]) -> None:
        self._sockets = [socket.create_connection(("127.0.0.1", port)) for _ in range(_CONNECTIONS)]
        self._tokens = sent
        self._next = 0

    def ask(self, count: int) -> None:
        for _ in range(count // _CONNECTIONS):
            for connection in self._sockets:
                token = self._tokens[self._next % len(self._tokens)]
                self._next += 1
                connection.sendall(
                    f"GET /orders HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
                )
            for connection in self._sockets:
                _read_answer(connection)


def _read_answer(connection: socket.socket) -> None:
    received = b""
    while True:
        head, end, body = received.partition(b"\r\n\r\n")
        length = re.search(rb"\r\n[Cc]ontent-[Ll]ength: (\d+)", head)
        if end and length is not None and len(body) >= int(length[1]):
            break
        more = connection.recv(65536)
        if not more:
            raise SystemExit(f"the connection ended after {received!r}")
        received += more
    if not received.startswith(b"HTTP/1.1 200 "):
        raise SystemExit(f"not answered with 200: {received!r}")


def _control(pid: int, option: str) -> None:
    subprocess.run(["callgrind_control", option, str(pid)], check=True, capture_output=True)


def _wait_for(folder: Path, pattern: str) -> Path:
    while True:
        for file in folder.glob(pattern):
            if file.stat().st_size and re.search(r"^totals: ", file.read_text(), re.MULTILINE):
                return file
        time.sleep(0.1)


def _print_functions(dumped: Path, count: int, requests: int) -> None:
    told = subprocess.run(
        ["callgrind_annotate", "--threshold=100", str(dumped)], check=True, capture_output=True, text=True
    ).stdout
    lines = re.findall(r"^ *([\d,]+) \(.*?\)\s+(\S.*)$", told, re.MULTILINE)
    for number, name in lines[1 : count + 1]:
        shown = name.split(" [")[0].rpartition("/")[2]
        print(f"{int(number.replace(',', '')) / requests:>12,.0f}  {shown}")


if __name__ == "__main__":
    raise SystemExit(main())
