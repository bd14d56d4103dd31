"""How long an edge in a test takes, beside miniflare: `uv run python -m tests.bench.harness`.

miniflare takes part where EDGEWORKER_NODE_TOOLS names a folder in which `npm install miniflare node@22` was run.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edgeworker.testing import Edge

TESTS: Final = 1000
ROUNDS: Final = 200
WRANGLER: Final = """
name = "bench"
main = "worker.py"
compatibility_date = "2026-04-01"
compatibility_flags = ["python_workers"]
[[kv_namespaces]]
binding = "KV"
id = "0123456789abcdef0123456789abcdef"
"""
SCRIPT: Final = """
from workers import Response, WorkerEntrypoint


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return Response(await self.env.KV.get("k") or "nothing")
"""
SUITE: Final = f"""
import pytest


@pytest.mark.parametrize("number", range({TESTS}))
def test_one(edge, kv, number):
    kv().put("k", str(number))
    assert edge.get("/").text == str(number)
"""
IMPORT: Final = """
import time
begun = time.perf_counter()
from edgeworker.testing import Edge
print(time.perf_counter() - begun)
"""


@dataclass(frozen=True, slots=True)
class Figure:
    """In milliseconds, but `seconds`. `target` is the issue's; `miniflare` is the same work there."""

    text: str
    value: float
    unit: str = "ms"
    target: float | None = None
    miniflare: float | None = None

    @property
    def line(self) -> str:
        target = "" if self.target is None else f"under {self.target:g} {self.unit}"
        other = "" if self.miniflare is None else f"{self.miniflare:10.2f} {self.unit}"
        return f"{self.text:<58}{self.value:10.2f} {self.unit:<3} {target:<12}{other:>14}"

    @property
    def missed(self) -> bool:
        return self.target is not None and self.value >= self.target


def timed(work: Callable[[], object], rounds: int) -> float:
    """The median, in milliseconds."""
    took = []
    for _ in range(rounds):
        begun = time.perf_counter()
        work()
        took.append((time.perf_counter() - begun) * 1000)
    return statistics.median(took)


def started_and_asked(file: Path) -> None:
    with Edge(file) as edge:
        assert edge.get("/").text == "nothing"


def suite(folder: Path) -> float:
    """Seconds for all tests, on two processes."""
    (folder / "test_bench.py").write_text(SUITE)
    begun = time.perf_counter()
    options = ["-q", "-n", "2", "-p", "no:cacheprovider", "-o", "addopts="]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options], cwd=folder, capture_output=True, text=True, check=False
    )
    took = time.perf_counter() - begun
    if f"{TESTS} passed" not in done.stdout:
        raise SystemExit(done.stdout + done.stderr)
    return took


def miniflare() -> dict[str, float] | None:
    """None where it is not installed."""
    tools = os.environ.get("EDGEWORKER_NODE_TOOLS")
    if not tools:
        return None
    own = Path(tools) / "node_modules" / "node" / "bin" / "node"
    node = str(own) if own.exists() else shutil.which("node")
    if node is None or not (Path(tools) / "node_modules" / "miniflare").is_dir():
        return None
    program = Path(__file__).with_name("harness_miniflare.mjs")
    done = subprocess.run([node, program, tools], capture_output=True, text=True, check=True)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def main() -> None:
    other = miniflare() or {}
    imported = float(subprocess.run([sys.executable, "-c", IMPORT], capture_output=True, text=True, check=True).stdout)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = folder / "wrangler.toml"
        file.write_text(WRANGLER)
        (folder / "worker.py").write_text(SCRIPT)
        started_and_asked(file)
        start = timed(lambda: started_and_asked(file), ROUNDS)
        with Edge(file) as edge:
            dispatch = timed(lambda: edge.get("/"), ROUNDS * 10)
        seconds = suite(folder)
    figures = [
        Figure("import of edgeworker.testing.Edge, once a process", imported * 1000),
        Figure("an edge made, asked once and closed", start, target=10, miniflare=other.get("start")),
        Figure("one more request to it", dispatch, miniflare=other.get("dispatch")),
        Figure(f"{TESTS} tests with an edge each, pytest -n 2", seconds, "s", target=15),
    ]
    print(f"{'':<58}{'edgeworker':>13} {'target':<12}{'miniflare' if other else 'no miniflare':>14}")
    for figure in figures:
        print(figure.line)
    if any(figure.missed for figure in figures):
        sys.exit(1)


if __name__ == "__main__":
    main()
