"""The rounds of the benchmark: starts origin and gateways, measures them in turns, and says what came out."""

import argparse
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from tests.bench import cases, dev, load, serve, tokens, wrangler_dev
from tests.bench.figures import Figures, chart, markdown, replace_between
from tests.bench.gateway import Gateway
from tests.bench.nginx import HAS_LUA, HAS_NGINX, start_nginx_lua, start_nginx_origin
from tests.bench.processes import ended, wait_for_line
from tests.bench.verdicts import BARE, DEV, MINIFLARE, NGINX, PATH, SERVE, SERVE_TWO, verdicts, why_no_verdict

ROOT: Final = Path(__file__).resolve().parents[2]
_BEGIN: Final = "<!-- figures: uv run poe bench -->"
_END: Final = "<!-- /figures -->"


def main() -> int:
    parser = argparse.ArgumentParser(description="Measures the split-token route against other gateways.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each gateway in each round")
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--tokens", type=int, default=1000)
    parser.add_argument(
        "--only",
        help="of dev, fast (dev, compiled), quiet (no log lines), path, fastpath, serve, bare, nginx, miniflare, "
        "wrangler (dev); "
        "default: all but quiet; what is compiled where `poe build-fast` has made it",
    )
    parser.add_argument(
        "--short", action="store_true", help="one round of one second each, for CI: figures, no verdict"
    )
    parser.add_argument("--write", action="store_true", help="write the table into README.md and the chart beside it")
    parser.add_argument(
        "--cases",
        nargs="?",
        const="",
        metavar="PARTS",
        type=cases.parts_of,
        help=f"the cases instead, or parts of them, with a comma between: {', '.join(cases.PARTS)}",
    )
    options = parser.parse_args()
    if options.cases is not None:
        return cases.run(options.cases, rounds=options.rounds, seconds=min(2.0, options.seconds))
    if options.short:
        options.rounds, options.seconds = 1, 1.0
    wanted = set((options.only or "nginx,path,fastpath,dev,fast,serve,bare,miniflare,wrangler").split(","))
    with ExitStack() as stack:
        data = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="edgeworker-bench-")))
        made = tokens.make(options.tokens)
        tokens.write(made, data / "tokens.json")
        origin = f"http://127.0.0.1:{start_origin(stack, data)}"
        gateways = _gateways(stack, wanted, origin, data, made)
        work = load.Work([one.token for one in made])
        for _ in range(options.rounds):
            for gateway in gateways:
                gateway.measure(work, connections=options.connections, seconds=options.seconds)
        found = [gateway.figures() for gateway in gateways]
    about = _about(options)
    print(f"{about}\n\n{markdown(found, NGINX)}")
    failed = any(one.errors for one in found)
    why = why_no_verdict(found, options.rounds)
    if why is not None:
        print(why)
        return 1 if failed or options.write else 0
    print("\n".join(verdicts(found)))
    if options.write:
        _write(found, about)
    return 1 if failed else 0


def _gateways(stack: ExitStack, wanted: set[str], origin: str, data: Path, made: list[tokens.Split]) -> list[Gateway]:
    gateways = []
    if HAS_LUA and "nginx" in wanted:
        begun = time.perf_counter()
        port, pid = start_nginx_lua(stack, origin, data, made)
        gateways.append(Gateway(NGINX, port, pid, time.perf_counter() - begun))
    tree = dev.COMPILED if dev.COMPILED.is_dir() else None
    if "path" in wanted:
        gateways.append(_peer(stack, "path", PATH, origin, data))
    if "fastpath" in wanted and tree is not None:
        gateways.append(_peer(stack, "path", f"{PATH}, compiled", origin, data, tree))
    for kind, name, more, form in (
        ("dev", DEV, (), None),
        ("fast", f"{DEV}, compiled", (), tree),
        ("quiet", f"{DEV}, no log lines", ("--no-request-log",), None),
    ):
        if kind not in wanted or (kind == "fast" and form is None):
            continue
        started = dev.start(stack, origin, data / kind, made, *more, tree=form)
        if started is None:
            continue
        gateways.append(Gateway(name, started.port, started.pid, started.first_answer_seconds))
        if kind == ("dev" if tree is None else "fast") and "serve" in wanted:
            for processes, served_as in ((1, SERVE), (2, SERVE_TWO)):
                served = serve.start(stack, origin, data / f"serve{processes}", made, processes=processes, tree=form)
                if served is not None:
                    gateways.append(Gateway(served_as if form is None else f"{served_as}, compiled", *served))
    if "bare" in wanted:
        gateways.append(_peer(stack, "bare", BARE, origin, data))
    tools = Path(os.environ.get("EDGEWORKER_NODE_TOOLS") or Path.home() / ".cache" / "edgeworker-node-tools")
    if (tools / "node_modules" / "miniflare").is_dir() and "miniflare" in wanted:
        gateways.append(miniflare(stack, tools, origin, data))
    if (tools / "node_modules" / ".bin" / "wrangler").exists() and "wrangler" in wanted:
        wrangler = wrangler_dev.start(stack, tools, origin, data / "wrangler", made)
        if wrangler is not None:
            gateways.append(wrangler)
    return gateways


def start_origin(stack: ExitStack, data: Path) -> int:
    return start_nginx_origin(stack, data) if HAS_NGINX else _peer(stack, "origin", "origin", "", data).port


def _peer(stack: ExitStack, kind: str, name: str, origin: str, data: Path, tree: Path | None = None) -> Gateway:
    command = [sys.executable, "-m", "tests.bench.peers", kind, "--origin", origin, "--data", str(data)]
    with ExitStack() as first:  # for the byte code, as where `dev` is measured
        _started(first, name, command, tree)
    return _started(stack, name, command, tree)


def miniflare(stack: ExitStack, tools: Path, origin: str, data: Path) -> Gateway:
    own = tools / "node_modules" / "node" / "bin" / "node"
    node = str(own) if own.exists() else shutil.which("node") or "node"
    program = str(Path(__file__).with_name("gateway_miniflare.mjs"))
    return _started(stack, MINIFLARE, [node, program, str(tools), origin, str(data / "tokens.json")])


def _started(stack: ExitStack, name: str, command: list[str], tree: Path | None = None) -> Gateway:
    begun = time.perf_counter()
    environment = dev.environment_of(tree)
    process = stack.enter_context(
        ended(subprocess.Popen(command, cwd=tree or ROOT, env=environment, stdout=subprocess.PIPE, text=True))
    )
    port = int(wait_for_line(process, "ready ").split()[1])
    return Gateway(name, port, process.pid, time.perf_counter() - begun)


def _about(options: argparse.Namespace) -> str:
    tool = "wrk" if load.HAS_WRK else "our own load generator"
    return (
        f"{options.connections} connections, {options.tokens} tokens, medians of {options.rounds} interleaved rounds "
        f"of {options.seconds:g} s; {tool}, {'nginx' if HAS_NGINX else 'our own'} as the origin; Python "
        f"{platform.python_version()}, {os.cpu_count()} cores"
    )


def _write(found: list[Figures], about: str) -> None:
    readme = ROOT / "README.md"
    image = "![requests of the split-token route for each second of CPU time](tests/bench/split-token.svg)"
    content = f"{image}\n\n{about}.\n\n{markdown(found, NGINX)}"
    readme.write_text(replace_between(readme.read_text(), _BEGIN, _END, content))
    (ROOT / "tests" / "bench" / "split-token.svg").write_text(chart(found))
