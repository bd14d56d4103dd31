"""Runs the command line as a person does: in a process of its own."""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import IO

from tests.patience import PATIENCE_SECONDS

SECONDS = PATIENCE_SECONDS


@dataclass(frozen=True, slots=True)
class Answer:
    """Header names are in lower case."""

    status: int
    headers: dict[str, str]
    text: str


class Edge:
    """A running `edgeworker dev --json`; its stderr can be waited for line by line."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self._lines: queue.Queue[str] = queue.Queue()
        self.said: list[str] = []
        assert process.stdout is not None
        assert process.stderr is not None
        threading.Thread(target=self._read, args=(process.stderr,), daemon=True).start()
        ready = process.stdout.readline()
        if not ready:
            process.wait(SECONDS)
            raise AssertionError(f"dev did not start: {self.everything()}")
        self.ready = json.loads(ready)
        self.url: str = self.ready["url"]
        self.api_url: str = self.ready["api_url"]

    @property
    def pid(self) -> int:
        return self._process.pid

    def _read(self, stream: IO[str]) -> None:
        with suppress(ValueError):  # `dev` closes the stream when the process has ended, whatever is left in it
            for line in stream:
                self._lines.put(line)

    def wait_for(self, text: str) -> str:
        """The next line on stderr that holds `text`."""
        while True:
            try:
                line = self._lines.get(timeout=SECONDS)
            except queue.Empty:
                raise AssertionError(f"{text!r} was not said; said was: {''.join(self.said)}") from None
            self.said.append(line)
            if text in line:
                return line

    def everything(self) -> str:
        while not self._lines.empty():
            self.said.append(self._lines.get())
        return "".join(self.said)

    def get(self, host: str, path: str = "/", *, headers: dict[str, str] | None = None) -> Answer:
        return fetch(self.url + path, headers={"Host": host, **(headers or {})})

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        self._process.send_signal(number)
        return self._process.wait(SECONDS)


def fetch(url: str, *, method: str = "GET", headers: dict[str, str] | None = None, body: bytes | None = None) -> Answer:
    """One request with the standard library, no proxy, no redirect followed."""

    class _NoRedirect(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_: object) -> None:
            return None

    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect)
    request = urllib.request.Request(url, data=body, method=method, headers=headers or {})
    try:
        with opener.open(request, timeout=SECONDS) as response:
            return Answer(response.status, _lower(response.headers), response.read().decode())
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, _lower(error.headers), error.read().decode())


def _lower(headers: Message) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def environment(**changes: str) -> dict[str, str]:
    """This process's, without what would steer edgeworker or its output."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("EDGEWORKER_", "CLOUDFLARE_")) and not name.lower().endswith("_proxy")
    }
    return {**kept, "NO_COLOR": "1", **changes}


def run(
    *arguments: str, cwd: Path, env: dict[str, str] | None = None, stdin: str | None = None
) -> "subprocess.CompletedProcess[str]":
    """One command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "edgeworker", *arguments],
        cwd=cwd,
        env=env or environment(),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=3 * SECONDS,
        check=False,
    )


@contextmanager
def dev(
    *arguments: str,
    cwd: Path,
    prefix: Sequence[str] = (),
    env: dict[str, str] | None = None,
    program: Sequence[str] = (sys.executable, "-m", "edgeworker"),
) -> Iterator[Edge]:
    """`edgeworker dev --json --port 0 --api-port 0 ...`, killed at the end if it still runs."""
    command = [
        *prefix,
        *program,
        "dev",
        "--json",
        "--port",
        "0",
        "--api-port",
        "0",
        *arguments,
    ]
    process = subprocess.Popen(
        command, cwd=cwd, env=env or environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        yield Edge(process)
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdout, process.stderr):
            assert stream is not None
            stream.close()
