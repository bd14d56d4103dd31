from pathlib import Path

from edgeworker.config import Namespace
from edgeworker.kv.sqlite import SQLiteStore
from edgeworker.kv.sqlite.stats import NamespaceStats, stats
from edgeworker.kv.store import Entry


async def test_keys_bytes_and_expiries_are_counted_for_each_namespace(tmp_path: Path) -> None:
    store = SQLiteStore.open(tmp_path / "kv.sqlite")
    await store.namespaces.register([Namespace("empty", "b"), Namespace("ns", "a")])
    await store.put("ns", "gone", Entry(b"12", expires_at=50))
    await store.put("ns", "later", Entry(b"345", expires_at=51))
    await store.put("ns", "large", Entry(bytes(70_000)))

    found = stats(tmp_path / "kv.sqlite", now=50)
    await store.close()

    assert found.namespaces == (
        NamespaceStats("ns", "a", keys=3, value_bytes=70_005, expiring=2, expired=1),
        NamespaceStats("empty", "b", keys=0, value_bytes=0, expiring=0, expired=0),
    )
    assert found.log_bytes > 0
    assert stats(tmp_path / "kv.sqlite", now=50).file_bytes > 70_000
