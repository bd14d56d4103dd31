from collections.abc import AsyncIterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeworker.kv.eventual import EventualStore, EventualStores
from edgeworker.kv.memory import MemoryStore
from edgeworker.kv.store import Entry
from tests.kv.clocks import FakeClock


class _Two:
    """The same store from two locations; `delay_seconds` is what each write takes to arrive at most."""

    def __init__(self, clock: FakeClock, *, seed: int = 0, delay_seconds: int = 60) -> None:
        self.clock = clock
        self.store = MemoryStore()
        stores = EventualStores(self.store, clock, seed=seed, delay_seconds=delay_seconds)
        self.here, self.there = stores.at("here"), stores.at("there")
        assert stores.at("here") is self.here

    async def see(self, location: EventualStore, key: str = "k") -> bytes | None:
        entry = await location.get("ns", key, now=self.clock.now())
        stream = await location.stream("ns", key, now=self.clock.now())
        assert (None if stream is None else b"".join([piece async for piece in stream.pieces])) == (
            None if entry is None else entry.value
        )
        return None if entry is None else entry.value

    async def names(self, location: EventualStore, *, limit: int = 100, after: str = "") -> list[str]:
        keys = await location.list_keys("ns", prefix="k", after=after, limit=limit, now=self.clock.now())
        return [key.name for key in keys]

    async def until_seen(self, value: bytes | None, key: str = "k") -> int:
        """How many seconds it takes until `there` sees it."""
        for seconds in range(200):
            if await self.see(self.there, key) == value:
                return seconds
            self.clock.advance(1)
        raise AssertionError("never seen")


@pytest.fixture
def two(clock: FakeClock) -> _Two:
    return _Two(clock)


async def test_a_write_is_seen_at_once_where_it_was_made(two: _Two) -> None:
    assert await two.see(two.here) is None
    await two.here.put("ns", "k", Entry(b"1"))
    assert await two.see(two.here) == b"1"
    await two.here.delete("ns", ["k"])
    assert await two.see(two.here) is None


async def test_a_write_is_seen_elsewhere_within_the_delay(two: _Two) -> None:
    delays = []
    for number in range(20):
        await two.here.put("ns", f"k{number}", Entry(b"old"))
    two.clock.advance(61)
    for number in range(20):
        await two.here.put("ns", f"k{number}", Entry(b"new"))
    for number in range(20):
        begun = two.clock.now()
        delays.append(await two.until_seen(b"new", f"k{number}"))
        two.clock.seconds = begun

    assert 0 <= min(delays) < 20
    assert 50 < max(delays) <= 60


async def test_each_write_arrives_within_the_delay_however_many_follow(two: _Two) -> None:
    for second in range(200):
        await two.here.put("ns", "k", Entry(str(second).encode()))
        seen = await two.see(two.there)
        assert seen is None or int(seen) >= second - 60
        assert seen is not None or second <= 60
        two.clock.advance(1)


async def test_a_missing_key_is_remembered(two: _Two) -> None:
    assert await two.see(two.there) is None
    await two.store.put("ns", "k", Entry(b"from another process"))

    two.clock.advance(59)
    assert await two.see(two.there) is None
    two.clock.advance(1)
    assert await two.see(two.there) == b"from another process"


async def test_expiry_wins_over_what_is_remembered(two: _Two) -> None:
    await two.here.put("ns", "k", Entry(b"old", expires_at=two.clock.now() + 61))
    two.clock.advance(60)
    assert await two.see(two.there) == b"old"
    await two.here.put("ns", "k", Entry(b"new"))

    two.clock.advance(1)
    assert await two.see(two.there) in (None, b"new")


async def test_who_writes_sees_its_own_write_whatever_was_on_its_way(two: _Two) -> None:
    await two.here.put("ns", "k", Entry(b"here"))
    await two.there.put("ns", "k", Entry(b"there"))

    assert await two.see(two.there) == b"there"
    assert await two.see(two.here) in (b"here", b"there")


async def test_a_list_shows_what_single_reads_show(two: _Two) -> None:
    await two.here.put_many("ns", [(f"k{number}", Entry(b"", metadata="1")) for number in range(20)])
    two.clock.advance(61)
    await two.here.delete("ns", [f"k{number}" for number in range(0, 20, 2)])
    await two.here.put_many("ns", [(f"kk{number}", Entry(b"")) for number in range(20)])
    assert await two.names(two.here) == sorted(
        [*(f"k{number}" for number in range(1, 20, 2)), *(f"kk{number}" for number in range(20))]
    )
    for _ in range(61):
        listed = await two.names(two.there)
        keys = [f"k{number}" for number in range(20)] + [f"kk{number}" for number in range(20)]
        now = two.clock.now()
        store = two.there
        assert listed == sorted([key for key in keys if await store.get("ns", key, now=now) is not None])
        assert await two.names(two.there, limit=5) == listed[:5]
        assert await two.names(two.there, limit=5, after=listed[3]) == listed[4:9]
        two.clock.advance(1)
    assert await two.names(two.there) == await two.names(two.here)


async def test_a_stream_is_delayed_too(two: _Two) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"new"

    await two.here.put("ns", "k", Entry(b"old"))
    two.clock.advance(61)
    await two.here.put_stream("ns", "k", pieces())

    assert await two.see(two.here) == b"new"
    assert await two.see(two.there) == b"old"
    two.clock.advance(61)
    assert await two.see(two.there) == b"new"


async def test_without_a_delay_all_see_the_same() -> None:
    two = _Two(FakeClock(), delay_seconds=0)
    assert await two.see(two.there) is None
    await two.here.put("ns", "k", Entry(b"1"))

    assert await two.see(two.there) == b"1"


@settings(max_examples=30)
@given(st.integers(), st.integers(0, 60))
async def test_the_seed_decides(seed: int, delay: int) -> None:
    delays = []
    for _ in range(2):
        two = _Two(FakeClock(), seed=seed, delay_seconds=delay)
        await two.here.put("ns", "k", Entry(b"1"))
        delays.append(await two.until_seen(b"1"))

    assert delays[0] == delays[1]
    assert min(1, delay) <= delays[0] <= delay


async def test_random_keys_have_the_delays_of_the_seed() -> None:
    delays = []
    for run in "first", "second":
        two = _Two(FakeClock(), seed=7, delay_seconds=60)
        keys = [f"{run}-{number}" for number in range(3)]
        for key in keys:
            await two.here.put("ns", key, Entry(b"1"))
        seen: dict[str, int] = {}
        for second in range(61):
            for key in keys:
                if await two.there.get("ns", key, now=two.clock.now()):
                    seen.setdefault(key, second)
            two.clock.advance(1)
        delays.append([seen[key] for key in keys])

    assert delays[0] == delays[1]
    assert len(set(delays[0])) > 1


async def test_what_is_out_of_date_is_not_kept(two: _Two) -> None:
    for second in range(3):
        await two.here.put_many("ns", [(f"k{second}.{number}", Entry(b"")) for number in range(1000)])
        two.clock.advance(61)

    assert len(await two.names(two.there, limit=5000)) == 3000
    for number in range(1000):
        assert await two.see(two.there, f"missing{number}") is None
    two.clock.advance(61)
    assert await two.see(two.there, "missing") is None
    assert await two.there.sweep(now=two.clock.now()) == 0
