"""Requests at an even pace, over connections that are kept and some that are new: run as a program, or with `Load`.

A request that finds no free connection waits for one, and the wait counts: a server that stands still is not spared.
"""

import argparse
import asyncio
import contextlib
import json
import re
import signal
import subprocess
import sys
import time
from collections import deque
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from edgeworker.host.priority import take_short_turns
from tests.bench.processes import ended, wait_for_line

ROOT: Final = Path(__file__).resolve().parents[2]
HOST: Final = "api.example.com"
_LENGTH: Final = re.compile(rb"\r\nContent-Length: (\d+)", re.IGNORECASE)
_LAST_WORDS_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Answered:
    """`begun` is of the monotonic clock. `status` 0: the connection ended without an answer. `text` is the body's
    beginning, of a failed request the text of the connection's answer before it."""

    begun: float
    seconds: float
    status: int
    text: str


@dataclass(frozen=True, slots=True)
class Lag:
    """How late the client itself woke for a request: it shares the processors with what it measures."""

    begun: float
    seconds: float


class Load(AbstractContextManager["Load"]):
    """Runs the client in a process of its own; `answers` are there after the block."""

    def __init__(self, port: int, folder: Path, *, rate: int, tokens: Path, connections: int = 16) -> None:
        self._file = folder / f"answers-{time.monotonic_ns()}.json"
        self._command = [sys.executable, "-m", "tests.measures.steady_client", str(port), str(self._file)]
        self._command += ["--rate", str(rate), "--connections", str(connections), "--tokens", str(tokens)]
        self._stack = ExitStack()
        self.answers: list[Answered] = []
        self.lags: list[Lag] = []

    def __enter__(self) -> Self:
        process = subprocess.Popen(self._command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        self._stack.enter_context(ended(process))
        wait_for_line(process, "begun")
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()
        written = json.loads(self._file.read_text())
        self.answers = [Answered(*each) for each in written["answers"]]
        self.lags = [Lag(*each) for each in written["lags"]]


class _Connection(asyncio.Protocol):
    def __init__(self, client: "_Client") -> None:
        self._client = client
        self._transport: asyncio.Transport | None = None
        self._received = b""
        self._text = ""
        self.begun: float | None = None
        self.is_last = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._client.is_free(self)

    def send(self, content: bytes, begun: float) -> None:
        assert self._transport is not None
        self.begun = begun
        self._transport.write(content)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not end or (len(body) < int(length[1]) if length is not None else not body.endswith(b"0\r\n\r\n")):
            return
        self._received, self._text = b"", body[:40].decode("latin-1")
        self._tell(int(head[9:12]))
        if self.is_last:
            self.close()
        else:
            self._client.is_free(self)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.begun is not None:
            self._tell(0)
        self._client.has_ended(self)

    def close(self) -> None:
        assert self._transport is not None
        self._transport.close()

    def _tell(self, status: int) -> None:
        assert self.begun is not None
        begun, self.begun = self.begun, None
        self._client.answers.append((begun, time.monotonic() - begun, status, self._text))


class _Client:
    """Every `new_every`th request is the last one of its connection, and a new one takes that one's place."""

    def __init__(self, port: int, requests: list[bytes], *, connections: int, new_every: int = 20) -> None:
        self.answers: list[tuple[float, float, int, str]] = []
        self.lags: list[tuple[float, float]] = []
        self._port = port
        self._requests = requests
        self._connections = connections
        self._new_every = new_every
        self._free: deque[_Connection] = deque()
        self._waiting: deque[float] = deque()
        self._open: set[_Connection] = set()
        self._opening: set[asyncio.Task[None]] = set()
        self._count = 0
        self._is_ending = False
        self._all_connected = asyncio.Event()
        self._all_answered = asyncio.Event()

    async def run(self, rate: int, stop: asyncio.Event) -> None:
        for _ in range(self._connections):
            self._open_one()
        await self._all_connected.wait()
        print("begun", flush=True)
        due = time.monotonic()
        while not stop.is_set():
            due += 1 / rate
            if (pause := due - time.monotonic()) > 0:
                await asyncio.sleep(pause)
                self.lags.append((due, time.monotonic() - due))
            # Not `due`: that this program woke too late is nothing that the server did.
            self._ask(time.monotonic())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LAST_WORDS_SECONDS):
                await self._all_answered.wait()
        self._is_ending = True
        for one in list(self._open):
            one.close()

    def _ask(self, begun: float) -> None:
        if not self._free:
            self._waiting.append(begun)
            return
        self._all_answered.clear()
        connection = self._free.popleft()
        self._count += 1
        connection.is_last = self._count % self._new_every == 0
        connection.send(self._requests[self._count % len(self._requests)], begun)

    def is_free(self, connection: _Connection) -> None:
        self._open.add(connection)
        self._free.append(connection)
        if len(self._free) == self._connections:
            self._all_connected.set()
            self._all_answered.set()
        if self._waiting:
            self._ask(self._waiting.popleft())

    def has_ended(self, connection: _Connection) -> None:
        self._open.discard(connection)
        if connection in self._free:
            self._free.remove(connection)
        if not self._is_ending:
            self._open_one()

    def _open_one(self) -> None:
        task = asyncio.get_running_loop().create_task(self._connect())
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    async def _connect(self) -> None:
        begun = time.monotonic()
        try:
            await asyncio.get_running_loop().create_connection(lambda: _Connection(self), "127.0.0.1", self._port)
        except OSError as error:
            self.answers.append((begun, time.monotonic() - begun, 0, f"no connection: {error.strerror}"))
            await asyncio.sleep(0.05)
            if not self._is_ending:
                self._open_one()


async def _main(options: argparse.Namespace) -> None:
    tokens = [each[0] for each in json.loads(options.tokens.read_text())]
    requests = [
        f"GET /orders HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Bearer {token}\r\n\r\n".encode() for token in tokens
    ]
    take_short_turns()  # clients are elsewhere, and wait for no processor that the edge or a command uses
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    client = _Client(options.port, requests, connections=options.connections)
    await client.run(options.rate, stop)
    options.file.write_text(json.dumps({"answers": client.answers, "lags": client.lags}))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("file", type=Path)
    parser.add_argument("--rate", type=int, default=200)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--tokens", type=Path, required=True)
    asyncio.run(_main(parser.parse_args()))
