import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from edgeworker.errors import StoreError
from edgeworker.kv.sqlite.connection import create
from edgeworker.kv.sqlite.reader import Reader

_ENDLESS = (
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM (SELECT i FROM n LIMIT 50000)"
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    create(tmp_path / "kv.sqlite")
    return tmp_path / "kv.sqlite"


@pytest.fixture
async def reader(path: Path) -> AsyncIterator[Reader]:
    opened = Reader(path)
    yield opened
    await opened.close()


async def test_a_long_read_does_not_run_in_the_event_loop(reader: Reader) -> None:
    assert await reader.long(lambda _: threading.get_ident()) != threading.get_ident()
    assert await reader.short(lambda _: threading.get_ident()) == threading.get_ident()


async def test_a_read_that_turns_out_long_is_begun_again_in_the_thread(reader: Reader) -> None:
    threads = []

    def work(connection: sqlite3.Connection) -> int:
        threads.append(threading.get_ident())
        count: int = connection.execute(_ENDLESS).fetchone()[0]
        return count

    assert await reader.short(work) == 50_000
    assert threads[0] == threading.get_ident() != threads[1]


async def test_a_short_read_stays_in_the_loop_however_often_it_is_made(reader: Reader) -> None:
    turns: list[int] = []
    asyncio.get_running_loop().call_soon(turns.append, 1)

    for _ in range(5000):
        await reader.short(lambda connection: connection.execute("SELECT count(*) FROM namespaces").fetchall())
        reader.row("SELECT id, title, NULL, NULL FROM namespaces WHERE id = ? AND title = ?", ("a", b"b"))

    assert turns == []


async def test_what_is_locked_is_waited_for_in_the_thread(reader: Reader) -> None:
    locked = sqlite3.OperationalError("database is locked")
    locked.sqlite_errorcode = sqlite3.SQLITE_BUSY

    assert await reader.again(lambda _: threading.get_ident(), locked) != threading.get_ident()


async def test_a_mistake_in_a_statement_is_not_tried_twice(reader: Reader) -> None:
    calls = []

    def work(connection: sqlite3.Connection) -> None:
        calls.append(1)
        connection.execute("SELECT missing FROM entries")

    with pytest.raises(StoreError, match="no such column"):
        await reader.short(work)
    assert calls == [1]


async def test_a_file_that_is_not_there_is_a_store_error(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError, match="unable to open"):
        Reader(tmp_path / "missing.sqlite").row("SELECT 1", ("", b""))
