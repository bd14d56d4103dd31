import asyncio
import logging
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from edgeworker.errors import StoreError
from edgeworker.state import FILE_NAME, AtomicKey, Put, SQLiteState, database
from edgeworker.state.schema import SCHEMA
from tests.kv.clocks import FakeClock
from tests.patience import PATIENCE_SECONDS

# As the first release made it: each table when it was first needed, without a version.
FIRST_RELEASE = {
    "api_tokens": """
        CREATE TABLE IF NOT EXISTS api_tokens (
          id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, hash BLOB NOT NULL, permissions TEXT NOT NULL,
          created_at INTEGER NOT NULL, expires_at INTEGER
        ) STRICT;
        INSERT INTO api_tokens VALUES ('0123456789abcdef', 'ci', x'00', '["kv:read"]', 100, NULL);
    """,
    "atoms": """
        CREATE TABLE IF NOT EXISTS atoms (
          space TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, expires_at_ms INTEGER NOT NULL,
          PRIMARY KEY (space, key)
        ) STRICT;
        CREATE INDEX IF NOT EXISTS atoms_by_expiry ON atoms (expires_at_ms);
        INSERT INTO atoms VALUES ('', 'code', 'v', 1000);
    """,
}


def state(folder: Path) -> SQLiteState:
    return SQLiteState(folder, FakeClock())


def write(folder: Path, script: str) -> None:
    with closing(sqlite3.connect(folder / FILE_NAME)) as connection:
        connection.executescript(script)


@pytest.mark.parametrize("tables", [("api_tokens",), ("atoms",), ("api_tokens", "atoms")])
async def test_a_file_of_the_first_release_is_migrated_with_what_is_in_it(
    tmp_path: Path, tables: tuple[str, ...]
) -> None:
    write(tmp_path, "PRAGMA journal_mode = WAL;" + "".join(FIRST_RELEASE[table] for table in tables))

    async with state(tmp_path) as opened:
        assert [token.name for token in await opened.api_tokens.list()] == ["ci"] * tables.count("api_tokens")
        taken = await opened.atomic.take(AtomicKey("", "code"), now_ms=1)
        assert taken == ("v" if "atoms" in tables else None)
        await opened.documents("access").put("k", "a", {})

    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (SCHEMA.version,)
        assert connection.execute("PRAGMA application_id").fetchone() == (SCHEMA.application_id,)


async def test_a_file_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    async with state(tmp_path) as opened:
        await opened.documents("access").put("k", "a", {})
    write(tmp_path, f"PRAGMA user_version = {SCHEMA.version + 1}")
    before = (tmp_path / FILE_NAME).read_bytes()

    async with state(tmp_path) as opened:
        with pytest.raises(StoreError, match=r"state\.sqlite was written by a newer edgeworker \(its schema is 3, "):
            await opened.api_tokens.list()
    assert (tmp_path / FILE_NAME).read_bytes() == before


async def test_a_database_of_something_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    write(tmp_path, "CREATE TABLE contacts (name TEXT)")
    before = (tmp_path / FILE_NAME).read_bytes()

    async with state(tmp_path) as opened:
        with pytest.raises(StoreError, match="not one of edgeworker's state"):
            await opened.api_tokens.list()
    assert (tmp_path / FILE_NAME).read_bytes() == before


async def test_reading_makes_no_file(tmp_path: Path) -> None:
    async with state(tmp_path / "data") as opened:
        documents = opened.documents("access")

        assert documents.version() == documents.version()
        assert await documents.list("k") == []
        assert await opened.atomic.get(AtomicKey("", "k"), now_ms=0) is None
        assert await opened.api_tokens.list() == []
    assert os.listdir(tmp_path) == []


async def test_only_the_owner_reads_the_files(tmp_path: Path) -> None:
    async with state(tmp_path / "data") as opened:
        await opened.documents("access").put("k", "a", {})

        assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
        files = list((tmp_path / "data").iterdir())
        assert len(files) > 1
        assert [stat.S_IMODE(file.stat().st_mode) for file in files] == [0o600] * len(files)
    assert sorted(file.name for file in (tmp_path / "data").iterdir()) == ["state.changes", FILE_NAME]


COMES_AND_GOES = """
import asyncio, sys
from pathlib import Path
from edgeworker.clock import SystemClock
from edgeworker.state import SQLiteState

async def come_and_go():
    async with SQLiteState(Path(sys.argv[1]), SystemClock()) as state:
        documents = state.documents("access")
        documents.version()
        await documents.put("k", sys.argv[2], {})
        print(sorted(document.id for document in await documents.list("k")))

asyncio.run(come_and_go())
"""


# The byte of the WAL's index that is locked while a process has the database open: UNIX_SHM_DMS of os_unix.c.
LOCK_OF_THE_FIRST = """
import fcntl, sys
with open(sys.argv[1], "r+b") as index:
    try:
        fcntl.lockf(index, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, 128)
        print("free")
    except BlockingIOError:
        print("held")
"""


async def run_in_python(code: str, *arguments: str) -> str:
    command = [sys.executable, "-c", code, *arguments]
    done = await asyncio.to_thread(
        subprocess.run, command, capture_output=True, text=True, check=True, timeout=PATIENCE_SECONDS
    )
    return done.stdout.strip()


async def test_looking_for_changes_leaves_sqlites_locks_alone(tmp_path: Path) -> None:
    """A descriptor of our own on the WAL's index took them away when it was closed: two processes wrote at once, and
    what one of them had acknowledged was lost."""
    async with state(tmp_path) as opened:
        documents = opened.documents("access")
        for id in ("1", "2"):
            await documents.put("k", id, {})
            documents.version()
            documents.version()  # the second look is by the mark

        assert await run_in_python(LOCK_OF_THE_FIRST, f"{tmp_path / FILE_NAME}-shm") == "held"


async def test_processes_that_come_and_go_take_nothing_away_and_are_seen_at_once(tmp_path: Path) -> None:
    async with state(tmp_path) as opened:
        documents = opened.documents("access")
        await documents.put("k", "1", {})
        documents.version()
        documents.version()
        assert await run_in_python(COMES_AND_GOES, str(tmp_path), "2") == "['1', '2']"
        before = documents.version()
        assert await run_in_python(COMES_AND_GOES, str(tmp_path), "3") == "['1', '2', '3']"
        assert documents.version() != before
        await documents.put("k", "4", {})
        assert await run_in_python(COMES_AND_GOES, str(tmp_path), "5") == "['1', '2', '3', '4', '5']"
        assert [document.id for document in await documents.list("k")] == ["1", "2", "3", "4", "5"]


async def test_a_mark_that_another_program_cut_ends_no_process_and_hides_no_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "RECHECK_SECONDS", PATIENCE_SECONDS)
    async with state(tmp_path) as opened:
        documents = opened.documents("access")
        await documents.put("k", "1", {})
        before = documents.version()
        assert documents.version() == before

        (tmp_path / "state.changes").write_bytes(b"")  # as `cp` of a backup does first; mapped, it would be SIGBUS
        assert documents.version() == before
        await run_in_python(COMES_AND_GOES, str(tmp_path), "2")

        assert documents.version() != before


async def test_a_file_that_is_put_in_place_of_the_open_one_is_used_from_the_next_call_on(tmp_path: Path) -> None:
    async with state(tmp_path / "data") as opened:
        token = await opened.api_tokens.create("leaked", ["everything"], now=0, expires_at=None)
        documents = opened.documents("access")
        await documents.put("k", "a", {})
        before = documents.version()
        async with state(tmp_path / "backup") as other:
            await other.documents("access").put("k", "b", {})
        shutil.move(tmp_path / "backup" / FILE_NAME, tmp_path / "data" / FILE_NAME)
        for suffix in ("-wal", "-shm"):
            (tmp_path / "data" / f"{FILE_NAME}{suffix}").unlink()

        assert documents.version() != before
        assert [document.id for document in await documents.list("k")] == ["b"]
        assert await opened.api_tokens.check(token, now=0) is None


async def test_a_file_that_was_removed_holds_no_token(tmp_path: Path) -> None:
    async with state(tmp_path) as opened:
        token = await opened.api_tokens.create("a", ["everything"], now=0, expires_at=None)
        before = opened.documents("access").version()
        for name in os.listdir(tmp_path):
            (tmp_path / name).unlink()

        assert await opened.api_tokens.check(token, now=0) is None
        assert opened.documents("access").version() != before


async def test_no_value_and_no_token_is_in_a_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with state(tmp_path) as opened:
        token = await opened.api_tokens.create("a", ["everything"], now=0, expires_at=None)
        await opened.documents("access").put("k", "a", {"secret": "hunter2"})
        await opened.atomic.put_if_absent(AtomicKey("", "code"), "hunter2", now_ms=0, expires_at_ms=10)

    assert "hunter2" not in caplog.text
    assert token.split("_", 2)[2] not in caplog.text


async def test_a_transaction_goes_on_to_its_end_when_its_caller_is_cancelled(tmp_path: Path) -> None:
    async with state(tmp_path) as opened:
        documents = opened.documents("access")
        await documents.put("k", "before", {})
        for pause in range(12):
            changes = [Put("k", f"{pause}-{number}", {}) for number in range(5)]
            writing = asyncio.ensure_future(documents.write(changes))
            for _ in range(pause):
                await asyncio.sleep(0)
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)

            found = await documents.list("k")
            assert len([document for document in found if document.id.startswith(f"{pause}-")]) in (0, 5)
        await documents.put("k", "after", {})


async def test_a_closed_state_says_so(tmp_path: Path) -> None:
    opened = state(tmp_path)
    await opened.documents("access").put("k", "a", {})
    await opened.close()

    with pytest.raises(StoreError, match="is closed"):
        await opened.documents("access").get("k", "a")


async def test_a_damaged_file_is_an_error_of_version_too(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"this is not a database, and long enough to be read as one" * 100)

    async with state(tmp_path) as opened:
        with pytest.raises(StoreError, match=r"state\.sqlite: file is not a database"):
            opened.documents("access").version()


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("PRAGMA user_version = 9999", "was written by a newer edgeworker"),
        ("CREATE TABLE invoices (id)", "not one of"),
        (None, None),
    ],
)
def test_an_edge_can_ask_before_it_starts_whether_the_file_is_its_own(
    tmp_path: Path, statement: str | None, said: str | None
) -> None:
    state = SQLiteState(tmp_path, FakeClock())
    state.check_version()
    assert not (tmp_path / FILE_NAME).exists()
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as connection:
        connection.execute(statement or "CREATE TABLE atoms (key)")
        connection.execute("PRAGMA application_id = 0")
        connection.commit()

    if said is None:
        state.check_version()
    else:
        with pytest.raises(StoreError, match=said):
            state.check_version()


def test_a_file_that_is_no_database_is_told_when_it_is_used(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"x" * 5000)

    SQLiteState(tmp_path, FakeClock()).check_version()
