from pathlib import Path

from edgeworker.config import KVSettings
from edgeworker.host.storage import Storage
from edgeworker.kv.namespace import KVNamespace
from edgeworker.testing.clock import MovableClock


async def _seen_after_a_write(folder: Path, settings: KVSettings, *, seconds: int) -> str | None:
    """What a worker sees so many seconds after the REST API replaced a value."""
    clock = MovableClock(1_000_000)  # the delay is drawn from the second of the write, too
    storage = Storage.open(folder / "kv.sqlite", settings, clock)
    try:
        api, edge = (KVNamespace(store, "ns", clock) for store in (storage.api, storage.edge))
        await api.put("key", "old")
        clock.advance(1000)
        await api.put("key", "new")
        clock.advance(seconds)
        value = await edge.get("key")
        return None if value is None else value.decode()
    finally:
        await storage.close()


async def test_a_write_is_seen_at_once_where_nothing_else_is_wanted(tmp_path: Path) -> None:
    assert await _seen_after_a_write(tmp_path, KVSettings(), seconds=0) == "new"


async def test_in_eventual_mode_workers_see_what_the_api_wrote_later(tmp_path: Path) -> None:
    settings = KVSettings(consistency="eventual", visibility_delay_seconds=60, seed=1)

    assert await _seen_after_a_write(tmp_path / "a", settings, seconds=0) == "old"
    assert await _seen_after_a_write(tmp_path / "b", settings, seconds=61) == "new"
