import sqlite3
import stat
import threading
from pathlib import Path

import pytest

from edgeworker.errors import StoreError
from edgeworker.kv.sqlite import connection
from edgeworker.kv.sqlite.connection import (
    begin,
    connect_for_reading,
    connect_for_writing,
    create,
    error_code,
    store_error,
)


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_only_its_owner_can_read_the_files(tmp_path: Path) -> None:
    path = tmp_path / "data" / "kv.sqlite"
    create(path)
    writing = connect_for_writing(path, "normal")
    writing.execute("INSERT INTO namespaces (id, title) VALUES ('a', 'a')")

    assert _mode(path.parent) == 0o700
    assert {file.name: _mode(file) for file in path.parent.iterdir()} == {
        "kv.sqlite": 0o600,
        "kv.sqlite-wal": 0o600,
        "kv.sqlite-shm": 0o600,
    }
    writing.close()


@pytest.mark.parametrize("name", ["kv ?#%41.sqlite", "é.sqlite"])
def test_a_file_may_have_any_name(tmp_path: Path, name: str) -> None:
    create(tmp_path / name)
    reading = connect_for_reading(tmp_path / name, waits=False)

    assert [file.name for file in tmp_path.iterdir() if file.suffix == ".sqlite"] == [name]
    assert reading.execute("SELECT count(*) FROM entries").fetchone() == (0,)
    reading.close()


def test_a_reading_connection_cannot_write(tmp_path: Path) -> None:
    create(tmp_path / "kv.sqlite")
    reading = connect_for_reading(tmp_path / "kv.sqlite", waits=False)

    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reading.execute("DELETE FROM entries")
    reading.close()


@pytest.mark.parametrize(("durability", "synchronous"), [("full", 2), ("normal", 1)])
def test_durability_is_sqlites_synchronous(tmp_path: Path, durability: connection.Durability, synchronous: int) -> None:
    create(tmp_path / "kv.sqlite")
    writing = connect_for_writing(tmp_path / "kv.sqlite", durability)

    assert writing.execute("PRAGMA synchronous").fetchone() == (synchronous,)
    assert writing.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    writing.close()


def test_a_file_that_is_up_to_date_is_opened_while_another_one_writes(tmp_path: Path) -> None:
    path = tmp_path / "kv.sqlite"
    create(path)
    writing = connect_for_writing(path, "normal")
    begin(writing)

    create(path)
    writing.rollback()
    writing.close()


def test_who_writes_without_pause_lets_others_in(tmp_path: Path) -> None:
    path = tmp_path / "kv.sqlite"
    create(path)
    done = threading.Event()

    def hog() -> None:
        writing = connect_for_writing(path, "normal")
        while not done.is_set():
            begin(writing)
            for number in range(200):
                writing.execute("INSERT OR REPLACE INTO namespaces (id, title) VALUES (?, ?)", (str(number), "t"))
            writing.execute("COMMIT")
        writing.close()

    thread = threading.Thread(target=hog)
    thread.start()
    other = connect_for_writing(path, "normal")
    for number in range(5):
        begin(other)
        other.execute("INSERT INTO namespaces (id, title) VALUES (?, ?)", (f"other{number}", "t"))
        other.execute("COMMIT")
    done.set()
    thread.join()

    assert other.execute("SELECT count(*) FROM namespaces WHERE id LIKE 'other%'").fetchone() == (5,)
    other.close()


def test_many_may_create_the_file_at_once(tmp_path: Path) -> None:
    path = tmp_path / "data" / "kv.sqlite"
    failures: list[StoreError] = []

    def attempt() -> None:
        try:
            create(path)
        except StoreError as error:
            failures.append(error)

    threads = [threading.Thread(target=attempt) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []


def test_a_file_that_is_not_a_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "kv.sqlite"
    path.write_bytes(b"not a database, but long enough to look like one" * 20)
    before = path.read_bytes()

    with pytest.raises(StoreError, match=r"kv\.sqlite: the KV database is damaged .*dmesg.*restore a backup"):
        create(path)
    assert path.read_bytes() == before


def test_a_place_where_nothing_can_be_created_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(StoreError, match=r"file/kv\.sqlite: the KV database cannot be created: "):
        create(tmp_path / "file" / "kv.sqlite")


def test_a_directory_is_not_a_database(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be opened"):
        create(tmp_path)


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (sqlite3.SQLITE_BUSY, "is locked by another program"),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, "is locked by another program"),
        (sqlite3.SQLITE_PROTOCOL, "is locked by another program"),
        (sqlite3.SQLITE_FULL, "the disk is full"),
        (sqlite3.SQLITE_CORRUPT, "is damaged"),
        (sqlite3.SQLITE_READONLY, "check that the file and its directory may be read and written"),
        (sqlite3.SQLITE_IOERR_FSYNC, "check the disk"),
        (sqlite3.SQLITE_NOMEM, "cannot be used"),
    ],
)
def test_each_kind_of_trouble_says_what_to_do(code: int, text: str) -> None:
    error = sqlite3.OperationalError("why")
    error.sqlite_errorcode = code

    assert text in str(store_error(Path("/data/kv.sqlite"), error))
    assert str(store_error(Path("/data/kv.sqlite"), error)).startswith("/data/kv.sqlite: the KV database ")


def test_an_error_of_pythons_module_has_a_code_too() -> None:
    assert error_code(sqlite3.ProgrammingError("closed")) == sqlite3.SQLITE_ERROR
