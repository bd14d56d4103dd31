"""Measures JavaScript workers: `uv run python -m tests.bench.javascript` (`--help` for more).

The split-token gateway of `edgeworker init --template split-token-js` in both engines beside the one in Python, and
miniflare, in front of the same origin, in turns: ratios of one run count, not its figures. Then a script is saved while
it is asked: how soon the new one answers, and what failed meanwhile.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from tests.bench import dev, load, tokens
from tests.bench.gateway import Gateway
from tests.bench.processes import ended, free_port, wait_for_line
from tests.bench.rounds import ROOT, miniflare, start_origin

_TOOLS: Final = Path(os.environ.get("EDGEWORKER_NODE_TOOLS") or Path.home() / ".cache" / "edgeworker-node-tools")
_PYTHON: Final = "Python script"
_CONFIG: Final = """name = "gateway"
main = "index.js"
compatibility_date = "2026-04-01"
routes = ["*/*"]
kv_namespaces = [{ binding = "TOKENS", id = "bench" }]
vars = { REALM = "api" }
"""
_ENGINES: Final = ("embedded", "workerd")
_LOADERS: Final = 4


def main() -> int:
    parser = argparse.ArgumentParser(description="Measures JavaScript workers beside Python's.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=1.0, help="of each gateway in each round")
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--starts", type=int, default=1, help="for the median of the first answer")
    options = parser.parse_args()
    with ExitStack() as stack:
        data = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="edgeworker-bench-")))
        made = tokens.make(200)
        tokens.write(made, data / "tokens.json")
        origin = f"http://127.0.0.1:{start_origin(stack, data)}"
        gateways = [_started(stack, _PYTHON, origin, data / "python", made, options.starts)]
        for engine in _ENGINES:
            project(data / engine, engine)
            gateways.append(_started(stack, engine, origin, data / engine, made, options.starts, "--js-engine", engine))
        if (_TOOLS / "node_modules" / "miniflare").is_dir():
            gateways.append(miniflare(stack, _TOOLS, origin, data))
        work = load.Work([one.token for one in made])
        for _ in range(options.rounds):
            for gateway in gateways:
                gateway.measure(work, connections=options.connections, seconds=options.seconds)
        _print(gateways)
    for engine in _ENGINES:
        print(f"{engine}: {reload_under_load(engine)}")
    return 0


def project(folder: Path, engine: str) -> None:
    folder.mkdir()
    worker = ROOT / "scripts" / "templates" / "split-token-js" / "src" / "index.js"
    (folder / "index.js").write_text(worker.read_text("utf-8"), "utf-8")
    (folder / "wrangler.toml").write_text(_CONFIG, "utf-8")
    if engine == "workerd":
        (folder / "node_modules").symlink_to(_TOOLS / "node_modules")


def _started(
    stack: ExitStack, name: str, origin: str, folder: Path, made: list[tokens.Split], starts: int, *more: str
) -> Gateway:
    found = dev.start(stack, origin, folder, made, *more, starts=starts)
    if found is None:
        raise SystemExit(1)
    return Gateway(name, found.port, found.pid, found.first_answer_seconds)


def _print(gateways: list[Gateway]) -> None:
    reference = statistics.median(result.per_second for result in gateways[0].results)
    print(f"{'':14} {'req/s':>8} {'of Python':>10} {'CPU us':>8} {'MB':>6} {'first answer s':>15} {'errors':>7}")
    for gateway in gateways:
        one = gateway.figures()
        started = "-" if one.start_seconds is None else f"{one.start_seconds:.2f}"
        print(
            f"{one.name:14} {one.per_second:8.0f} {one.per_second / reference:10.2f} {one.cpu_us:8.0f} "
            f"{one.memory_mb:6.0f} {started:>15} {one.errors:7}"
        )


def reload_under_load(engine: str) -> str:
    """Saves a script while it is asked by some clients at once."""
    failed: list[str] = []
    asked = [0]
    is_over = threading.Event()
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder, port = Path(name), free_port()
        (folder / "wrangler.toml").write_text('name = "w"\nmain = "index.js"\ncompatibility_date = "2026-04-01"\n')
        if engine == "workerd":
            (folder / "node_modules").symlink_to(_TOOLS / "node_modules")
        _save(folder, "0")
        options = ("--json", "--no-request-log", "--port", str(port), "--api-port", "0", "--js-engine", engine)
        command = [sys.executable, "-m", "edgeworker", "dev", *options]
        process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        stack.enter_context(ended(process))
        wait_for_line(process, "{")

        def ask_until_over() -> None:
            while not is_over.is_set():
                try:
                    _ask(port)
                    asked[0] += 1
                except (OSError, urllib.error.URLError) as error:
                    failed.append(str(error))

        threads = [threading.Thread(target=ask_until_over, daemon=True) for _ in range(_LOADERS)]
        for thread in threads:
            thread.start()
        took = []
        for number in range(1, 4):
            time.sleep(0.3)
            begun = time.perf_counter()
            _save(folder, str(number))
            while _ask(port) != str(number):
                time.sleep(0.005)
            took.append(time.perf_counter() - begun)
        is_over.set()
        for thread in threads:
            thread.join()
    times = ", ".join(f"{seconds:.2f}" for seconds in took)
    return f"saved to first answer of the new code {times} s; {asked[0]} requests meanwhile, {len(failed)} failed"


def _save(folder: Path, text: str) -> None:
    (folder / "index.js").write_text(f"export default {{ fetch: () => new Response({text!r}) }};\n")


def _ask(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=30) as answer:
        content: bytes = answer.read()
    return content.decode()


if __name__ == "__main__":
    raise SystemExit(main())
