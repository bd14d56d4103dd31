"""What goes wrong with a backup of a whole data directory is told, and leaves nothing half done."""

import hashlib
import json
import os
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from edgeworker.errors import StoreError
from edgeworker.host.backup import backup_directory, restore_directory
from edgeworker.kv.sqlite import SQLiteStore
from edgeworker.publishing import VersionStore, WorkerDeployment, WorkerVersion


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


def _publish(store: VersionStore, id: str) -> None:
    content = id.encode()
    sha256 = hashlib.sha256(content).hexdigest()
    store.add("api", content, lambda number: WorkerVersion(id, number, 1, "ci", "", "w.toml", None, 1, sha256))
    store.deploy("api", WorkerDeployment(id, 1, "ci", ""))


def _id(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012}"


async def test_a_backup_among_publications_has_the_archive_of_each_version_that_it_names(
    data: Path, tmp_path: Path
) -> None:
    """Without the lock of the store an archive is removed, or added, between two looks at the folder."""
    store, stop = VersionStore(data), threading.Event()
    for number in range(30):
        _publish(store, _id(number))

    def publish() -> None:
        number = 30
        while not stop.is_set():
            _publish(store, _id(number))
            number += 1

    publishing = threading.Thread(target=publish)
    publishing.start()
    try:
        for number in range(10):
            backup_directory(data, tmp_path / f"backup{number}")
    finally:
        stop.set()
        publishing.join()

    for number in range(10):
        with closing(sqlite3.connect(tmp_path / f"backup{number}")) as connection:
            kept = dict(connection.execute("SELECT name, content FROM edgeworker_backup"))
        [worker] = json.loads(kept["workers/index.json"])["workers"]
        assert {f"workers/api/{version['id']}.zip" for version in worker["versions"]} <= set(kept)


async def test_what_came_after_the_backup_is_gone_after_a_restore(data: Path, tmp_path: Path) -> None:
    (data / "api-token").write_text("t")
    backup_directory(data, tmp_path / "backup")
    _publish(VersionStore(data), _id(1))
    for name in ("state.sqlite", "state.sqlite-wal", "state.sqlite-shm"):
        (data / name).write_bytes(b"of later")

    restore_directory(tmp_path / "backup", data)

    assert VersionStore(data).read().workers == {}
    assert not {"state.sqlite", "state.sqlite-wal", "state.sqlite-shm"} & set(os.listdir(data))


async def test_what_cannot_be_removed_before_a_restore_is_told(data: Path, tmp_path: Path) -> None:
    backup_directory(data, tmp_path / "backup")
    (data / "state.sqlite-wal").mkdir()

    with pytest.raises(StoreError, match=r"state\.sqlite-wal: cannot be removed: "):
        restore_directory(tmp_path / "backup", data)
