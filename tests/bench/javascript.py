"""Measures JavaScript workers: `uv run python -m tests.bench.javascript` (`--help` for more).

The split-token gateway of `edgeworker init --template split-token-js` in both engines beside the one in Python, workerd
by itself, and miniflare, in front of the same origin, in turns: ratios of one run count, not its figures. Then a small
project is started a few times with each engine, in turns. Then a script is saved while it is asked: how soon the new
one answers, and what failed meanwhile.
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
from tests.bench.bare_workerd import bare_workerd
from tests.bench.gateway import Gateway
from tests.bench.processes import cpu_seconds, ended, free_port, wait_for_line
from tests.bench.rounds import ROOT, miniflare, start_origin
from tests.bench.verdicts import BUSY_SPREAD

_TOOLS: Final = Path(os.environ.get("EDGEWORKER_NODE_TOOLS") or Path.home() / ".cache" / "edgeworker-node-tools")
_PYTHON: Final = "Python script"
_CONFIG: Final = """name = "gateway"
main = "index.js"
compatibility_date = "2026-04-01"
routes = ["*/*"]
kv_namespaces = [{ binding = "TOKENS", id = "bench" }]
vars = { REALM = "api" }
"""
ENGINES: Final = ("embedded", "workerd")
_LOADERS: Final = 4
_OF_PYTHON: Final = 0.5  # of the Python script's throughput, each engine's target
_FIRST_ANSWER_SECONDS: Final = {"embedded": 0.4, "workerd": 0.8}
_SCRIPT: Final = ROOT / "scripts" / "templates" / "split-token-js" / "src" / "index.js"


def main() -> int:
    parser = argparse.ArgumentParser(description="Measures JavaScript workers beside Python's.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=1.0, help="of each gateway in each round")
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--starts", type=int, default=5, help="for the median of the first answer")
    options = parser.parse_args()
    with ExitStack() as stack:
        data = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="edgeworker-bench-")))
        made = tokens.make(200)
        tokens.write(made, data / "tokens.json")
        origin = f"http://127.0.0.1:{start_origin(stack, data)}"
        gateways = [_started(stack, _PYTHON, origin, data / "python", made)]
        for engine in ENGINES:
            write_gateway(data / engine, engine)
            gateways.append(_started(stack, engine, origin, data / engine, made, "--js-engine", engine))
        bare = bare_workerd(stack, _TOOLS, _SCRIPT, origin, data / "bare", made)
        gateways += [] if bare is None else [bare]
        if (_TOOLS / "node_modules" / "miniflare").is_dir():
            gateways.append(miniflare(stack, _TOOLS, origin, data))
        work = load.Work([one.token for one in made])
        for _ in range(options.rounds):
            for gateway in gateways:
                gateway.measure(work, connections=options.connections, seconds=options.seconds)
        _print(gateways)
    print_first_answers(options.starts)
    for engine in ENGINES:
        print(f"{engine}: {reload_under_load(engine)}")
    return 0


def write_gateway(folder: Path, engine: str) -> None:
    folder.mkdir()
    (folder / "index.js").write_text(_SCRIPT.read_text("utf-8"), "utf-8")
    (folder / "wrangler.toml").write_text(_CONFIG, "utf-8")
    if engine == "workerd":
        (folder / "node_modules").symlink_to(_TOOLS / "node_modules")


def _started(stack: ExitStack, name: str, origin: str, folder: Path, made: list[tokens.Split], *more: str) -> Gateway:
    found = dev.start(stack, origin, folder, made, *more, starts=0)
    if found is None:
        raise SystemExit(1)
    return Gateway(name, found.port, found.pid)


def _print(gateways: list[Gateway]) -> None:
    reference = gateways[0].figures()
    print(
        f"{'':14} {'req/s':>8} {'of Python':>10} {'CPU us':>8} {'of Python':>10} {'spread':>7} {'MB':>6} {'errors':>7}"
    )
    for gateway in gateways:
        one = gateway.figures()
        print(
            f"{one.name:14} {one.per_second:8.0f} {one.per_second / reference.per_second:10.2f} {one.cpu_us:8.0f} "
            f"{one.cpu_us / reference.cpu_us:10.2f} {one.spread:7.0%} {one.memory_mb:6.0f} {one.errors:7}"
        )
    found = [gateway.figures() for gateway in gateways if gateway.name in (_PYTHON, *ENGINES)]
    busy = [one for one in found if one.spread > BUSY_SPREAD]
    if busy or len(gateways[0].results) < 3:
        print("No verdict on throughput: the machine is busy (see the spread of the CPU time), or too few rounds.")
        return
    for one in found[1:]:
        ratio = one.per_second / reference.per_second
        print(f"{one.name}: {ratio:.2f} of the Python script ({_verdict(is_met=ratio >= _OF_PYTHON)} {_OF_PYTHON:g})")


def _verdict(*, is_met: bool) -> str:
    return "within the target of" if is_met else "MISSES the target of"


def print_first_answers(starts: int) -> None:
    """From the start of `edgeworker dev` on a project of one line to its first answer; the first start of each engine,
    which writes Python's byte code, does not count."""
    times: dict[str, list[tuple[float, float]]] = {engine: [] for engine in ENGINES}
    with tempfile.TemporaryDirectory(prefix="edgeworker-bench-") as name:
        for engine in ENGINES:
            _small_project(Path(name) / engine, engine)
        for _ in range(starts + 1):
            for engine in ENGINES:
                times[engine].append(_first_answer(Path(name) / engine, engine))
    for engine, took in times.items():
        seconds = statistics.median(wall for wall, _ in took[1:])
        cpu = statistics.median(cpu for _, cpu in took[1:])
        target = _FIRST_ANSWER_SECONDS[engine]
        print(
            f"{engine}: start to first answer {seconds:.2f} s ({_verdict(is_met=seconds <= target)} {target:g} s), "
            f"of which {cpu:.2f} s are its own CPU time; median of {starts}"
        )


def _small_project(folder: Path, engine: str) -> None:
    folder.mkdir()
    (folder / "wrangler.toml").write_text('name = "w"\nmain = "index.js"\ncompatibility_date = "2026-04-01"\n')
    if engine == "workerd":
        (folder / "node_modules").symlink_to(_TOOLS / "node_modules")
    _save(folder, "0")


def _first_answer(folder: Path, engine: str) -> tuple[float, float]:
    """The seconds until it, and the CPU time of all processes until then."""
    port = free_port()
    options = ("--no-request-log", "--port", str(port), "--api-port", "0", "--js-engine", engine)
    environment = dev.environment_of(None) | {"PYTHONPYCACHEPREFIX": str(folder.parent / "pycache")}
    begun = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "edgeworker", "dev", *options],
        cwd=folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with ended(process):
        if not dev.wait_for_answer(process, port):
            raise SystemExit(f"edgeworker dev --js-engine {engine} ended before its first answer")
        return time.perf_counter() - begun, cpu_seconds(process.pid)


def reload_under_load(engine: str) -> str:
    """Saves a script while it is asked by some clients at once."""
    failed: list[str] = []
    asked = [0]
    is_over = threading.Event()
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder, port = Path(name), free_port()
        _small_project(folder / "w", engine)
        folder /= "w"
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
