"""Data directories of earlier versions are upgraded by themselves, with nothing lost; newer ones stay untouched.

The folders beside this file are made by make_fixtures.py with the code of those versions.
"""

import asyncio
import os
import shutil
import sqlite3
import stat
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from edgeworker.errors import StoreError
from edgeworker.host.backup import backup_directory, restore_directory
from edgeworker.host.datadir import DataDir
from edgeworker.kv.sqlite import SQLiteStore
from edgeworker.kv.sqlite.schema import SCHEMA as KV_SCHEMA
from edgeworker.kv.store import Entry
from edgeworker.publishing import VersionStore
from edgeworker.publishing.versions import FORMAT
from edgeworker.sqlite_schema import SQLiteSchema
from edgeworker.state import AtomicKey, SQLiteState
from edgeworker.state.schema import SCHEMA as STATE_SCHEMA
from tests.kv.clocks import FakeClock

HERE = Path(__file__).parent
NOW = 1_764_000_000
_NOT_ROOT = 65534  # "nobody"
FORMS = sorted(folder.name for folder in HERE.iterdir() if (folder / "state.sql").exists())
WITH_KV = [form for form in FORMS if (HERE / form / "kv.sql").exists()]


def written_by(form: str, data: Path) -> Path:
    """The data directory as that version left it."""
    data.mkdir(mode=0o700)
    for file in (HERE / form).glob("*.sql"):
        with closing(sqlite3.connect(data / f"{file.stem}.sqlite")) as connection:
            connection.executescript(file.read_text(encoding="utf-8"))
            connection.execute("PRAGMA journal_mode = WAL")
        (data / f"{file.stem}.sqlite").chmod(0o600)
    return data


def version_of(file: Path) -> tuple[int, int]:
    with closing(sqlite3.connect(file)) as connection:
        application: int = connection.execute("PRAGMA application_id").fetchone()[0]
        version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return application, version


# kv.sqlite has had one form only, so one directory has it.
def test_there_is_a_directory_of_each_form() -> None:
    assert set(FORMS) >= {"tokens-only", "tokens-and-atoms", "documents"}
    assert WITH_KV


@pytest.mark.parametrize("form", FORMS)
async def test_state_of_an_earlier_version_is_upgraded_with_nothing_lost(form: str, tmp_path: Path) -> None:
    data = written_by(form, tmp_path / "data")
    token = (HERE / form / "token.txt").read_text().strip()

    for _ in range(2):  # the second time nothing is left to do
        async with SQLiteState(data, FakeClock()) as state:
            found = await state.api_tokens.check(token, now=NOW)
            assert found is not None
            assert (found.name, found.permissions, found.expires_at) == ("publisher", ("kv:write",), 4_000_000_000)
            if form != "tokens-only":
                assert await state.atomic.get(AtomicKey("codes", "c"), now_ms=NOW * 1000) == "used"
            if form == "documents":
                document = await state.documents("access").get("application", "a")
                assert document is not None
                assert document.value == {"name": "Shop"}
            await state.documents("access").put("application", "b", {"name": "New"})
        assert version_of(data / "state.sqlite") == (STATE_SCHEMA.application_id, STATE_SCHEMA.version)


@pytest.mark.parametrize("form", WITH_KV)
async def test_kv_of_an_earlier_version_is_read_and_written(form: str, tmp_path: Path) -> None:
    store = SQLiteStore.open(written_by(form, tmp_path / "data") / "kv.sqlite")

    assert await store.get("ns", "small", now=NOW) == Entry(b"value", 4_000_000_000, '{"a":1}')
    assert await store.get("ns", "nul\0key", now=NOW) == Entry(b"\0\xff")
    assert await store.get("ns", "large", now=NOW) == Entry(b"0123456789" * 7000)
    assert await store.get("other", "gone", now=NOW) is None
    await store.put("ns", "new", Entry(b"1"))
    while await store.sweep(now=NOW):
        pass
    assert len(await store.list_keys("ns", prefix="", after="", limit=10, now=NOW)) == 4
    await store.close()


@pytest.mark.parametrize("form", WITH_KV)
async def test_a_directory_of_an_earlier_version_can_be_backed_up_and_restored(form: str, tmp_path: Path) -> None:
    data = written_by(form, tmp_path / "data")
    backup_directory(data, tmp_path / "backup")

    other = DataDir.open(tmp_path / "other").path
    restore_directory(tmp_path / "backup", other)

    async with SQLiteState(other, FakeClock()) as state:
        assert await state.api_tokens.check((HERE / form / "token.txt").read_text().strip(), now=NOW) is not None
    store = SQLiteStore.open(other / "kv.sqlite")
    assert await store.get("ns", "large", now=NOW) == Entry(b"0123456789" * 7000)
    await store.close()


async def test_a_backup_of_kv_alone_as_earlier_versions_made_it_can_be_restored(tmp_path: Path) -> None:
    data = written_by(WITH_KV[0], tmp_path / "data")
    other = DataDir.open(tmp_path / "other").path

    assert restore_directory(data / "kv.sqlite", other) == ["kv.sqlite"]

    store = SQLiteStore.open(other / "kv.sqlite")
    assert await store.get("ns", "small", now=NOW) == Entry(b"value", 4_000_000_000, '{"a":1}')
    await store.close()


@pytest.mark.parametrize(("name", "schema"), [("kv", KV_SCHEMA), ("state", STATE_SCHEMA)], ids=["kv", "state"])
async def test_a_newer_database_is_refused_and_untouched(tmp_path: Path, name: str, schema: SQLiteSchema) -> None:
    data = written_by("documents" if name == "state" else "tokens-and-atoms", tmp_path / "data")
    file = data / f"{name}.sqlite"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute(f"PRAGMA user_version = {schema.version + 1}")
    before = file.read_bytes()

    with pytest.raises(StoreError, match=r"was written by a newer edgeworker .*use that version"):
        await read_both(data)

    assert file.read_bytes() == before


def test_a_newer_index_of_published_workers_is_refused_and_untouched(tmp_path: Path) -> None:
    index = tmp_path / "workers" / "index.json"
    index.parent.mkdir()
    index.write_text(f'{{"format": {FORMAT + 1}, "generation": 1, "workers": []}}')
    before = index.read_bytes()

    with pytest.raises(StoreError, match="newer"):
        VersionStore(tmp_path).read()

    assert index.read_bytes() == before


async def read_both(data: Path) -> None:
    store = SQLiteStore.open(data / "kv.sqlite")
    try:
        async with SQLiteState(data, FakeClock()) as state:
            await state.api_tokens.list()
            await state.documents("access").put("application", "b", {})
    finally:
        await store.close()


@pytest.fixture
def readers_data(tmp_path: Path) -> Iterator[Path]:
    """A data directory of a user who is not root: root may write everywhere."""
    asyncio.run(write(written_by("tokens-and-atoms", tmp_path / "other")))  # that user may be unable to import a module
    folder = Path(tempfile.mkdtemp(prefix="edgeworker-upgrades-"))
    folder.chmod(0o755)
    data = written_by("tokens-and-atoms", folder / "data")
    if os.geteuid() != 0:
        yield data
    else:
        for file in (data, *data.iterdir()):
            os.chown(file, _NOT_ROOT, _NOT_ROOT)
        os.seteuid(_NOT_ROOT)
        try:
            yield data
        finally:
            os.seteuid(0)
    data.chmod(0o700)
    shutil.rmtree(folder)


@pytest.mark.parametrize("mode", [stat.S_IRUSR | stat.S_IXUSR, 0], ids=["read-only", "not even readable"])
def test_a_directory_that_cannot_be_written_is_a_clear_error(readers_data: Path, mode: int) -> None:
    readers_data.chmod(mode)

    with pytest.raises(StoreError, match=r"kv\.sqlite"):
        asyncio.run(read_both(readers_data))


def test_a_database_that_cannot_be_written_is_a_clear_error(readers_data: Path) -> None:
    for file in readers_data.iterdir():
        file.chmod(0o400)

    with pytest.raises(StoreError, match="check that the file and its directory may be read and written"):
        asyncio.run(write(readers_data))


async def write(data: Path) -> None:
    store = SQLiteStore.open(data / "kv.sqlite")
    try:
        await store.put("ns", "k", Entry(b"v"))
    finally:
        await store.close()
