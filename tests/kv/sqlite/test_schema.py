import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from edgeworker.errors import StoreError
from edgeworker.kv.sqlite.connection import create
from edgeworker.kv.sqlite.schema import SCHEMA
from tests.patience import PATIENCE_SECONDS


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(tmp_path / "kv.sqlite", isolation_level=None)) as opened:
        yield opened


def test_a_new_file_gets_the_whole_schema(connection: sqlite3.Connection, tmp_path: Path) -> None:
    SCHEMA.migrate(connection, tmp_path / "kv.sqlite")

    assert connection.execute("PRAGMA user_version").fetchone() == (SCHEMA.version,)
    assert connection.execute("PRAGMA application_id").fetchone() == (SCHEMA.application_id,)
    assert connection.execute("SELECT count(*) FROM entries").fetchone() == (0,)


def test_a_current_file_is_left_as_it_is(connection: sqlite3.Connection, tmp_path: Path) -> None:
    SCHEMA.migrate(connection, tmp_path / "kv.sqlite")
    before = connection.execute("PRAGMA data_version").fetchone(), connection.total_changes
    SCHEMA.migrate(connection, tmp_path / "kv.sqlite")

    assert (connection.execute("PRAGMA data_version").fetchone(), connection.total_changes) == before


def test_a_step_that_fails_leaves_the_file_as_it_was(connection: sqlite3.Connection, tmp_path: Path) -> None:
    # The schema's last table is in the way.
    connection.execute(f"PRAGMA application_id = {SCHEMA.application_id}")
    connection.execute("CREATE TABLE chunks (number INTEGER)")

    with pytest.raises(sqlite3.OperationalError, match="already exists"):
        SCHEMA.migrate(connection, tmp_path / "kv.sqlite")
    assert connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall() == [("chunks",)]
    assert connection.execute("PRAGMA user_version").fetchone() == (0,)


def test_a_newer_file_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "kv.sqlite"
    create(path)
    with closing(sqlite3.connect(path)) as other:
        other.execute(f"PRAGMA user_version = {SCHEMA.version + 1}")
        other.commit()
    before = path.read_bytes()

    with pytest.raises(StoreError, match=r"newer edgeworker \(its schema is 2, this one knows up to 1\)"):
        create(path)
    assert path.read_bytes() == before


def test_a_database_of_something_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "kv.sqlite"
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE contacts (name TEXT)")
        other.commit()
    before = path.read_bytes()

    with pytest.raises(StoreError, match="not one of KV"):
        create(path)
    assert path.read_bytes() == before


def test_a_file_that_another_process_prepares_too_is_waited_for(tmp_path: Path) -> None:
    """Two edges that begin with one empty data directory: SQLite's own timeout does not hold for this statement."""
    path = tmp_path / "kv.sqlite"
    asked = 0

    def ask(statement: str) -> None:
        nonlocal asked
        asked += statement == "PRAGMA journal_mode = WAL"
        if asked == 3:
            other.execute("ROLLBACK")

    with (
        closing(sqlite3.connect(path, isolation_level=None)) as other,
        closing(sqlite3.connect(path, timeout=0)) as ours,
    ):
        other.execute("CREATE TABLE entries (number INTEGER)")
        other.execute("DROP TABLE entries")
        other.execute("BEGIN")
        other.execute("SELECT * FROM sqlite_schema").fetchall()
        ours.isolation_level = None

        with pytest.raises(sqlite3.OperationalError, match="locked"):
            SCHEMA.prepare(ours, path, busy_seconds=0)
        ours.set_trace_callback(ask)
        SCHEMA.prepare(ours, path, busy_seconds=PATIENCE_SECONDS)

        assert asked == 3
        assert ours.execute("PRAGMA journal_mode").fetchone() == ("wal",)
