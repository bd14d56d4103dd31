"""Load on a URL over kept-alive connections: wrk where it is installed, else our own."""

import asyncio
import re
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HAS_WRK: Final = shutil.which("wrk") is not None
HOST: Final = "api.example.com"

_SCRIPT: Final = """
local requests = {}
local number = 0
function init()
  for line in io.lines(os.getenv("BENCH_TOKENS")) do
    requests[#requests + 1] = wrk.format("GET", "@PATH@", {["Host"] = "@HOST@", ["Authorization"] = "Bearer " .. line})
  end
  if #requests == 0 then requests[1] = wrk.format("GET", "@PATH@", {["Host"] = "@HOST@"}) end
end
function request()
  number = number % #requests + 1
  return requests[number]
end
function done(summary, latency, requests)
  io.write(string.format("RESULT %d %d %d %d %d\\n", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99),
    @ERRORS@summary.errors.read + summary.errors.timeout))
end
"""


@dataclass(frozen=True, slots=True)
class Measured:
    per_second: float
    p50_ms: float
    p99_ms: float
    errors: int
    count: int


@dataclass(frozen=True, slots=True)
class Work:
    """What is asked: one of the tokens after the other, or none; and what is answered where nothing is wrong."""

    tokens: Sequence[str] = ()
    path: str = "/orders"
    status: int = 200


def measure(port: int, work: Work, *, connections: int, seconds: float) -> Measured:
    if HAS_WRK:
        return _with_wrk(port, work, connections, seconds)
    return asyncio.run(_by_ourselves(port, work, connections, seconds))


def _with_wrk(port: int, work: Work, connections: int, seconds: float) -> Measured:
    with tempfile.TemporaryDirectory() as folder:
        counted = "" if work.status >= 400 else "summary.errors.status + "
        script, list_of_tokens = Path(folder) / "bench.lua", Path(folder) / "tokens"
        script.write_text(_SCRIPT.replace("@HOST@", HOST).replace("@PATH@", work.path).replace("@ERRORS@", counted))
        list_of_tokens.write_text("\n".join(work.tokens))
        command = ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "-s", str(script)]
        done = subprocess.run(
            [*command, f"http://127.0.0.1:{port}{work.path}"],
            env={"BENCH_TOKENS": str(list_of_tokens)},
            capture_output=True,
            text=True,
            check=True,
            executable=shutil.which("wrk"),
        )
    found = re.search(r"RESULT (\d+) (\d+) (\d+) (\d+) (\d+)", done.stdout)
    if found is None:
        raise SystemExit(f"wrk said nothing that can be read:\n{done.stdout}{done.stderr}")
    count, microseconds, p50, p99, errors = map(int, found.groups())
    return Measured(count / (microseconds / 1e6), p50 / 1000, p99 / 1000, errors, count)


class _Client(asyncio.Protocol):
    """Sends one request after the other until `deadline`; `took` are seconds."""

    def __init__(
        self, requests: Sequence[bytes], expected: bytes, deadline: float, done: "asyncio.Future[None]"
    ) -> None:
        self.took: list[float] = []
        self.errors = 0
        self._requests = requests
        self._expected = expected
        self._deadline = deadline
        self._done = done
        self._next = 0
        self._begun = 0.0
        self._received = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._send()

    def _send(self) -> None:
        assert self._transport is not None
        self._begun = time.perf_counter()
        if self._begun >= self._deadline:
            self._transport.abort()
            return
        self._transport.write(self._requests[self._next])
        self._next = (self._next + 1) % len(self._requests)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        length = re.search(rb"\r\n[Cc]ontent-[Ll]ength: (\d+)", head)
        if not end or (length is not None and len(body) < int(length[1])):
            return
        if length is None and not body.endswith(b"0\r\n\r\n"):
            return
        self.took.append(time.perf_counter() - self._begun)
        self.errors += not head.startswith(self._expected)
        self._received = b""
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        self.errors += time.perf_counter() < self._deadline
        if not self._done.done():
            self._done.set_result(None)


async def _by_ourselves(port: int, work: Work, connections: int, seconds: float) -> Measured:
    loop = asyncio.get_running_loop()
    requests = [
        f"GET {work.path} HTTP/1.1\r\nHost: {HOST}\r\n{authorization}\r\n".encode()
        for authorization in [f"Authorization: Bearer {token}\r\n" for token in work.tokens] or [""]
    ]
    deadline = time.perf_counter() + seconds
    clients: list[_Client] = []
    waiting: list[asyncio.Future[None]] = []
    for number in range(connections):
        done: asyncio.Future[None] = loop.create_future()
        shifted = requests[number % len(requests) :] + requests[: number % len(requests)]
        client = _Client(shifted, b"HTTP/1.1 %d " % work.status, deadline, done)
        clients.append(client)
        waiting.append(done)
        await loop.create_connection(lambda client=client: client, "127.0.0.1", port)  # type: ignore[misc]
    await asyncio.gather(*waiting)
    took = sorted(value for client in clients for value in client.took)
    if len(took) < 2:
        raise SystemExit("nothing was answered")
    cuts = statistics.quantiles(took, n=100)
    errors = sum(client.errors for client in clients)
    return Measured(len(took) / seconds, cuts[49] * 1000, cuts[98] * 1000, errors, len(took))
