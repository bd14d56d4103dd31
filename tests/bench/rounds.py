"""The rounds of the benchmark: starts origin and gateways, measures them in turns, prints medians."""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.bench import dev, load, tokens
from tests.bench.nginx import HAS_LUA, HAS_NGINX, start_nginx_lua, start_nginx_origin
from tests.bench.processes import cpu_seconds, ended, wait_for_line

ROOT: Final = Path(__file__).resolve().parents[2]
TARGET_START_SECONDS: Final = 0.5
TARGET_IDLE_MB: Final = 60.0


@dataclass(slots=True)
class Gateway:
    """One that is measured. `cpu` is what its process used for each request of a round, in seconds."""

    name: str
    port: int
    pid: int
    results: list[load.Measured] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def measure(self, sent: list[str], *, connections: int, seconds: float) -> None:
        before = cpu_seconds(self.pid)
        result = load.measure(self.port, sent, connections=connections, seconds=seconds)
        self.cpu.append((cpu_seconds(self.pid) - before) / max(1.0, result.count))
        self.results.append(result)

    def median(self, of: str) -> float:
        return statistics.median(float(getattr(result, of)) for result in self.results)


def main() -> int:
    parser = argparse.ArgumentParser(description="Measures the split-token route against other gateways.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each gateway in each round")
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--tokens", type=int, default=1000)
    parser.add_argument("--only", help="of dev, quiet (no log lines), path, nginx; the bare proxy is measured always")
    options = parser.parse_args()
    with ExitStack() as stack:
        data = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="edgeworker-bench-")))
        made = tokens.make(options.tokens)
        tokens.write(made, data / "tokens.json")
        origin = f"http://127.0.0.1:{_origin(stack, data)}"
        wanted = None if options.only is None else set(options.only.split(","))
        gateways = [Gateway("bare aiohttp proxy", *_peer(stack, "bare", origin, data))]
        started: dev.Started | None = None
        if wanted is None or "dev" in wanted:
            started = dev.start(stack, origin, data / "dev", made)
            if started is not None:
                gateways.append(Gateway("edgeworker dev", started.port, started.pid))
        if wanted is not None and "quiet" in wanted:
            quiet = dev.start(stack, origin, data / "quiet", made, "--no-request-log", starts=1)
            if quiet is not None:
                gateways.append(Gateway("the same, no log lines", quiet.port, quiet.pid))
        if wanted is None or "path" in wanted:
            gateways.append(Gateway("data path alone", *_peer(stack, "path", origin, data)))
        if HAS_LUA and (wanted is None or "nginx" in wanted):
            gateways.append(Gateway("nginx + lua", *start_nginx_lua(stack, origin, data, made)))
        sent = [one.token for one in made]
        for _ in range(options.rounds):
            for gateway in gateways:
                gateway.measure(sent, connections=options.connections, seconds=options.seconds)
        _print(gateways, started, options)
    return 1 if any(result.errors for gateway in gateways for result in gateway.results) else 0


def _origin(stack: ExitStack, data: Path) -> int:
    return start_nginx_origin(stack, data) if HAS_NGINX else _peer(stack, "origin", "", data)[0]


def _peer(stack: ExitStack, kind: str, origin: str, data: Path) -> tuple[int, int]:
    """(port, process id)"""
    command = [sys.executable, "-m", "tests.bench.peers", kind, "--origin", origin, "--data", str(data)]
    process = stack.enter_context(ended(subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)))
    return int(wait_for_line(process, "ready ").split()[1]), process.pid


def _print(gateways: list[Gateway], started: dev.Started | None, options: argparse.Namespace) -> None:
    tool = "wrk" if load.HAS_WRK else "our own load generator"
    origin = "nginx" if HAS_NGINX else "our own origin"
    print(
        f"{options.connections} connections, {options.tokens} tokens, medians of {options.rounds} interleaved rounds "
        f"of {options.seconds:g} s; {tool}, {origin}, {os.cpu_count()} cores\n"
    )
    bare, bare_cpu = gateways[0].median("per_second"), statistics.median(gateways[0].cpu)
    names = f"{'requests/s':>12}{'p50 ms':>10}{'p99 ms':>10}{'ratio to bare':>15}"
    print(f"{'':<22}{names}{'CPU µs':>9}{'CPU ratio':>11}{'errors':>8}")
    for gateway in gateways:
        per_second, cpu = gateway.median("per_second"), statistics.median(gateway.cpu)
        print(
            f"{gateway.name:<22}{per_second:>12.0f}{gateway.median('p50_ms'):>10.2f}{gateway.median('p99_ms'):>10.2f}"
            f"{per_second / bare:>15.2f}{cpu * 1e6:>9.0f}{bare_cpu / cpu:>11.2f}"
            f"{sum(result.errors for result in gateway.results):>8}"
        )
    if started is not None:
        seconds, memory = started.first_answer_seconds, started.idle_mb
        print(f"\nedgeworker dev: start to first answer {seconds:.2f} s ({_verdict(seconds, TARGET_START_SECONDS)} s)")
        print(f"edgeworker dev: the same without byte code {started.compiling_seconds:.2f} s")
        print(f"edgeworker dev: idle memory {memory:.0f} MB ({_verdict(memory, TARGET_IDLE_MB)} MB)")


def _verdict(value: float, target: float) -> str:
    return f"{'within' if value < target else 'MISSES'} the target of {target:g}"
