"""What was acknowledged is there after `kill -9`, whenever that comes.

EDGEWORKER_CRASHES sets how many processes are killed.
"""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from edgeworker.kv.sqlite import SQLiteStore
from edgeworker.kv.store import Entry
from tests.kv.sqlite import crash_writer

CRASHES = int(os.environ.get("EDGEWORKER_CRASHES", "3"))


def _writer(path: Path, durability: str, prefix: str) -> "subprocess.Popen[bytes]":
    arguments = [sys.executable, crash_writer.__file__, str(path), durability, prefix]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE)


def _killed_after(process: "subprocess.Popen[bytes]", writes: int) -> list[int]:
    """The numbers of the writes that were acknowledged before the process was killed."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if len(lines) == writes:
            process.kill()
    process.stdout.close()
    assert process.wait() == -9
    return [int(line) for line in lines if line.endswith(b"\n")]


@pytest.mark.parametrize("durability", ["normal", "full"])
async def test_no_acknowledged_write_is_lost_by_kill_9(tmp_path: Path, durability: str) -> None:
    path = tmp_path / "kv.sqlite"
    acknowledged: dict[str, int] = {}
    for crash in range(CRASHES):
        # Two at once, so that the one that goes on meets what the other one left.
        first, second = (_writer(path, durability, f"{crash}.{place}.") for place in (0, 1))
        for place, process in enumerate((first, second)):
            numbers = _killed_after(process, 20 + 37 * crash % 300)
            acknowledged.update((f"{crash}.{place}.{number}", number) for number in numbers)

    store = SQLiteStore.open(path, durability="normal")
    assert len(acknowledged) >= 2 * 20 * CRASHES
    for key, number in acknowledged.items():
        expected = None if number % 7 == 0 else Entry(crash_writer.value(number), metadata=str(number))
        assert await store.get("ns", key, now=0) == expected, key
    # A write that was not acknowledged is there whole or not at all.
    after = ""
    while listed := await store.list_keys("ns", prefix="", after=after, limit=1000, now=0):
        for listing in listed:
            entry = await store.get("ns", listing.name, now=0)
            assert entry is not None
            assert entry.value == crash_writer.value(int(listing.name.rpartition(".")[2]))
        after = listed[-1].name
    await store.close()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


async def test_two_processes_write_to_one_file_at_the_same_time(tmp_path: Path) -> None:
    path = tmp_path / "kv.sqlite"
    store = SQLiteStore.open(path, durability="normal")
    other = _writer(path, "normal", "other.")
    assert other.stdout is not None
    seen = 0
    for number in range(200):
        await store.put("ns", f"mine.{number}", Entry(b"v"))
        line = other.stdout.readline()
        written = int(line)
        if written % 7:
            assert await store.get("ns", f"other.{written}", now=0) is not None
            seen += 1
    other.kill()
    other.stdout.close()
    other.wait()

    assert seen > 100
    assert len(await store.list_keys("ns", prefix="mine.", after="", limit=1000, now=0)) == 200
    await store.close()
