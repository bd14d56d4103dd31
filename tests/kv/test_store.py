"""The contract of every store: the same tests for each of tests/kv/stores.py."""

from collections.abc import AsyncIterator

import pytest

from edgeworker.config import Namespace
from edgeworker.errors import KVError
from edgeworker.kv.store import LATER, Entry, KVStore, ListedKey

LARGE = bytes(range(256)) * 1024  # 256 KiB: several pieces


async def _stream(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


async def _names(store: KVStore, *, prefix: str = "", after: str = "", limit: int = 1000, now: int = 0) -> list[str]:
    listed = await store.list_keys("ns", prefix=prefix, after=after, limit=limit, now=now)
    return [key.name for key in listed]


async def test_what_was_put_is_there(store: KVStore) -> None:
    entry = Entry(b"v", expires_at=100, metadata='{"a":1}')
    await store.put("ns", "k", entry)

    assert await store.get("ns", "k", now=0) == entry
    assert await store.get("ns", "other", now=0) is None
    assert await store.get("other", "k", now=0) is None


async def test_what_can_be_told_without_waiting_is_what_get_finds(store: KVStore) -> None:
    await store.put("ns", "k", Entry(b"v", expires_at=100, metadata="1"))
    await store.put("ns", "large", Entry(LARGE))

    assert store.peek("ns", "k", now=99) in (b"v", LATER)
    assert store.peek("ns", "k", now=100) in (None, LATER)
    assert store.peek("ns", "missing", now=0) in (None, LATER)
    assert store.peek("other", "k", now=0) in (None, LATER)
    assert store.peek("ns", "large", now=0) in (LARGE, LATER)


async def test_an_entry_is_peeked_at_as_it_was_put(store: KVStore) -> None:
    entry = Entry(b"v", 100, '{"m": 1}')
    await store.put("ns", "k", entry)

    assert store.peek_entry("ns", "k", now=99) in (entry, LATER)
    assert store.peek_entry("ns", "k", now=100) in (None, LATER)
    assert store.peek_entry("ns", "missing", now=0) in (None, LATER)


async def test_an_empty_value_is_a_value(store: KVStore) -> None:
    await store.put("ns", "k", Entry(b""))

    assert await store.get("ns", "k", now=0) == Entry(b"")


async def test_a_put_replaces_value_expiry_and_metadata(store: KVStore) -> None:
    await store.put("ns", "k", Entry(b"old", expires_at=100, metadata="1"))
    await store.put("ns", "k", Entry(b"new"))

    assert await store.get("ns", "k", now=200) == Entry(b"new")


async def test_an_entry_is_gone_at_its_expiry_second(store: KVStore) -> None:
    await store.put("ns", "k", Entry(b"v", expires_at=100))

    assert await store.get("ns", "k", now=99) == Entry(b"v", expires_at=100)
    assert await _names(store, now=99) == ["k"]
    assert await store.get("ns", "k", now=100) is None
    assert await store.stream("ns", "k", now=100) is None
    assert await _names(store, now=100) == []


async def test_an_expired_key_can_be_written_again(store: KVStore) -> None:
    await store.put("ns", "k", Entry(b"old", expires_at=100))
    await store.put("ns", "k", Entry(b"new"))
    await store.sweep(now=200)

    assert await store.get("ns", "k", now=200) == Entry(b"new")


async def test_deleting_is_for_good_and_may_be_repeated(store: KVStore) -> None:
    await store.put_many("ns", [("a", Entry(b"1")), ("b", Entry(b"2")), ("c", Entry(b"3"))])
    await store.delete("ns", ["a", "b", "missing"])
    await store.delete("ns", ["a"])
    await store.delete("no such namespace", ["a"])

    assert await _names(store) == ["c"]


async def test_many_entries_are_put_at_once_and_the_last_of_a_key_stays(store: KVStore) -> None:
    await store.put_many("ns", [("k", Entry(b"1")), ("large", Entry(LARGE, 50, "2")), ("k", Entry(b"3"))])

    assert await store.get("ns", "k", now=0) == Entry(b"3")
    assert await store.get("ns", "large", now=0) == Entry(LARGE, 50, "2")


@pytest.mark.parametrize("value", [b"", b"small", LARGE, LARGE + b"x"])
async def test_a_value_comes_back_whole_and_in_pieces(store: KVStore, value: bytes) -> None:
    await store.put("ns", "k", Entry(value, expires_at=100, metadata='"m"'))

    assert await store.get("ns", "k", now=0) == Entry(value, expires_at=100, metadata='"m"')
    opened = await store.stream("ns", "k", now=0)
    assert opened is not None
    assert (opened.size, opened.expires_at, opened.metadata) == (len(value), 100, '"m"')
    pieces = [piece async for piece in opened.pieces]
    assert b"".join(pieces) == value
    assert max(map(len, pieces), default=0) <= 64 * 1024


@pytest.mark.parametrize("pieces", [[], [b""], [b"a", b"", b"b"], [LARGE, b"end"], [b"x"] * 1000, [b"12345"] * 40_000])
async def test_a_stream_is_stored_like_its_bytes(store: KVStore, pieces: list[bytes]) -> None:
    await store.put_stream("ns", "k", _stream(*pieces), expires_at=100, metadata="{}")

    assert await store.get("ns", "k", now=0) == Entry(b"".join(pieces), 100, "{}")


@pytest.mark.parametrize("before", [b"small", LARGE])
async def test_a_stream_that_breaks_changes_nothing(store: KVStore, before: bytes) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield LARGE
        raise ConnectionResetError("gone")

    await store.put("ns", "k", Entry(before))
    with pytest.raises(ConnectionResetError):
        await store.put_stream("ns", "k", broken())

    assert await store.get("ns", "k", now=0) == Entry(before)


async def test_a_value_that_is_being_read_does_not_change(store: KVStore) -> None:
    await store.put("ns", "k", Entry(LARGE))
    opened = await store.stream("ns", "k", now=0)
    assert opened is not None
    first = await anext(opened.pieces)
    await store.put("ns", "k", Entry(b"x" * len(LARGE)))
    await store.sweep(now=0)

    assert first + b"".join([piece async for piece in opened.pieces]) == LARGE
    assert await store.get("ns", "k", now=0) == Entry(b"x" * len(LARGE))


async def test_large_and_small_values_replace_each_other(store: KVStore) -> None:
    for value in (b"small", LARGE, LARGE[::-1], b"", LARGE):
        await store.put("ns", "k", Entry(value))
        assert await store.get("ns", "k", now=0) == Entry(value)

    await store.delete("ns", ["k"])
    assert await store.get("ns", "k", now=0) is None


async def test_a_list_is_in_the_order_of_utf8_bytes(store: KVStore) -> None:
    # Recorded from workerd; UTF-16 would put the emoji before U+FFFD.
    names = ["Z", "a", "b", "é", "\ufffd", "😀"]
    for name in reversed(names):
        await store.put("ns", name, Entry(b""))

    assert await _names(store) == names


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        ("", ["%", "%a", "A", "_", "a", "a\x00", "a\x00b", "a%", "ab", "aé"]),
        ("a", ["a", "a\x00", "a\x00b", "a%", "ab", "aé"]),
        ("a\x00", ["a\x00", "a\x00b"]),
        ("%", ["%", "%a"]),
        ("_", ["_"]),
        ("a%", ["a%"]),
        ("é", []),
        ("z", []),
    ],
)
async def test_a_prefix_is_exact(store: KVStore, prefix: str, expected: list[str]) -> None:
    for name in ["ab", "a", "a\x00", "a\x00b", "a%", "aé", "_", "%", "%a", "A"]:
        await store.put("ns", name, Entry(b""))

    assert await _names(store, prefix=prefix) == expected


async def test_a_list_goes_on_after_a_name_that_need_not_be_there(store: KVStore) -> None:
    for name in ("a", "b", "c", "d"):
        await store.put("ns", name, Entry(b""))

    assert await _names(store, after="b", limit=1) == ["c"]
    assert await _names(store, after="bb") == ["c", "d"]
    assert await _names(store, prefix="d", after="a") == ["d"]
    assert await _names(store, prefix="a", after="b") == []


async def test_a_list_tells_expiry_and_metadata(store: KVStore) -> None:
    await store.put("ns", "k", Entry(LARGE, expires_at=100, metadata='{"a":1}'))

    assert await store.list_keys("ns", prefix="", after="", limit=10, now=0) == [ListedKey("k", 100, '{"a":1}')]


async def test_sweeping_goes_in_steps_and_removes_only_what_is_gone(store: KVStore) -> None:
    await store.put_many("ns", [(f"gone{n}", Entry(b"", expires_at=100)) for n in range(10)])
    await store.put_many("ns", [("later", Entry(b"", expires_at=101)), ("never", Entry(b""))])

    assert await store.sweep(now=99) == 0
    assert [await store.sweep(now=100, limit=4) for _ in range(4)] == [4, 4, 2, 0]
    assert await _names(store, now=0) == ["later", "never"]


async def test_namespaces_are_kept_in_the_order_of_creation(store: KVStore) -> None:
    await store.namespaces.create(Namespace("2", "two"))
    await store.namespaces.create(Namespace("1", "one"))

    assert await store.namespaces.all() == [Namespace("2", "two"), Namespace("1", "one")]
    assert await store.namespaces.get("1") == Namespace("1", "one")
    assert await store.namespaces.get("3") is None


async def test_a_title_belongs_to_one_namespace(store: KVStore) -> None:
    await store.namespaces.create(Namespace("1", "one"))
    await store.namespaces.create(Namespace("2", "two"))

    for taken in (Namespace("3", "one"), Namespace("1", "three")):
        with pytest.raises(KVError, match="already exists"):
            await store.namespaces.create(taken)
    with pytest.raises(KVError, match="already exists"):
        await store.namespaces.rename("2", "one")


async def test_a_namespace_can_be_renamed(store: KVStore) -> None:
    await store.namespaces.create(Namespace("1", "one"))
    await store.namespaces.rename("1", "one")
    await store.namespaces.rename("1", "uno")

    assert await store.namespaces.get("1") == Namespace("1", "uno")
    with pytest.raises(KVError, match=r"^namespace not found$"):
        await store.namespaces.rename("2", "two")


async def test_a_deleted_namespace_takes_its_entries_along(store: KVStore) -> None:
    await store.namespaces.create(Namespace("ns", "title"))
    await store.put_many("ns", [("k", Entry(b"v")), ("large", Entry(LARGE))])
    await store.put("other", "k", Entry(b"other"))
    await store.namespaces.delete("ns")

    assert await store.get("ns", "k", now=0) is None
    await store.namespaces.create(Namespace("ns", "title"))
    assert await _names(store) == []
    while await store.sweep(now=0):
        pass
    assert await store.get("other", "k", now=0) == Entry(b"other")
    with pytest.raises(KVError, match=r"^namespace not found$"):
        await store.namespaces.delete("missing")


async def test_the_first_write_makes_a_namespace(store: KVStore) -> None:
    assert await store.get("ns", "k", now=0) is None
    assert await store.namespaces.all() == []
    await store.put("ns", "k", Entry(b"v"))

    assert await store.namespaces.all() == [Namespace("ns", "ns")]


async def test_registering_leaves_what_is_there(store: KVStore) -> None:
    await store.namespaces.create(Namespace("1", "one"))
    await store.namespaces.register([Namespace("1", "other"), Namespace("2", "two")])
    await store.namespaces.register([Namespace("2", "two")])

    assert await store.namespaces.all() == [Namespace("1", "one"), Namespace("2", "two")]
