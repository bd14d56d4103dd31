from collections.abc import AsyncIterator

import pytest

from edgeworker.errors import StoreError
from edgeworker.kv.faulty import FaultRates, FaultyStore
from edgeworker.kv.memory import MemoryStore
from edgeworker.kv.store import Entry
from tests.kv.clocks import FakeClock


async def _failures(store: FaultyStore, calls: int) -> list[int]:
    failed = []
    for number in range(calls):
        try:
            await store.get("ns", "k", now=0)
        except StoreError:
            failed.append(number)
    return failed


async def test_without_faults_nothing_fails(clock: FakeClock) -> None:
    assert await _failures(FaultyStore(MemoryStore(), clock, FaultRates()), 100) == []


async def test_a_share_of_the_calls_fails_by_seed(clock: FakeClock) -> None:
    first = await _failures(FaultyStore(MemoryStore(), clock, FaultRates(failing=0.3, seed=1)), 1000)
    again = await _failures(FaultyStore(MemoryStore(), clock, FaultRates(failing=0.3, seed=1)), 1000)
    other = await _failures(FaultyStore(MemoryStore(), clock, FaultRates(failing=0.3, seed=2)), 1000)

    assert 250 < len(first) < 350
    assert first == again != other


async def test_a_share_of_the_calls_is_slow(clock: FakeClock) -> None:
    store = FaultyStore(MemoryStore(), clock, FaultRates(slow=0.5, delay_seconds=2, seed=1))
    before = clock.seconds
    for _ in range(100):
        await store.get("ns", "k", now=0)

    assert 60 < clock.seconds - before < 140


async def test_every_call_can_fail_and_says_which_it_was(clock: FakeClock) -> None:
    store = FaultyStore(MemoryStore(), clock, FaultRates(failing=1, seed=7))

    async def pieces() -> AsyncIterator[bytes]:
        yield b""

    for name, call in {
        "get": store.get("ns", "k", now=0),
        "stream": store.stream("ns", "k", now=0),
        "put": store.put("ns", "k", Entry(b"")),
        "put_stream": store.put_stream("ns", "k", pieces()),
        "put_many": store.put_many("ns", [("k", Entry(b""))]),
        "delete": store.delete("ns", ["k"]),
        "list_keys": store.list_keys("ns", prefix="", after="", limit=1, now=0),
    }.items():
        with pytest.raises(StoreError, match=rf"failed on purpose: call \d \({name}\), seed 7"):
            await call

    store.faults = FaultRates()
    assert await store.namespaces.all() == []
