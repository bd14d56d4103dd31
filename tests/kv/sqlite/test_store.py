"""What only the SQLite store does; the rest is the contract, tests/kv/test_store.py."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from edgeworker.errors import StoreError
from edgeworker.kv.sqlite import SQLiteStore, connection
from edgeworker.kv.store import LATER, Entry

LARGE = Entry(bytes(range(256)) * 1024)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "kv.sqlite"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[SQLiteStore]:
    opened = SQLiteStore.open(path, durability="normal")
    yield opened
    await opened.close()


async def test_entries_are_there_after_a_restart(path: Path) -> None:
    first = SQLiteStore.open(path, durability="full")
    await first.put("ns", "k", Entry(b"v", 100, "{}"))
    await first.put("ns", "large", LARGE)
    await first.close()
    second = SQLiteStore.open(path, durability="full")

    assert await second.get("ns", "k", now=0) == Entry(b"v", 100, "{}")
    assert await second.get("ns", "large", now=0) == LARGE
    await second.close()


async def test_closing_leaves_the_database_and_the_mark_of_its_changes(store: SQLiteStore, path: Path) -> None:
    await store.put("ns", "k", Entry(b"v"))
    await store.get("ns", "k", now=0)
    await store.list_keys("ns", prefix="", after="", limit=1000, now=0)
    await store.close()

    assert sorted(file.name for file in path.parent.iterdir()) == ["kv.changes", path.name]


async def test_a_closed_store_says_so(store: SQLiteStore) -> None:
    await store.close()
    await store.close()

    for call in (
        store.get("ns", "k", now=0),
        store.put("ns", "k", Entry(b"")),
        store.list_keys("ns", prefix="", after="", limit=1, now=0),
        store.list_keys("ns", prefix="", after="", limit=1000, now=0),
        store.namespaces.all(),
    ):
        with pytest.raises(StoreError, match="closed"):
            await call


async def test_another_ones_writes_are_seen_at_once(store: SQLiteStore, path: Path) -> None:
    other = SQLiteStore.open(path, durability="normal")
    for value in (b"1", b"2", LARGE.value, b"3"):
        await other.put("ns", "k", Entry(value))
        assert await store.get("ns", "k", now=0) == Entry(value)

    await other.delete("ns", ["k"])
    assert await store.get("ns", "k", now=0) is None
    await other.close()


async def test_reading_holds_no_snapshot(store: SQLiteStore, path: Path) -> None:
    await store.put("ns", "k", LARGE)
    await store.get("ns", "k", now=0)
    entry = await store.stream("ns", "k", now=0)
    assert entry is not None
    await anext(entry.pieces)
    await store.list_keys("ns", prefix="", after="", limit=1000, now=0)

    with closing(sqlite3.connect(path)) as other:
        busy, _, _ = other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    assert busy == 0


async def test_a_locked_file_is_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "BUSY_SECONDS", 0.05)
    connection.create(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")

        with pytest.raises(StoreError, match="is locked by another program"):
            SQLiteStore.open(path, durability="normal")


async def test_a_long_list_moves_out_of_the_event_loop(store: SQLiteStore) -> None:
    # The keys that are gone must all be walked over, which takes too many steps for the loop.
    await store.put_many("ns", [(f"{number:05}", Entry(b"", expires_at=1)) for number in range(20_000)])
    await store.put("ns", "z", Entry(b""))
    loop = asyncio.get_running_loop()
    turns: list[int] = []
    loop.call_soon(turns.append, 1)

    listed = await store.list_keys("ns", prefix="", after="", limit=10, now=10)

    assert [key.name for key in listed] == ["z"]
    assert turns == [1]


def _damage(path: Path) -> None:
    """Overwrites the head of each page but the first two."""
    content = bytearray(path.read_bytes())
    for page in range(2, len(content) // 4096):
        content[page * 4096 : page * 4096 + 200] = b"\xa5" * 200
    path.write_bytes(content)


async def test_a_damaged_file_is_told_and_nothing_is_made_up(path: Path) -> None:
    first = SQLiteStore.open(path, durability="normal")
    await first.put_many("ns", [(f"key{number:05}", Entry(b"x" * 300)) for number in range(2000)])
    await first.close()
    _damage(path)
    store = SQLiteStore.open(path, durability="normal")

    with pytest.raises(StoreError, match="is damaged"):
        await store.get("ns", "key00500", now=0)
    with pytest.raises(StoreError, match="is damaged"):
        await store.list_keys("ns", prefix="", after="", limit=1000, now=0)
    with pytest.raises(StoreError, match="is damaged"):
        await store.put("ns", "new", Entry(b"x"))
    await store.close()


async def test_a_broken_stream_leaves_rows_that_a_sweep_removes(store: SQLiteStore, path: Path) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"x" * 3_000_000
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await store.put_stream("ns", "k", broken())
    assert await store.sweep(now=1000) == 0
    while await store.sweep(now=1600):
        pass

    with closing(sqlite3.connect(path)) as other:
        assert other.execute("SELECT count(*) FROM chunks").fetchone() == (0,)
        assert other.execute("SELECT count(*) FROM large_values").fetchone() == (0,)


async def test_a_reader_who_is_too_slow_is_told(store: SQLiteStore) -> None:
    await store.put("ns", "k", LARGE)
    entry = await store.stream("ns", "k", now=0)
    assert entry is not None
    await anext(entry.pieces)
    await store.delete("ns", ["k"])
    await store.sweep(now=1000)
    while await store.sweep(now=1600):
        pass

    with pytest.raises(StoreError, match="read it again"):
        await anext(entry.pieces)


async def test_a_small_value_is_told_without_waiting_and_a_large_one_is_not(tmp_path: Path) -> None:
    store = SQLiteStore.open(tmp_path / "kv.sqlite", durability="normal")
    await store.put_many("ns", [("small", Entry(b"v", 100, "1")), ("large", Entry(b"x" * 100_000))])

    assert store.peek("ns", "small", now=99) == b"v"
    assert store.peek("ns", "small", now=100) is None
    assert store.peek("ns", "missing", now=0) is None
    assert store.peek("ns", "large", now=0) is LATER
    assert store.peek_entry("ns", "small", now=99) == await store.get("ns", "small", now=99)
    assert store.peek_entry("ns", "small", now=100) is None
    assert store.peek_entry("ns", "missing", now=0) is None
    assert store.peek_entry("ns", "large", now=0) is LATER
    await store.close()


@pytest.mark.parametrize("removed", ["kv.sqlite", "kv.sqlite-wal"])
async def test_a_write_to_a_file_that_was_removed_is_not_acknowledged(
    store: SQLiteStore, path: Path, removed: str
) -> None:
    await store.put("ns", "before", Entry(b"v"))
    _remove(path.with_name(removed))

    with pytest.raises(StoreError, match=f"{removed}: was removed or replaced"):
        await store.put("ns", "k", Entry(b"v"))


async def test_a_write_to_a_file_that_was_replaced_is_not_acknowledged(store: SQLiteStore, path: Path) -> None:
    await store.put("ns", "before", Entry(b"v"))
    _replace_with_a_copy(path)

    with pytest.raises(StoreError, match="was removed or replaced"):
        await store.put("ns", "k", Entry(b"v"))


def _remove(file: Path) -> None:
    file.unlink()


def _replace_with_a_copy(file: Path) -> None:
    copy = file.with_name("other.sqlite")
    copy.write_bytes(file.read_bytes())
    copy.replace(file)
