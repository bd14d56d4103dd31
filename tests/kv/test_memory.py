"""What only the store in memory does; the rest is its contract, test_store.py."""

from edgeworker.kv.memory import MemoryStore
from edgeworker.kv.store import Entry


async def test_two_stores_share_nothing() -> None:
    first, second = MemoryStore(), MemoryStore()
    await first.put("ns", "k", Entry(b"v"))

    assert await second.get("ns", "k", now=0) is None


async def test_a_closed_store_is_empty() -> None:
    store = MemoryStore()
    await store.put("ns", "k", Entry(b"v"))
    await store.close()

    assert await store.get("ns", "k", now=0) is None
