"""`edgeworker serve` as an operator runs it, with the split-token gateway and nginx as its origin."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.bench import dev, tokens
from tests.bench.configured import with_routes
from tests.bench.processes import ended, rss_mb
from tests.bench.rounds import start_origin
from tests.measures import behind

API_TOKEN: Final = "measures-token-that-is-long-enough"
_TOKENS: Final = 1000
_PATIENCE_SECONDS: Final = 60.0
_WHO: Final = """\
import asyncio
import os

from workers import Response, WorkerEntrypoint


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        await asyncio.sleep(0.03)
        return Response(str(os.getpid()))
"""
_WHO_CONFIG: Final = """\
name = "who"
main = "worker.py"
compatibility_date = "2026-11-01"
compatibility_flags = ["python_workers"]
routes = ["api.example.com/*"]
"""


@dataclass(frozen=True, slots=True)
class ServedEdge:
    """`folder` has the configuration; `tokens` is the file of the tokens that it knows."""

    process: "subprocess.Popen[str]"
    urls: dict[str, str]
    folder: Path
    log: Path
    tokens: Path
    program: Sequence[str]

    @property
    def port(self) -> int:
        return int(self.urls["edge"].rpartition(":")[2])

    def memory_mb(self) -> float:
        return rss_mb(self.process.pid)

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def count(self, text: str) -> int:
        """How often its log has said so."""
        return self.log.read_text().count(text)

    def wait_for(self, text: str, times: int) -> None:
        until = time.monotonic() + _PATIENCE_SECONDS
        while self.count(text) < times:
            if time.monotonic() > until or self.process.poll() is not None:
                raise SystemExit(f"{text!r} was not said {times} times: {self.log.read_text()[-2000:]}")
            time.sleep(0.02)

    def children(self) -> list[int]:
        """The processes that serve. The first process of the binary has one child, which is their parent."""
        found = _children(self.process.pid)
        return found if len(found) != 1 else _children(found[0]) or found

    def run(self, *arguments: str, cwd: Path) -> None:
        """A command of edgeworker that talks to it, as from another machine: its start takes a core for a while, so it
        runs behind everything else."""
        place = ("--api-url", self.urls["api"], "--api-token", API_TOKEN)
        command = [sys.executable, behind.__file__, *self.program, *arguments, *place]
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise SystemExit(f"{arguments[0]} failed: {done.stdout}{done.stderr}")


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def start_gateway(
    stack: ExitStack, folder: Path, program: Sequence[str], *, processes: int = 1, limits: str = ""
) -> ServedEdge:
    """The split-token gateway; `limits` are lines of edge.toml's table of that name."""
    folder.mkdir()
    made = tokens.make(_TOKENS)
    tokens.write(made, folder / "tokens.json")
    origin = f"http://127.0.0.1:{start_origin(stack, folder)}"
    configuration = with_routes(1, more=f"[limits]\n{limits}")(folder, origin)
    edge = _start(stack, folder, program, *configuration, "--processes", str(processes))
    dev.publish_tokens(edge.urls["api"], API_TOKEN, made)
    return edge


def start_who(stack: ExitStack, folder: Path, program: Sequence[str], *, processes: int) -> ServedEdge:
    """A worker that answers after a moment with the id of its process."""
    folder.mkdir()
    (folder / "worker.py").write_text(_WHO)
    (folder / "wrangler.toml").write_text(_WHO_CONFIG)
    (folder / "tokens.json").write_text('[["none"]]')
    return _start(stack, folder, program, "-c", str(folder / "wrangler.toml"), "--processes", str(processes))


def _start(stack: ExitStack, folder: Path, program: Sequence[str], *arguments: str) -> ServedEdge:
    command = [*program, "serve", *arguments, "--persist-to", str(folder / "data"), "--log-format", "json"]
    command += ["--access-log", str(folder / "access.log"), "--port=0", "--api-port=0", "--management-port=0"]
    log = folder / "serve.log"
    with log.open("w") as file:
        process = subprocess.Popen(
            command, cwd=folder, env=os.environ | {"EDGEWORKER_API_TOKEN": API_TOKEN}, stderr=file, text=True
        )
    stack.enter_context(ended(process))
    edge = ServedEdge(process, {}, folder, log, folder / "tokens.json", program)
    edge.wait_for('"event": "ready"', 1)
    serving = next(line for line in log.read_text().splitlines() if '"event": "serving"' in line)
    edge.urls.update(json.loads(serving)["urls"])
    urllib.request.urlopen(f"{edge.urls['management']}/readyz", timeout=_PATIENCE_SECONDS).close()
    return edge


def installed_program() -> list[str]:
    return [sys.executable, "-m", "edgeworker"]
