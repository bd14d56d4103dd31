"""What KV does per second, and the ratio to miniflare's KV: `uv run python -m tests.bench.kv`.

For the ratio: `--node NODE --node-modules DIR`, where DIR has miniflare, and NODE is a version that it runs on
(`npm install miniflare node@22` brings both). `--keys 20000` instead of a million for a short run.
"""

import argparse
import asyncio
import json
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edgeworker.bindings.kv.python_view import KVView
from edgeworker.clock import SystemClock
from edgeworker.kv.namespace import KVNamespace
from edgeworker.kv.sqlite import SQLiteStore
from edgeworker.kv.sqlite.connection import connect_for_writing, create
from edgeworker.kv.sqlite.writes import put
from edgeworker.kv.store import Entry

VALUE: Final = b"x" * 300
LARGE_BYTES: Final = 25 * 1024 * 1024
READS: Final = 50_000


@dataclass(frozen=True, slots=True)
class Figure:
    """`step` names the same work of kv_miniflare.mjs; `cpu` is `value` per second of processor time, 0 for unknown.

    The two differ by what others do on the machine, and by waiting for the disk.
    """

    text: str
    value: float
    unit: str
    target: str = ""
    step: str = ""
    cpu: float = 0


def key(number: int) -> str:
    return f"key{number:040}"


async def fill(store: SQLiteStore, count: int) -> float:
    """Writes `count` keys in batches, as an import does; returns seconds."""
    begun = time.perf_counter()
    for first in range(0, count, 1000):
        await store.put_many("ns", [(key(number), Entry(VALUE)) for number in range(first, min(first + 1000, count))])
    return time.perf_counter() - begun


async def reads(get: Callable[[str], Awaitable[object]], count: int) -> tuple[float, float]:
    """Reads per second, and per second of this thread's processor time, of the best of three rounds; keys in no order.

    The two are the same on a machine that does nothing else: a point read waits for no one.
    """
    # A prime step walks over all keys without two neighbours following each other.
    names = [key(number * 7_919_017 % count) for number in range(READS)]
    best = best_cpu = 0.0
    for _ in range(3):
        begun, begun_cpu = time.perf_counter(), time.thread_time()
        for name in names:
            if await get(name) is None:
                raise SystemExit(f"{name} is missing")
        best = max(best, READS / (time.perf_counter() - begun))
        best_cpu = max(best_cpu, READS / (time.thread_time() - begun_cpu))
    return best, best_cpu


async def writes(namespace: KVNamespace, writers: int, count: int) -> tuple[float, float]:
    """Puts per second, each acknowledged, and per second of this process's processor time.

    No two write the same: SQLite puts nothing on the disk, and waits for nothing, where a row stays as it is.
    """
    numbers = iter(range(count))

    async def write() -> None:
        for number in numbers:
            await namespace.put(key(number % 1000), b"%d" % number + VALUE)

    begun, begun_cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(write() for _ in range(writers)))
    return count / (time.perf_counter() - begun), count / (time.process_time() - begun_cpu)


async def commits(folder: Path, count: int) -> tuple[float, float]:
    """Milliseconds of one put, "full", and of the same statement alone in this thread: the median of puts that take
    turns, because what a disk does in one second says nothing about the next one."""
    store = SQLiteStore.open(folder / "ours.sqlite", durability="full")
    create(folder / "bare.sqlite")
    bare = connect_for_writing(folder / "bare.sqlite", "full")
    took: tuple[list[float], list[float]] = ([], [])
    for number in range(count):
        name, entry = key(number % 500), Entry(b"%d" % number + VALUE)
        begun = time.perf_counter()
        await store.put("ns", name, entry)
        between = time.perf_counter()
        bare.execute("BEGIN IMMEDIATE")
        put(bare, "ns", name, entry)
        bare.execute("COMMIT")
        took[0].append((between - begun) * 1000)
        took[1].append((time.perf_counter() - between) * 1000)
    bare.close()
    await store.close()
    return statistics.median(took[0]), statistics.median(took[1])


def bare_reads(file: Path, count: int) -> float:
    """Point reads per second of processor time of SQLite through Python alone: what nothing of ours can exceed."""
    statement = "SELECT value, expires_at, metadata, large FROM entries WHERE namespace = 1 AND key = ?"
    names = [key(number * 7_919_017 % count).encode() for number in range(READS)]
    best = 0.0
    with closing(sqlite3.connect(file)) as connection:
        for _ in range(3):
            begun = time.thread_time()
            for name in names:
                connection.execute(statement, (name,)).fetchone()
            best = max(best, READS / (time.thread_time() - begun))
    return best


async def lists(namespace: KVNamespace) -> float:
    """Milliseconds of a page of 1,000 keys, the median of some."""
    took = []
    cursor: str | None = None
    for _ in range(11):
        begun = time.perf_counter()
        page = await namespace.list(limit=1000, cursor=cursor)
        took.append((time.perf_counter() - begun) * 1000)
        cursor = page.cursor
    return sorted(took)[len(took) // 2]


async def _pieces() -> AsyncIterator[bytes]:
    for _ in range(LARGE_BYTES // 65536):
        yield b"x" * 65536


def peak_kib() -> int:
    """The most memory that this process has had (not its parents', as getrusage tells after a fork)."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0])


async def stream(folder: Path) -> tuple[float, float]:
    """Milliseconds and extra MiB of memory for 25 MiB in and out again. In a process of its own; needs Linux."""
    store = SQLiteStore.open(folder / "stream.sqlite", durability="normal")
    namespace = KVNamespace(store, "ns", SystemClock())
    await namespace.put("small", b"x" * 100_000)  # what is needed for any write is there now
    before = peak_kib()
    begun = time.perf_counter()
    await namespace.put("large", _pieces())
    found = await namespace.get_stream("large")
    size = 0
    if found is not None:
        async for piece in found.pieces:
            size += len(piece)
    took = (time.perf_counter() - begun) * 1000
    if size != LARGE_BYTES:
        raise SystemExit(f"{size} bytes came back")
    extra = (peak_kib() - before) / 1024
    await store.close()
    return took, extra


async def whole(namespace: KVNamespace) -> float:
    """Milliseconds for 25 MiB in and out again as bytes."""
    content = b"x" * LARGE_BYTES
    begun = time.perf_counter()
    await namespace.put("large", content)
    if await namespace.get("large") != content:
        raise SystemExit("the large value did not come back")
    return (time.perf_counter() - begun) * 1000


async def measure(folder: Path, keys: int) -> list[Figure]:
    figures: list[Figure] = []
    clock = SystemClock()
    for count in (1000, keys):
        store = SQLiteStore.open(folder / f"{count}.sqlite", durability="normal")
        namespace = KVNamespace(store, "ns", clock)
        took = await fill(store, count)
        bare = bare_reads(folder / f"{count}.sqlite", count)
        per_second, per_cpu_second = await reads(namespace.get, count)
        in_worker, in_worker_cpu = await reads(KVView(namespace).get, count)
        small = count == 1000
        target = "100,000" if small else "50,000"
        figures += [
            Figure(f"point read, {count:,} keys, bare SQLite", bare, "/s", cpu=bare),
            Figure(
                f"point read, {count:,} keys, KVNamespace",
                per_second,
                "/s",
                step="read" if small else "",
                cpu=per_cpu_second,
            ),
            Figure(
                f"point read, {count:,} keys, in a worker",
                in_worker,
                "/s",
                target,
                "read" if small else "",
                in_worker_cpu,
            ),
        ]
        if small:
            figures.append(Figure("list of 1,000 of 1,000 keys", await lists(namespace), "ms", step="list"))
        else:
            figures.append(Figure(f"list of 1,000 of {count:,} keys", await lists(namespace), "ms", "< 10"))
            figures.append(Figure(f"import of {count:,} keys, 1,000 a batch", took, "s", "< 60 a million"))
        await store.close()
    for durability in ("normal", "full"):
        store = SQLiteStore.open(
            folder / f"{durability}.sqlite", durability="full" if durability == "full" else "normal"
        )
        namespace = KVNamespace(store, "ns", clock)
        alone, alone_cpu = await writes(namespace, 1, 5000 if durability == "normal" else 1000)
        many, many_cpu = await writes(namespace, 64, 40_000 if durability == "normal" else 20_000)
        target = "20,000" if durability == "normal" else ""
        figures += [
            Figure(f"put, {durability}, 1 writer", alone, "/s", step="put1", cpu=alone_cpu),
            Figure(f"put, {durability}, 64 writers", many, "/s", target, "put64", many_cpu),
        ]
        if durability == "full":
            figures.append(Figure("put, full, 64 writers to 1 writer", many / alone, "x", "> 10"))
            ours, least = await commits(folder, 500)
            figures.append(Figure("put, full, 1 writer, median", ours, "ms"))
            figures.append(Figure("  the same statement in one thread, in turns", least, "ms"))
        else:
            figures.append(Figure("25 MiB as bytes, in and out", await whole(namespace), "ms", step="large"))
        await store.close()
    return figures


def measure_stream() -> list[Figure]:
    command = [sys.executable, "-m", "tests.bench.kv", "--stream"]
    took, extra = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return [
        Figure("25 MiB as a stream, in and out", took, "ms", step="large"),
        Figure("25 MiB as a stream, extra memory", extra, "MiB", "< 16"),
    ]


def miniflare(node: str, node_modules: str) -> dict[str, float]:
    script = str(Path(__file__).parent / "kv_miniflare.mjs")
    result = subprocess.run([node, script, node_modules], check=True, capture_output=True, text=True)
    figures: dict[str, float] = json.loads(result.stdout.splitlines()[-1])
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description="What KV does per second.")
    parser.add_argument("--keys", type=int, default=1_000_000)
    parser.add_argument("--node", default=shutil.which("node"), help="a Node that miniflare runs on")
    parser.add_argument("--node-modules", help="where miniflare is installed")
    parser.add_argument("--stream", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if options.stream:
            print(json.dumps(asyncio.run(stream(Path(folder)))))
            return
        figures = [*asyncio.run(measure(Path(folder), options.keys)), *measure_stream()]
    other = {}
    if options.node and options.node_modules:
        other = miniflare(options.node, options.node_modules)
    print(f"{'':<46}{'':>12}{'':<6}{'per CPU s':>12}{'target':>16}{'miniflare':>12}{'ratio':>8}")
    for figure in figures:
        cpu = f"{figure.cpu:,.0f}" if figure.cpu else ""
        line = f"{figure.text:<46}{figure.value:>12,.1f} {figure.unit:<5}{cpu:>12}{figure.target:>16}"
        if figure.step in other:
            theirs = other[figure.step]
            ratio = figure.value / theirs if figure.unit == "/s" else theirs / figure.value
            line += f"{theirs:>12,.1f}{ratio:>7.1f}x"
        print(line)


if __name__ == "__main__":
    main()
