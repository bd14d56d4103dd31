"""Writes to a store as fast as it can and prints the number of each write once it is acknowledged, until it is killed.

python crash_writer.py FILE DURABILITY PREFIX
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from edgeworker.kv.sqlite import SQLiteStore
from edgeworker.kv.store import Entry

WRITERS = 8


def value(number: int) -> bytes:
    """Each tenth one is large and lies in several rows."""
    return f"{number}|".encode() * (30_000 if number % 10 == 0 else 3)


async def _write(store: SQLiteStore, prefix: str, writer: int) -> None:
    for number in range(writer, 1_000_000, WRITERS):
        if number % 20 == 0:
            await store.put_stream("ns", f"{prefix}{number}", _pieces(value(number)), metadata=str(number))
        else:
            await store.put("ns", f"{prefix}{number}", Entry(value(number), metadata=str(number)))
        if number % 7 == 0:
            await store.delete("ns", [f"{prefix}{number}"])
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()


async def _pieces(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), 50_000):
        yield content[start : start + 50_000]


async def _main(path: str, durability: str, prefix: str) -> None:
    store = SQLiteStore.open(Path(path), durability="full" if durability == "full" else "normal")
    await asyncio.gather(*(_write(store, prefix, writer) for writer in range(WRITERS)))


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))
