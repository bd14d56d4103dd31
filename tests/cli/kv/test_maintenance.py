import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from edgeworker.clock import SystemClock
from edgeworker.host.datadir import DataDir
from edgeworker.kv.namespace import KVNamespace
from edgeworker.kv.store import KVStore
from edgeworker.state import SQLiteState
from edgeworker.state.schema import SCHEMA
from tests.cli.kv.commands import Kv, names_in


async def test_a_running_edge_is_backed_up_and_restored_when_it_has_stopped(
    kv_here: Kv, store: KVStore, namespace: KVNamespace, tmp_path: Path
) -> None:
    await namespace.put("k", "before")
    assert "ok: b.sqlite: " in (await kv_here("backup", "b.sqlite")).out
    assert stat.S_IMODE((tmp_path / "b.sqlite").stat().st_mode) == 0o600
    await namespace.put("k", "after")
    assert "is there already; a backup overwrites nothing" in (await kv_here("backup", "b.sqlite", status=1)).err
    assert '"-" is not a file that a backup can be written to' in (await kv_here("backup", "-", status=1)).err
    assert "is in use; stop the edge" in (await kv_here("restore", "b.sqlite", "--force", status=1)).err
    assert (await kv_here("key", "get", "k", "--namespace-id", "ns")).out == "after"

    await store.close()
    await kv_here("restore", "b.sqlite", "--force")

    assert (await kv_here("key", "get", "k", "--namespace-id", "ns")).out == "before"


async def test_a_backup_is_restored_into_an_empty_directory(
    kv_here: Kv, namespace: KVNamespace, tmp_path: Path
) -> None:
    await namespace.put("k", "v")
    await kv_here("backup", "b.sqlite")

    elsewhere = Kv(("--persist-to", str(tmp_path / "new")), kv_here.capture)
    await elsewhere("restore", "b.sqlite")

    assert (await elsewhere("key", "get", "k", "--namespace-id", "ns")).out == "v"


async def test_a_backup_carries_all_that_lets_publishers_in(
    kv_here: Kv, namespace: KVNamespace, tmp_path: Path
) -> None:
    await namespace.put("k", "v")
    data, clock = DataDir.open(tmp_path / "data"), SystemClock()
    own = data.api_token()
    async with SQLiteState(data.path, clock) as state:
        named = await state.api_tokens.create("publisher", ["kv:write"], now=clock.now(), expires_at=None)
        await state.documents("access").put("session", "s1", {"user": "ann"})
    (data.path / "secrets" / "access").mkdir(parents=True)
    (data.path / "secrets" / "access" / "key.pem").write_text("private")
    await kv_here("backup", "plain")
    await kv_here("backup", "whole", "--keys")

    for file in ("plain", "whole"):
        elsewhere = Kv(("--persist-to", str(tmp_path / f"new-{file}")), kv_here.capture)
        await elsewhere("restore", file)
        there = DataDir.open(tmp_path / f"new-{file}")

        assert there.api_token() == own
        async with SQLiteState(there.path, clock) as state:
            token = await state.api_tokens.check(named, now=clock.now())
            assert token is not None
            assert token.name == "publisher"
            document = await state.documents("access").get("session", "s1")
        assert document is not None
        assert document.value == {"user": "ann"}
        key = there.path / "secrets" / "access" / "key.pem"
        assert key.exists() is (file == "whole")
        assert {stat.S_IMODE(each.stat().st_mode) for each in there.path.rglob("*") if each.is_file()} == {0o600}
        assert (await elsewhere("key", "get", "k", "--namespace-id", "ns")).out == "v"


async def test_restore_replaces_nothing_unasked(kv_here: Kv, namespace: KVNamespace, store: KVStore) -> None:
    await namespace.put("k", "before")
    await kv_here("backup", "b")
    await namespace.put("k", "after")
    await store.close()

    said = (await kv_here("restore", "b", status=1)).err

    assert "has kv.sqlite already; --force replaces what is there" in said
    assert (await kv_here("key", "get", "k", "--namespace-id", "ns")).out == "after"


@pytest.mark.parametrize("name", ["../evil", "secrets/../../evil", "secrets/./x", "/etc/x", "other", "tls/a b"])
async def test_a_backup_that_names_other_files_is_not_restored(
    kv_here: Kv, namespace: KVNamespace, tmp_path: Path, name: str
) -> None:
    await namespace.put("k", "v")
    await kv_here("backup", "b")
    with closing(sqlite3.connect(tmp_path / "b", isolation_level=None)) as connection:
        connection.execute("INSERT INTO edgeworker_backup VALUES (?, x'00')", (name,))

    elsewhere = Kv(("--persist-to", str(tmp_path / "new")), kv_here.capture)
    said = (await elsewhere("restore", "b", status=1)).err

    assert "does not belong into a data directory" in said
    assert names_in(tmp_path / "new") == []


async def test_a_newer_or_damaged_state_is_not_restored(kv_here: Kv, namespace: KVNamespace, tmp_path: Path) -> None:
    await namespace.put("k", "v")
    async with SQLiteState(tmp_path / "data", SystemClock()) as state:
        await state.documents("access").put("a", "b", {})
    await kv_here("backup", "b")
    newer = sqlite3.connect(":memory:")
    newer.execute("PRAGMA user_version = 999")
    newer.execute(f"PRAGMA application_id = {SCHEMA.application_id}")
    elsewhere = Kv(("--persist-to", str(tmp_path / "new")), kv_here.capture)

    for content, said in (
        (newer.serialize(), "was written by a newer edgeworker"),
        (b"SQLite format 3" * 99, "damaged"),
    ):
        with closing(sqlite3.connect(tmp_path / "b", isolation_level=None)) as connection:
            connection.execute("UPDATE edgeworker_backup SET content = ? WHERE name = 'state.sqlite'", (content,))
        assert said in (await elsewhere("restore", "b", status=1)).err
        assert names_in(tmp_path / "new") == []
    newer.close()


async def test_stats_say_how_much_there_is(kv_here: Kv, namespace: KVNamespace) -> None:
    await namespace.put("k", "1234", expiration_ttl=60)
    await namespace.put("large", bytes(100_000))

    out = (await kv_here("stats")).out

    assert "ns         tokens  2     100,004          1            0" in out
    assert "database " in out


async def test_without_a_database_or_a_file_that_is_told(kv_here: Kv, tmp_path: Path) -> None:
    for command in (("stats",), ("backup", "b")):
        assert "there is no KV database" in (await kv_here(*command, status=1)).err
    assert "missing: there is no such file" in (await kv_here("restore", "missing", status=1)).err
    assert names_in(tmp_path) == []
