"""What was read lately is never older than what any writer has acknowledged."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from edgeworker.kv.sqlite import SQLiteStore, recent
from edgeworker.kv.sqlite.recent import RecentRows
from edgeworker.kv.store import Entry
from tests.patience import PATIENCE_SECONDS


@pytest.fixture(autouse=True)
def only_the_mark_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent, "RECHECK_SECONDS", PATIENCE_SECONDS)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "kv.sqlite"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[SQLiteStore]:
    opened = SQLiteStore.open(path, durability="normal")
    yield opened
    await opened.close()


@pytest.fixture
async def other(path: Path, store: SQLiteStore) -> AsyncIterator[SQLiteStore]:
    """As another process has it: nothing but the files is shared."""
    opened = SQLiteStore.open(path, durability="normal")
    yield opened
    await opened.close()


async def test_each_acknowledged_write_is_seen_by_the_next_read(store: SQLiteStore, other: SQLiteStore) -> None:
    for number in range(100):
        writer = other if number % 2 else store
        value = b"%d" % number
        await writer.put("ns", "k", Entry(value))

        assert [one.peek("ns", "k", now=0) for one in (store, other, store, other)] == [value] * 4


@pytest.mark.parametrize("by_other", [False, True])
async def test_what_was_deleted_is_gone_at_once(store: SQLiteStore, other: SQLiteStore, *, by_other: bool) -> None:
    await store.put("ns", "k", Entry(b"v"))
    assert store.peek("ns", "k", now=0) == store.peek("ns", "k", now=0) == b"v"

    await (other if by_other else store).delete("ns", ["k"])

    assert store.peek("ns", "k", now=0) is None


async def test_a_deleted_namespace_is_gone_at_once(store: SQLiteStore, other: SQLiteStore) -> None:
    await store.put("ns", "k", Entry(b"v"))
    assert store.peek("ns", "k", now=0) == b"v"

    await other.namespaces.delete("ns")

    assert store.peek("ns", "k", now=0) is None


async def test_what_was_read_before_expires_in_its_second(store: SQLiteStore) -> None:
    await store.put("ns", "k", Entry(b"v", expires_at=100, metadata="{}"))

    assert store.peek_entry("ns", "k", now=99) == store.peek_entry("ns", "k", now=99) == Entry(b"v", 100, "{}")
    assert store.peek("ns", "k", now=100) is None
    assert store.peek("ns", "k", now=99) == b"v"


async def test_keys_of_two_namespaces_stay_apart(store: SQLiteStore) -> None:
    await store.put("a", "k", Entry(b"of a"))
    await store.put("b", "k", Entry(b"of b"))

    assert [store.peek(namespace, "k", now=0) for namespace in "abab"] == [b"of a", b"of b"] * 2


async def test_what_a_program_without_the_mark_wrote_is_seen_at_the_next_look(
    store: SQLiteStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recent, "RECHECK_SECONDS", 0)
    await store.put("ns", "k", Entry(b"old"))
    assert store.peek("ns", "k", now=0) == b"old"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE entries SET value = ?", (b"new",))
        connection.commit()

    assert store.peek("ns", "k", now=0) == b"new"


async def test_a_mark_that_another_program_cut_ends_no_process_and_hides_no_write(
    store: SQLiteStore, other: SQLiteStore, path: Path
) -> None:
    await store.put("ns", "k", Entry(b"old"))
    assert store.peek("ns", "k", now=0) == b"old"

    path.with_name("kv.changes").write_bytes(b"")  # as `cp` of a backup does first; mapped, it would be SIGBUS
    assert store.peek("ns", "k", now=0) == b"old"
    await other.put("ns", "k", Entry(b"new"))

    assert store.peek("ns", "k", now=0) == b"new"


async def test_without_a_mark_each_read_asks_the_database(path: Path) -> None:
    path.with_name("kv.changes").mkdir()  # so none can be made
    store = SQLiteStore.open(path, durability="normal")
    await store.put("ns", "k", Entry(b"old"))
    assert store.peek("ns", "k", now=0) == b"old"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE entries SET value = ?", (b"new",))
        connection.commit()

    assert store.peek("ns", "k", now=0) == b"new"
    await store.close()


async def test_a_database_that_cannot_be_asked_is_not_answered_for(store: SQLiteStore, path: Path) -> None:
    await store.put("ns", "k", Entry(b"v"))

    def fail() -> int:
        raise sqlite3.OperationalError

    rows = RecentRows(path, fail)
    assert rows.find(("ns", "k")) is None
    rows.add(("ns", "k"), (b"v", None, None, None))

    assert rows.find(("ns", "k")) is None
    rows.close()


async def test_what_is_kept_is_bounded(store: SQLiteStore, path: Path) -> None:
    rows = RecentRows(path, lambda: 1)
    rows.find(("ns", "k"))
    value = bytes(8 * 1024)
    for number in range(5000):
        rows.add(("ns", str(number)), (value, None, "m" * 1024, None))
    rows.add(("ns", "long"), (value + b"x", None, None, None))

    kept = [number for number in range(5000) if rows.find(("ns", str(number))) is not None]

    assert 4999 in kept
    assert len(kept) <= 4 * 1024 * 1024 / len(value)
    assert rows.find(("ns", "long")) is None
    rows.close()


async def test_the_data_version_is_another_one_after_each_write(store: SQLiteStore, other: SQLiteStore) -> None:
    versions = [store.data_version()]
    for writer in (store, other):
        assert store.data_version() == versions[-1]
        await writer.put("ns", "k", Entry(b"v"))
        versions.append(store.data_version())
        await writer.delete("ns", ["k"])
        versions.append(store.data_version())

    assert None not in versions
    assert len(set(versions)) == 5


async def test_there_is_no_data_version_while_the_mark_cannot_be_read(store: SQLiteStore, path: Path) -> None:
    assert store.data_version() is not None

    path.with_suffix(".changes").write_bytes(b"")

    assert store.data_version() is None
