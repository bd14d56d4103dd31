import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from edgeworker.errors import StoreError
from edgeworker.kv.sqlite import connection as connections
from edgeworker.kv.sqlite.connection import connect_for_reading, connect_for_writing, create
from edgeworker.kv.sqlite.writer import Writer
from tests.patience import PATIENCE_SECONDS


class _Opened:
    """A writer, and the statements that it ran."""

    def __init__(self, path: Path) -> None:
        create(path)
        self.path = path
        self.statements: list[str] = []
        self.connection = connect_for_writing(path, "normal")
        self.connection.set_trace_callback(self.statements.append)
        self.writer = Writer(self.connection, path)
        self.may_go_on = threading.Event()
        self._closed = False

    async def put(self, title: str) -> None:
        await self.writer.run(lambda connection: _put(connection, title))

    async def close(self) -> None:
        if not self._closed:
            self._closed = True
            await self.writer.close()

    def hold(self) -> "asyncio.Future[None]":
        """Keeps the thread busy until `may_go_on` is set, so that what is given next waits together."""
        return asyncio.ensure_future(self.writer.run(lambda _: self._wait()))

    def _wait(self) -> None:
        assert self.may_go_on.wait(PATIENCE_SECONDS)

    def titles(self) -> list[str]:
        reading = connect_for_reading(self.path, waits=False)
        rows = reading.execute("SELECT title FROM namespaces ORDER BY number").fetchall()
        reading.close()
        return [title for (title,) in rows]


def _put(connection: sqlite3.Connection, title: str) -> None:
    connection.execute("INSERT INTO namespaces (id, title) VALUES (?, ?)", (title, title))


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[_Opened]:
    opened = _Opened(tmp_path / "kv.sqlite")
    yield opened
    opened.may_go_on.set()
    await opened.close()


async def test_an_acknowledged_write_is_committed(opened: _Opened) -> None:
    await opened.put("a")

    assert opened.titles() == ["a"]


async def test_writes_that_wait_together_share_a_transaction(opened: _Opened) -> None:
    held = opened.hold()
    writes = [asyncio.ensure_future(opened.put(str(number))) for number in range(64)]
    await asyncio.sleep(0)
    opened.may_go_on.set()
    await asyncio.gather(held, *writes)

    assert len(opened.titles()) == 64
    assert opened.statements.count("COMMIT") <= 2


async def test_a_write_that_raises_spoils_no_other_one(opened: _Opened) -> None:
    def fail(connection: sqlite3.Connection) -> None:
        _put(connection, "half done")
        raise ValueError("no")

    held = opened.hold()
    writes = [asyncio.ensure_future(work) for work in (opened.put("a"), opened.writer.run(fail), opened.put("b"))]
    await asyncio.sleep(0)
    opened.may_go_on.set()
    await held

    results = await asyncio.gather(*writes, return_exceptions=True)
    assert [str(result) for result in results] == ["None", "no", "None"]
    assert opened.titles() == ["a", "b"]


async def test_a_full_disk_loses_nothing_and_is_told(opened: _Opened) -> None:
    await opened.put("before")
    pages = opened.connection.execute("PRAGMA page_count").fetchone()[0]
    opened.connection.execute(f"PRAGMA max_page_count = {pages}")

    with pytest.raises(StoreError, match="the disk is full; make room on it"):
        await opened.put("x" * 100_000)
    assert opened.titles() == ["before"]

    opened.connection.execute("PRAGMA max_page_count = 1000000")
    await opened.put("after")
    assert opened.titles() == ["before", "after"]


async def test_a_locked_file_is_told_to_all_who_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "BUSY_SECONDS", 0.05)
    opened = _Opened(tmp_path / "kv.sqlite")
    other = connect_for_writing(opened.path, "normal")
    other.execute("BEGIN IMMEDIATE")

    results = await asyncio.gather(opened.put("a"), opened.put("b"), return_exceptions=True)
    assert [type(result) for result in results] == [StoreError, StoreError]
    assert "locked by another program" in str(results[0])

    other.rollback()
    other.close()
    await opened.put("c")
    assert opened.titles() == ["c"]
    await opened.close()


async def test_a_cancelled_caller_disturbs_no_other(opened: _Opened) -> None:
    held = opened.hold()
    gone, stays = asyncio.ensure_future(opened.put("gone")), asyncio.ensure_future(opened.put("stays"))
    await asyncio.sleep(0)
    gone.cancel()
    opened.may_go_on.set()
    await asyncio.gather(held, stays)

    assert "stays" in opened.titles()


async def test_closing_writes_what_waits(opened: _Opened) -> None:
    held = opened.hold()
    write = asyncio.ensure_future(opened.put("a"))
    await asyncio.sleep(0)
    opened.may_go_on.set()
    await opened.close()
    await asyncio.gather(held, write)

    assert opened.titles() == ["a"]
    with pytest.raises(StoreError, match="is closed"):
        await opened.put("b")


async def test_more_than_a_batch_is_written_in_order(opened: _Opened) -> None:
    held = opened.hold()
    writes = [asyncio.ensure_future(opened.put(str(number))) for number in range(1100)]
    await asyncio.sleep(0)
    opened.may_go_on.set()
    await asyncio.gather(held, *writes)

    assert opened.titles() == [str(number) for number in range(1100)]
