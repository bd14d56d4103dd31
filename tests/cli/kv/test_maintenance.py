import stat
from pathlib import Path

from edgeworker.kv.namespace import KVNamespace
from edgeworker.kv.store import KVStore
from tests.cli.kv.commands import Kv, names_in


async def test_a_running_edge_is_backed_up_and_restored_when_it_has_stopped(
    kv_here: Kv, store: KVStore, namespace: KVNamespace, tmp_path: Path
) -> None:
    await namespace.put("k", "before")
    assert "ok: b.sqlite: " in (await kv_here("backup", "b.sqlite")).out
    assert stat.S_IMODE((tmp_path / "b.sqlite").stat().st_mode) == 0o600
    await namespace.put("k", "after")
    assert "is there already; a backup overwrites nothing" in (await kv_here("backup", "b.sqlite", status=1)).err
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
