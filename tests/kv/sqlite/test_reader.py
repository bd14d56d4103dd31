import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path

import pytest

from edgeworker.errors import StoreError
from edgeworker.kv.sqlite.connection import create
from edgeworker.kv.sqlite.reader import Reader

_ENDLESS = (
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM (SELECT i FROM n LIMIT 50000)"
)
_SHORT = "SELECT count(*) FROM namespaces"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    create(tmp_path / "kv.sqlite")
    return tmp_path / "kv.sqlite"


@pytest.fixture
async def reader(path: Path) -> AsyncIterator[Reader]:
    opened = Reader(path)
    yield opened
    await opened.close()


async def _turns(read: Awaitable[object]) -> int:
    """How often the event loop runs while something is read."""
    reading = asyncio.ensure_future(read)
    turns = 0
    while not reading.done():
        turns += 1
        await asyncio.sleep(0)
    await reading
    return turns


async def test_a_long_read_does_not_run_in_the_event_loop(reader: Reader) -> None:
    assert await _turns(reader.long(_SHORT, (), int)) > 2
    assert await _turns(reader.short(_SHORT, (), int)) == 1


async def test_a_read_that_turns_out_long_is_begun_again_in_the_thread(reader: Reader) -> None:
    assert await _turns(reader.short(_ENDLESS, (), int)) > 2
    assert await reader.short(_ENDLESS, (), int) == [50_000]


async def test_a_short_read_stays_in_the_loop_however_often_it_is_made(reader: Reader) -> None:
    turns: list[int] = []
    asyncio.get_running_loop().call_soon(turns.append, 1)

    for _ in range(5000):
        await reader.short(_SHORT, (), int)
        reader.row("SELECT id, title, NULL, NULL FROM namespaces WHERE id = ? AND title = ?", ("a", b"b"))

    assert turns == []


async def test_what_is_locked_is_waited_for_in_the_thread(reader: Reader) -> None:
    locked = sqlite3.OperationalError("database is locked")
    locked.sqlite_errorcode = sqlite3.SQLITE_BUSY

    assert await _turns(reader.again(_SHORT, (), int, locked)) > 2


async def test_a_mistake_in_a_statement_is_not_tried_twice(reader: Reader) -> None:
    async def read() -> None:
        with pytest.raises(StoreError, match="no such column"):
            await reader.short("SELECT missing FROM entries", (), int)

    assert await _turns(read()) == 1


async def test_several_that_read_long_at_once_share_the_thread(reader: Reader) -> None:
    before = threading.active_count()

    assert await asyncio.gather(*(reader.long(_SHORT, (), int) for _ in range(20))) == [[0]] * 20
    assert threading.active_count() == before + 1


async def test_a_closed_reader_reads_nothing_more(path: Path) -> None:
    reader = Reader(path)
    await reader.close()

    with pytest.raises(StoreError, match="is closed"):
        await reader.long(_SHORT, (), int)


async def test_a_file_that_is_not_there_is_a_store_error(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError, match="unable to open"):
        Reader(tmp_path / "missing.sqlite").row("SELECT 1", ("", b""))
