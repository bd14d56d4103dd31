from collections.abc import AsyncIterator

import pytest

from edgeworker.errors import KVError, KVTypeError
from edgeworker.kv.namespace import FoundValue, KeyListPage, KeyValuePair, KVNamespace, KVReads, ListResultKey, Value
from edgeworker.kv.store import LATER, KVStore
from tests.kv.clocks import FakeClock

MIB = 1024 * 1024


@pytest.fixture
def namespace(store: KVStore, clock: FakeClock) -> KVNamespace:
    return KVNamespace(store, "ns", clock)


class _Source:
    """Pieces of one size without end, and whether they were given up."""

    def __init__(self, piece: bytes) -> None:
        self.piece = piece
        self.given = 0
        self.closed = False

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        self.given += 1
        return self.piece

    async def aclose(self) -> None:
        self.closed = True


@pytest.mark.parametrize(
    ("value", "expected"),
    [("é", "é".encode()), (b"a\xff", b"a\xff"), (bytearray(b"ab"), b"ab"), (memoryview(b"ab"), b"ab"), ("", b"")],
)
async def test_text_and_bytes_can_be_put(namespace: KVNamespace, value: Value, expected: bytes) -> None:
    await namespace.put("k", value)

    assert await namespace.get("k") == expected


async def test_a_stream_can_be_put_and_read(namespace: KVNamespace) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"a" * MIB
        yield b"b"

    await namespace.put("k", pieces(), metadata={"a": 1}, expiration_ttl=60)

    found = await namespace.get_stream("k")
    assert found is not None
    assert (found.size, found.metadata, found.expires_at) == (MIB + 1, {"a": 1}, 1_000_060)
    assert b"".join([piece async for piece in found.pieces]) == b"a" * MIB + b"b"
    assert await namespace.get_stream("missing") is None


async def test_metadata_and_expiry_come_back(namespace: KVNamespace) -> None:
    await namespace.put("k", "v", metadata=["m"], expiration=1_000_100)

    assert await namespace.get_with_metadata("k") == FoundValue(b"v", ["m"], 1_000_100)
    assert await namespace.get_with_metadata("missing") is None


async def test_expiry_follows_the_clock(namespace: KVNamespace, clock: FakeClock) -> None:
    await namespace.put("k", "v", expiration_ttl=60)

    clock.advance(59)
    assert await namespace.get("k") == b"v"
    clock.advance(1)
    assert await namespace.get("k") is None
    assert await namespace.get_with_metadata("k") is None
    assert await namespace.get_stream("k") is None
    assert await namespace.get_many(["k"]) == {"k": None}
    assert await namespace.list() == KeyListPage(())


async def test_the_limit_of_a_value_holds_for_each_kind(namespace: KVNamespace) -> None:
    await namespace.put("k", b"x" * 25 * MIB)
    source = _Source(b"x" * MIB)
    for value in (b"x" * (25 * MIB + 1), "x" * (25 * MIB + 1), source):
        with pytest.raises(KVError, match=r"^Value length of 2\d{7} exceeds limit of 26214400\.$"):
            await namespace.put("k", value)

    assert (source.given, source.closed) == (26, True)
    assert len(await namespace.get("k") or b"") == 25 * MIB


async def test_a_bulk_get_answers_each_key_once_in_order(namespace: KVNamespace) -> None:
    await namespace.put("a", "1", metadata="m")
    await namespace.put("b", "2")

    found = await namespace.get_many(["b", "missing", "a", "b"])

    assert list(found.items()) == [("b", FoundValue(b"2")), ("missing", None), ("a", FoundValue(b"1", "m"))]


async def test_a_bulk_get_is_limited_in_size(namespace: KVNamespace) -> None:
    await namespace.put("a", b"x" * 13 * MIB)
    await namespace.put("b", b"x" * 13 * MIB)

    with pytest.raises(KVError, match="exceeds the limit of 25MB"):
        await namespace.get_many(["a", "b"])
    assert len(await namespace.get_many(["a", "a"])) == 1


async def test_many_pairs_are_written_with_their_own_options(namespace: KVNamespace) -> None:
    await namespace.put_many(
        [
            KeyValuePair("a", "1", expiration_ttl=60),
            KeyValuePair("b", b"2", metadata={"m": 1}),
            KeyValuePair("c", "3", expiration=1_000_100),
        ]
    )

    assert (await namespace.list()).keys == (
        ListResultKey("a", 1_000_060),
        ListResultKey("b", None, {"m": 1}),
        ListResultKey("c", 1_000_100),
    )


async def test_one_bad_pair_and_nothing_is_written(namespace: KVNamespace) -> None:
    with pytest.raises(KVError, match="expiration_ttl of 1"):
        await namespace.put_many([KeyValuePair("a", "1"), KeyValuePair("b", "2", expiration_ttl=1)])

    assert await namespace.list() == KeyListPage(())


async def test_many_keys_are_deleted_at_once(namespace: KVNamespace) -> None:
    await namespace.put_many([KeyValuePair("a", "1"), KeyValuePair("b", "2"), KeyValuePair("c", "3")])
    await namespace.delete_many(["a", "c", "missing"])
    await namespace.delete("missing")

    assert [key.name for key in (await namespace.list()).keys] == ["b"]


async def test_pages_follow_each_other(namespace: KVNamespace) -> None:
    names = [f"k{n:04}" for n in range(1001)]
    await namespace.put_many([KeyValuePair(name, "") for name in names])

    first = await namespace.list()
    second = await namespace.list(cursor=first.cursor)
    exact = await namespace.list(prefix="k0", limit=1000)

    assert [key.name for key in first.keys + second.keys] == names
    assert (len(first.keys), second.cursor) == (1000, None)
    assert (len(exact.keys), exact.cursor) == (1000, None)


async def test_the_prefix_is_sent_again_with_the_cursor(namespace: KVNamespace) -> None:
    await namespace.put_many([KeyValuePair(name, "") for name in ("a1", "a2", "b1")])
    page = await namespace.list(prefix="a", limit=1)

    assert [key.name for key in (await namespace.list(prefix="a", cursor=page.cursor)).keys] == ["a2"]
    assert [key.name for key in (await namespace.list(cursor=page.cursor)).keys] == ["a2", "b1"]


async def test_every_call_checks_its_key(namespace: KVNamespace) -> None:
    for call in (
        namespace.get(".."),
        namespace.get_with_metadata(".."),
        namespace.get_stream(".."),
        namespace.put("..", ""),
        namespace.put_many([KeyValuePair("..", "")]),
        namespace.delete(".."),
        namespace.delete_many([".."]),
    ):
        with pytest.raises(KVTypeError, match=r'^"\.\." is not allowed as a key name'):
            await call


async def test_a_bulk_get_has_texts_of_its_own(namespace: KVNamespace) -> None:
    with pytest.raises(KVError, match=r'^Illegal key name "\.\."\. Please use a different name\.$'):
        await namespace.get_many(["k", ".."])
    with pytest.raises(KVError, match=r"^Key names must not be empty$"):
        await namespace.get_many([""])


async def test_every_read_checks_its_cache_ttl(namespace: KVNamespace) -> None:
    for call in (
        namespace.get("k", cache_ttl=29),
        namespace.get_with_metadata("k", cache_ttl=29),
        namespace.get_stream("k", cache_ttl=29),
        namespace.get_many(["k"], cache_ttl=29),
    ):
        with pytest.raises(KVError, match="Invalid cache_ttl of 29"):
            await call
    assert await namespace.get("k", cache_ttl=30) is None


async def test_a_list_checks_its_options(namespace: KVNamespace) -> None:
    with pytest.raises(KVError, match="UTF-8 encoded length of 513"):
        await namespace.list(prefix="x" * 513)
    with pytest.raises(KVError, match="key_count_limit of 1001"):
        await namespace.list(limit=1001)
    with pytest.raises(KVError, match="Invalid cursor"):
        await namespace.list(cursor="!")


async def test_namespaces_do_not_share_keys(store: KVStore, clock: FakeClock) -> None:
    await KVNamespace(store, "one", clock).put("k", "1")

    assert await KVNamespace(store, "two", clock).get("k") is None


async def test_each_key_that_is_read_is_counted_once(store: KVStore, clock: FakeClock) -> None:
    reads = KVReads()
    namespace = KVNamespace(store, "ns", clock, reads)
    await namespace.put("k", "v")

    for key in ("k", "none"):
        await namespace.get(key)
        await namespace.get_with_metadata(key)
        await namespace.get_stream(key)
        namespace.peek(key)
    await namespace.get_many(["k", "none"])

    peeked = namespace.peek("k") is not LATER
    assert (reads.found, reads.missing) == (6, 5) if peeked else (4, 4)
