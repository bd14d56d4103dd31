"""What only SQLite's registry does; the rest is the contract, tests/kv/test_store.py."""

from pathlib import Path

from edgeworker.config import Namespace
from edgeworker.kv.sqlite import SQLiteStore


async def test_namespaces_are_there_after_a_restart_and_in_other_processes(tmp_path: Path) -> None:
    first, second = (SQLiteStore.open(tmp_path / "kv.sqlite", durability="normal") for _ in range(2))
    await first.namespaces.create(Namespace("id", "title"))

    assert await second.namespaces.get("id") == Namespace("id", "title")
    await second.namespaces.rename("id", "renamed")
    await first.close()
    await second.close()

    third = SQLiteStore.open(tmp_path / "kv.sqlite", durability="normal")
    assert await third.namespaces.all() == [Namespace("id", "renamed")]
    await third.close()
