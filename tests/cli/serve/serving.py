"""Runs `edgeworker serve` in a process of its own."""

import contextlib
import json
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from tests.cli.running import SECONDS, Answer, environment, fetch

WORKER = """\
import os

from workers import Response, WorkerEntrypoint


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return Response(f"{VERSION} {os.getpid()}")
"""


def write_project(folder: Path, version: str = "one") -> Path:
    (folder / "worker.py").write_text(f"VERSION = {version!r}\n{WORKER}")
    config = folder / "wrangler.toml"
    config.write_text(
        'name = "w"\nmain = "worker.py"\ncompatibility_date = "2026-11-01"\n'
        'compatibility_flags = ["python_workers"]\nroutes = ["example.com/*"]\n'
    )
    return config


class Served:
    """Its log as JSON objects, which can be waited for."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self.said: list[str] = []
        self._lines: queue.Queue[str] = queue.Queue()
        assert process.stderr is not None
        threading.Thread(target=self._read, args=(process.stderr,), daemon=True).start()
        told = json.loads(self.wait_for('"event": "serving"'))
        self.urls: dict[str, str] = told["urls"]
        self.wait_for('"event": "ready"')

    def _read(self, stream: IO[str]) -> None:
        try:
            for line in stream:
                self._lines.put(line)
        except ValueError:
            return  # closed at the end of the test

    def wait_for(self, text: str) -> str:
        while True:
            try:
                line = self._lines.get(timeout=3 * SECONDS)
            except queue.Empty:
                raise AssertionError(f"{text!r} was not said; said was: {''.join(self.said)}") from None
            self.said.append(line)
            if text in line:
                return line

    def drain(self) -> None:
        """Takes what was said up to now, without waiting."""
        with contextlib.suppress(queue.Empty):
            while True:
                self.said.append(self._lines.get_nowait())

    def get(self, path: str = "/", host: str = "example.com") -> Answer:
        return fetch(self.urls["edge"] + path, headers={"Host": host})

    def manage(self, path: str) -> Answer:
        return fetch(self.urls["management"] + path)

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def stop(self) -> int:
        self.send(signal.SIGTERM)
        return self.process.wait(3 * SECONDS)


@contextmanager
def serve(*arguments: str, cwd: Path, env: dict[str, str] | None = None) -> Iterator[Served]:
    ports = [f"--{name}=0" for name in ("port", "api-port", "management-port")]
    process = subprocess.Popen(
        [sys.executable, "-m", "edgeworker", "serve", "--log-format", "json", *ports, *arguments],
        cwd=cwd,
        env=env or environment(),
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield Served(process)
    finally:
        process.terminate()
        try:
            process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        assert process.stderr is not None
        process.stderr.close()
