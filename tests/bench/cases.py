"""The cases of the benchmark beside the usual one: `poe bench --cases`, or `python -m tests.bench.cases [NAME ...]`.

Each runs `edgeworker dev` and, where it can do the same, nginx + lua, in turns.
"""

import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from tests.bench import dev, load, slow_clients, tokens
from tests.bench.configured import with_routes
from tests.bench.gateway import Gateway
from tests.bench.nginx import HAS_LUA, HAS_NGINX, start_nginx_lua, start_nginx_origin
from tests.bench.processes import allow_many_files

SLOW_CLIENTS: Final = 5000
HELLO: Final = """
from workers import Response, WorkerEntrypoint


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return Response("hello")
"""
HELLO_WRANGLER: Final = """
name = "hello"
main = "worker.py"
compatibility_date = "2026-04-01"
compatibility_flags = ["python_workers"]
"""
ACCESS: Final = """
[access]
team = "bench"

[[access.apps]]
name = "Admin"
domain = "api.example.com/admin"
[[access.apps.policies]]
name = "staff"
decision = "allow"
include = [{ email_domain = "example.com" }]
"""
SHIELD: Final = """
[zones.api_shield]
operations = ["GET api.example.com/orders"]
"""


@dataclass(frozen=True, slots=True)
class Case:
    """`options` makes the files of a case in a folder, and answers the options of `dev`."""

    name: str
    options: Callable[[Path, str], Sequence[str]] = lambda _folder, _origin: ()
    work: load.Work = field(default_factory=load.Work)
    count: int = 1000  # of tokens
    signed: bool = False  # by a key that the gateway checks them with
    connections: int = 64
    slow: int = 0
    beside_nginx: bool = True


def _hello(folder: Path, _origin: str) -> Sequence[str]:
    hello = folder / "hello"
    hello.mkdir()
    (hello / "wrangler.toml").write_text(HELLO_WRANGLER)
    (hello / "worker.py").write_text(HELLO)
    return "-c", str(hello / "wrangler.toml")


CASES: Final = (
    Case("the usual one"),
    Case("1 connection", connections=1),
    Case("1 MiB bodies, 16 connections", work=load.Work(path="/large"), connections=16),
    Case("no token (401)", work=load.Work(status=401)),
    Case("no origin: a script answers", _hello, load.Work(path="/hello")),
    Case("signatures verified (RS256)", signed=True, beside_nginx=False),
    Case("Access and API Shield on", with_routes(1, ACCESS, SHIELD), beside_nginx=False),
    Case("1 route", with_routes(1), beside_nginx=False),
    Case("21 routes", with_routes(21), beside_nginx=False),
    Case("1,000 routes", with_routes(1000), beside_nginx=False),
    Case("10,000 KV keys", count=10_000),
    Case(f"{SLOW_CLIENTS:,} slow clients beside", slow=SLOW_CLIENTS),
)


def measure(case: Case, *, rounds: int, seconds: float) -> list[str]:
    """The lines of a table."""
    with ExitStack() as stack:
        data = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="edgeworker-case-")))
        signer = tokens.Signer() if case.signed else None
        made = tokens.make(case.count, signer)
        origin = f"http://127.0.0.1:{start_nginx_origin(stack, data)}"
        options = ["--var", f"JWKS:{signer.key_set}"] if signer is not None else list(case.options(data, origin))
        started = dev.start(stack, origin, data / "dev", made, *options, starts=0)
        if started is None:
            return [f"| {case.name} | not measured | | | | | |"]
        gateways = [Gateway("edgeworker dev", started.port, started.pid)]
        if HAS_LUA and case.beside_nginx:
            gateways.insert(0, Gateway("nginx + lua", *start_nginx_lua(stack, origin, data, made)))
        work = case.work if case.work.status == 401 else replace(case.work, tokens=[one.token for one in made])
        for gateway in gateways:
            slow_clients.hold(stack, gateway.port, case.slow)
        for _ in range(rounds):
            for gateway in gateways:
                gateway.measure(work, connections=case.connections, seconds=seconds)
        found = [gateway.figures() for gateway in gateways]
    ours, base = found[-1], found[0] if len(found) > 1 else None
    ratio = "" if base is None else f"{ours.cpu_us / base.cpu_us:.1f}"
    faults = f", {ours.errors} errors" if ours.errors else ""
    return [
        f"| {case.name}{faults} | {ours.per_second:,.0f} | {ours.p50_ms:.1f} | {ours.p99_ms:.1f} | {ours.cpu_us:,.0f} "
        f"| {'' if base is None else f'{base.cpu_us:,.0f}'} | {ratio} | {ours.spread:.0%} |"
    ]


def table(names: Sequence[str], *, rounds: int, seconds: float) -> str:
    if not HAS_NGINX:
        raise SystemExit("the cases need nginx, as the origin")
    allow_many_files()
    lines = [
        "| case | requests/s | p50 ms | p99 ms | CPU µs per request | nginx + lua | times | spread |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for case in CASES:
        if not names or any(name in case.name for name in names):
            lines += measure(case, rounds=rounds, seconds=seconds)
            print(lines[-1], flush=True)
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(table(sys.argv[1:], rounds=3, seconds=2.0))
