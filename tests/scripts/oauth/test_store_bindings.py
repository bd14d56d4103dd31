"""However a store fails, it is `Unavailable`: nothing is decided without it."""

from collections.abc import Awaitable, Callable
from types import SimpleNamespace

import pytest

from issuer.store_bindings import GuardedAtomic, GuardedNamespace, Unavailable
from tests.scripts.oauth.in_memory import PAGE_KEYS, MemoryAtomic, MemoryKV


def test_a_missing_namespace_is_named() -> None:
    with pytest.raises(Unavailable, match="there is no KV binding USERS"):
        GuardedNamespace.bound(SimpleNamespace(), "USERS")


async def test_entries_are_written_with_their_time_to_live() -> None:
    kv = MemoryKV()
    namespace = GuardedNamespace(kv, "TOKENS")
    await namespace.put("a", "1", 60)
    await namespace.put("b", "2")

    assert [await namespace.get(key) for key in "abc"] == ["1", "2", None]
    assert kv.options == {"a": {"expirationTtl": 60}, "b": {}}
    await namespace.delete("a")
    assert await namespace.get("a") is None


@pytest.mark.parametrize("count", [0, 1, PAGE_KEYS, PAGE_KEYS + 1, 3 * PAGE_KEYS])
async def test_a_listing_has_every_page(count: int) -> None:
    names = [f"g:{number}" for number in range(count)]
    kv = MemoryKV(dict.fromkeys([*names, "h:1"], ""))

    assert await GuardedNamespace(kv, "TOKENS").keys("g:") == names


@pytest.mark.parametrize("call", ["get", "put", "delete", "list"])
async def test_a_call_that_fails_names_namespace_and_call(call: str) -> None:
    namespace = GuardedNamespace(MemoryKV(broken={call}), "TOKENS")
    calls: dict[str, Callable[[], Awaitable[object]]] = {
        "get": lambda: namespace.get("secret"),
        "put": lambda: namespace.put("secret", "value"),
        "delete": lambda: namespace.delete("secret"),
        "list": lambda: namespace.keys("secret"),
    }

    with pytest.raises(Unavailable, match=rf"TOKENS\.{call}: OSError"):
        await calls[call]()


def test_atomic_may_be_missing() -> None:
    assert GuardedAtomic.bound(SimpleNamespace()) is None
    assert isinstance(GuardedAtomic.bound(SimpleNamespace(ATOMIC=MemoryAtomic())), GuardedAtomic)


@pytest.mark.parametrize("call", ["get", "take", "put_if_absent", "compare_and_put"])
async def test_atomic_that_fails_decides_nothing(call: str) -> None:
    atomic = GuardedAtomic(MemoryAtomic(broken={call}))
    calls: dict[str, Callable[[], Awaitable[object]]] = {
        "get": lambda: atomic.get("k"),
        "take": lambda: atomic.take("k"),
        "put_if_absent": lambda: atomic.put_if_absent("k", "v", 60),
        "compare_and_put": lambda: atomic.compare_and_put("k", "v", "w", 60),
    }

    with pytest.raises(Unavailable, match=rf"ATOMIC\.{call}: OSError"):
        await calls[call]()


@pytest.mark.parametrize("entries", [{}, {"k": "old"}])
@pytest.mark.parametrize("interruptions", [0, 1, 19])
async def test_a_value_is_replaced_whatever_was_there(entries: dict[str, str], interruptions: int) -> None:
    service = MemoryAtomic(dict(entries), interruptions=interruptions)

    await GuardedAtomic(service).replace("k", "new", 60)

    assert service.entries == {"k": "new"}


async def test_a_value_that_never_stands_still_is_given_up() -> None:
    service = MemoryAtomic({"k": "old"}, interruptions=1000)

    with pytest.raises(Unavailable, match="changed 20 times"):
        await GuardedAtomic(service).replace("k", "new", 60)

    assert service.entries == {"k": "old"}
