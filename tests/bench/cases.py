"""The cases of the benchmark: `poe bench --cases` for all of them, `poe bench --cases slow,routes` for some.

Each is measured in the pure form, in the compiled one where `poe build-fast` has made it, and on nginx + lua where that
can do the same. What is compared is measured in turns.
"""

import argparse
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from tests.bench import dev, load, serve, slow_clients, tokens
from tests.bench.configured import hello, with_routes
from tests.bench.figures import Figures
from tests.bench.gateway import Gateway
from tests.bench.nginx import HAS_LUA, HAS_NGINX, start_nginx_lua, start_nginx_origin
from tests.bench.processes import allow_many_files
from tests.bench.verdicts import CASE_TARGETS, FORMS, LARGE, NGINX, verdicts, why_no_verdict

SLOW_CLIENTS: Final = 5000
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
_ORDERS: Final = b"orders"  # is in what the origin answers


@dataclass(frozen=True, slots=True)
class Case:
    """`options` makes the files of a case in a folder, and answers the options of the command line. `expected` is in
    the answer of each gateway, else nothing is measured. `processes` is of `serve`; without it `dev` is measured."""

    name: str
    options: Callable[[Path, str], Sequence[str]] | None = None
    work: load.Work = field(default_factory=load.Work)
    expected: bytes = _ORDERS
    count: int = 1000  # of tokens
    signed: bool = False  # by a key that the gateway checks them with
    connections: int = 64
    slow: int = 0
    processes: int = 0
    beside_nginx: bool = True


def _alone(case: Case) -> Case:
    return replace(case, beside_nginx=False)


_HELLO: Final = Case("no origin: a script answers", hello, load.Work(path="/hello"), b"hello")
_SIGNED: Final = _alone(Case("signatures verified (RS256)", with_routes(1), signed=True))

# What a part has is measured in turns.
PARTS: Final = {
    "usual": (Case("the usual one"),),
    "one": (Case("1 connection", connections=1),),
    "large": (Case(LARGE, work=load.Work(path="/large"), expected=bytes(1000), connections=16),),
    "401": (Case("no token (401)", work=load.Work(status=401), expected=b""),),
    "hello": (_HELLO,),
    "jwt": (_SIGNED,),
    "products": (_alone(Case("Access and API Shield on", with_routes(1, ACCESS, SHIELD))),),
    "routes": tuple(
        _alone(Case(name, with_routes(count)))
        for name, count in (("1 route", 1), ("21 routes", 21), ("1,000 routes", 1000))
    ),
    "keys": (Case("10,000 KV keys", count=10_000),),
    "slow": (Case(f"{SLOW_CLIENTS:,} slow clients beside", slow=SLOW_CLIENTS),),
    # Of work that is mostly ours: two processes, wrk and the origin must share the machine's cores.
    "processes": tuple(
        _alone(replace(case, name=f"{case.name}, serve {processes}", processes=processes))
        for case in (_HELLO, _SIGNED)
        for processes in (1, 2)
    ),
}


@dataclass(frozen=True, slots=True)
class _Measured:
    case: Case
    work: load.Work
    gateways: list[Gateway]


def measure(cases: Sequence[Case], forms: Sequence[str], *, rounds: int, seconds: float) -> list[Figures]:
    """In turns. A gateway that does not start is told and left out."""
    with ExitStack() as stack:
        data = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="edgeworker-case-")))
        origin = f"http://127.0.0.1:{start_nginx_origin(stack, data)}"
        measured = [
            _start(stack, case, forms, _made(data / f"case{number}"), origin) for number, case in enumerate(cases)
        ]
        for one in measured:
            for gateway in one.gateways:
                check_answer(gateway, one.work, one.case.expected)
        for _ in range(rounds):
            for one in measured:
                for gateway in one.gateways:
                    # Only on the one that is measured: they would take CPU time from another one's turn.
                    with slow_clients.held(gateway.port, one.case.slow):
                        gateway.measure(one.work, connections=one.case.connections, seconds=seconds)
        return [gateway.figures() for one in measured for gateway in one.gateways]


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _start(stack: ExitStack, case: Case, forms: Sequence[str], folder: Path, origin: str) -> _Measured:
    signer = tokens.Signer() if case.signed else None
    made = tokens.make(case.count, signer)
    gateways = []
    if HAS_LUA and case.beside_nginx:
        gateways.append(Gateway(f"{case.name}: {NGINX}", *start_nginx_lua(stack, origin, folder, made)))
    for form in forms:
        place = _made(folder / f"form{len(gateways)}")
        tree = dev.COMPILED if form else None
        options = [] if case.options is None else [*case.options(place, origin)]
        if signer is not None:
            options += ["--var", f"JWKS:{signer.key_set}"]
        if case.processes:
            served = serve.start(stack, origin, place / "serve", made, *options, processes=case.processes, tree=tree)
        else:
            started = dev.start(stack, origin, place / "dev", made, *options, starts=0, tree=tree)
            served = None if started is None else (started.port, started.pid)
        if served is not None:
            gateways.append(Gateway(case.name + form, *served))
    work = case.work if case.work.status == 401 else replace(case.work, tokens=[one.token for one in made])
    return _Measured(case, work, gateways)


def check_answer(gateway: Gateway, work: load.Work, expected: bytes) -> None:
    """That the gateway does what is measured: an error is fast, and so is an origin that answers for a script."""
    headers = {"Host": load.HOST} | ({"Authorization": f"Bearer {work.tokens[0]}"} if work.tokens else {})
    request = urllib.request.Request(f"http://127.0.0.1:{gateway.port}{work.path}", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            status, content = answer.status, answer.read()
    except urllib.error.HTTPError as error:
        status, content = error.code, error.read()
    if status != work.status or expected not in content:
        raise SystemExit(
            f"{gateway.name} is not measured: it answers {status} and {content[:80]!r}, "
            f"and not {work.status} with {expected[:20]!r} in it"
        )


def parts_of(text: str) -> list[str]:
    """The parts of "slow,routes", or all for "". Raises ArgumentTypeError for one that is not there."""
    names = [name.strip() for name in text.split(",")] if text else list(PARTS)
    for name in names:
        if name not in PARTS:
            raise argparse.ArgumentTypeError(f'"{name}" is not a part of the benchmark; use of {", ".join(PARTS)}')
    return names


def run(names: Sequence[str], *, rounds: int, seconds: float) -> int:
    """Prints a table, a row as soon as it is measured, and verdicts at its end. 1 where there were errors."""
    if not HAS_NGINX:
        raise SystemExit("the cases need nginx, as the origin")
    allow_many_files()
    forms = [form for form in FORMS if not form or dev.COMPILED.is_dir()]
    print("| case | requests/s | p50 ms | p99 ms | CPU µs per request | memory MB | errors | spread |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|", flush=True)
    told: list[str] = []
    failed = False
    for name in names:
        found = measure(PARTS[name], forms, rounds=rounds, seconds=seconds)
        for one in found:
            print(row(one), flush=True)
        failed |= any(one.errors for one in found)
        why = why_no_verdict(found, rounds)
        told += verdicts(found, CASE_TARGETS) if why is None else [f"{name}: {why}"]
    print("", *told, sep="\n")
    return 1 if failed else 0


def row(one: Figures) -> str:
    return (
        f"| {one.name} | {one.per_second:,.0f} | {one.p50_ms:.2f} | {one.p99_ms:.2f} | {one.cpu_us:,.0f} "
        f"| {one.memory_mb:.0f} | {one.errors} | {one.spread:.0%} |"
    )
