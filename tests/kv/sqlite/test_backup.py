import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from edgeworker.errors import StoreError
from edgeworker.kv.sqlite import SQLiteStore
from edgeworker.kv.sqlite.backup import backup, restore
from edgeworker.kv.store import Entry


def names_in(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


async def value_in(path: Path, key: str = "k") -> bytes | None:
    store = SQLiteStore.open(path)
    entry = await store.get("ns", key, now=0)
    await store.close()
    return None if entry is None else entry.value


async def test_a_backup_of_an_open_database_is_one_moments_state(tmp_path: Path) -> None:
    store = SQLiteStore.open(tmp_path / "kv.sqlite", durability="normal")
    await store.put("ns", "k", Entry(b"one"))
    await store.put("ns", "large", Entry(bytes(200_000)))

    size = backup(tmp_path / "kv.sqlite", tmp_path / "copy.sqlite")
    await store.put("ns", "k", Entry(b"two"))

    assert (tmp_path / "copy.sqlite").stat().st_size == size > 200_000
    assert stat.S_IMODE((tmp_path / "copy.sqlite").stat().st_mode) == 0o600
    assert [name for name in names_in(tmp_path) if "copy" in name] == ["copy.sqlite"]
    assert await value_in(tmp_path / "copy.sqlite") == b"one"
    assert await value_in(tmp_path / "copy.sqlite", "large") == bytes(200_000)
    await store.close()


async def test_a_backup_overwrites_nothing(tmp_path: Path) -> None:
    await SQLiteStore.open(tmp_path / "kv.sqlite").close()
    (tmp_path / "copy").write_bytes(b"precious")

    with pytest.raises(StoreError, match="is there already"):
        backup(tmp_path / "kv.sqlite", tmp_path / "copy")
    with pytest.raises(StoreError, match="cannot be written"):
        backup(tmp_path / "kv.sqlite", tmp_path / "missing" / "copy")

    assert (tmp_path / "copy").read_bytes() == b"precious"


async def test_a_restore_replaces_everything_and_leaves_no_log_to_be_played(tmp_path: Path) -> None:
    path, copy = tmp_path / "kv.sqlite", tmp_path / "copy.sqlite"
    store = SQLiteStore.open(path)
    await store.put("ns", "k", Entry(b"old"))
    backup(path, copy)
    await store.put("ns", "k", Entry(b"new"))
    await store.close()
    path.with_name("kv.sqlite-wal").write_bytes(b"left behind by a crash")

    restore(copy, path)

    assert names_in(tmp_path) == ["copy.sqlite", "kv.changes", "kv.sqlite"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert await value_in(path) == b"old"


async def test_a_restore_over_a_database_that_is_open_is_refused(tmp_path: Path) -> None:
    path, copy = tmp_path / "kv.sqlite", tmp_path / "copy.sqlite"
    store = SQLiteStore.open(path)
    await store.put("ns", "k", Entry(b"old"))
    backup(path, copy)
    await store.put("ns", "k", Entry(b"new"))

    with pytest.raises(StoreError, match="is in use; stop the edge"):
        restore(copy, path)

    await store.put("ns", "after", Entry(b"still writable"))
    await store.close()
    assert await value_in(path) == b"new"
    assert await value_in(path, "after") == b"still writable"


async def test_a_damaged_database_is_mended_by_a_restore(tmp_path: Path) -> None:
    path, copy = tmp_path / "kv.sqlite", tmp_path / "copy.sqlite"
    store = SQLiteStore.open(path)
    await store.put("ns", "k", Entry(b"v"))
    await store.close()
    backup(path, copy)
    path.write_bytes(b"no database any more" * 100)

    restore(copy, path)

    assert await value_in(path) == b"v"


def foreign(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE other (x)")


def cut(path: Path) -> None:
    backup(path.with_name("kv.sqlite"), path)
    path.write_bytes(path.read_bytes()[:8192])


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda path: path.write_bytes(b"x" * 5000), "is damaged"),
        (lambda path: path.touch(), "it is empty"),
        (foreign, "not one of KV"),
        (cut, "is damaged"),
    ],
)
async def test_what_is_not_a_sound_backup_changes_nothing(
    tmp_path: Path, make: Callable[[Path], object], text: str
) -> None:
    path = tmp_path / "kv.sqlite"
    store = SQLiteStore.open(path)
    await store.put("ns", "k", Entry(b"v"))
    await store.close()
    make(tmp_path / "bad")

    with pytest.raises(StoreError, match=text):
        restore(tmp_path / "bad", path)

    assert await value_in(path) == b"v"
    assert names_in(tmp_path) == ["bad", "kv.changes", "kv.sqlite"]
