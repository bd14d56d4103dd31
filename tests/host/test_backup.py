"""What goes wrong with a backup of a whole data directory is told, and leaves nothing half done."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from edgeworker.errors import StoreError
from edgeworker.host.backup import backup_directory, restore_directory
from edgeworker.kv.sqlite import SQLiteStore


@pytest.fixture
async def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    store = SQLiteStore.open(folder / "kv.sqlite")
    await store.close()
    return folder


async def test_a_backup_that_cannot_be_completed_leaves_no_file(data: Path, tmp_path: Path) -> None:
    (data / "api-token").mkdir()  # cannot be read as a file

    with pytest.raises(StoreError, match=": the backup cannot be completed: "):
        backup_directory(data, tmp_path / "backup")

    assert not (tmp_path / "backup").exists()


async def test_a_file_that_is_not_a_backup_is_refused(data: Path, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no database " * 1000)

    with pytest.raises(StoreError, match=": is not a backup: "):
        restore_directory(tmp_path / "text", data)


async def test_a_name_that_leads_out_of_the_data_directory_is_refused(data: Path, tmp_path: Path) -> None:
    (data / "api-token").write_text("t")
    backup_directory(data, tmp_path / "backup")
    with closing(sqlite3.connect(tmp_path / "backup")) as connection:
        table = next(
            name
            for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE sql LIKE '%content BLOB NOT NULL%'")
            if "name" in {row[1] for row in connection.execute(f"PRAGMA table_info({name})")}
        )
        connection.execute(f"UPDATE {table} SET name = '../api-token'")
        connection.commit()

    with pytest.raises(StoreError, match="does not belong into a data directory"):
        restore_directory(tmp_path / "backup", data)
