"""A namespace over each store does what a dict does, whatever is called in whatever order.

EDGEWORKER_MODEL_EXAMPLES sets how many runs are made for each store.
"""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from edgeworker.kv.namespace import FoundValue, KeyValuePair, KVNamespace, ListResultKey
from tests.kv.clocks import FakeClock
from tests.kv.stores import STORES, Opener

EXAMPLES = int(os.environ.get("EDGEWORKER_MODEL_EXAMPLES", "15"))

# Few, so that they meet again; with what is easily confused: case, prefixes, NUL, LIKE's wildcards, surrogate pairs.
KEYS = st.sampled_from(["a", "A", "ab", "a\x00", "a\x00b", "a%", "a_", "é", "\uffff", "😀", "\x00", "k" * 512])
PREFIXES = st.sampled_from(["", "a", "a\x00", "a%", "é", "😀", "z"])
VALUES = st.one_of(
    st.binary(max_size=20),
    st.builds(
        lambda size, byte: bytes([byte]) * size, st.sampled_from([65535, 65536, 65537, 200_000]), st.integers(0, 255)
    ),
)
TTLS = st.sampled_from([None, None, 60, 61, 120])
METADATA = st.sampled_from([None, None, 0, "", {"a": [1, "é"]}])


class Model(RuleBasedStateMachine):
    """`entries` has what was put and not deleted; what has expired stays in it and is left out on reading."""

    opener: Opener

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.clock = FakeClock()
        self.folder = tempfile.TemporaryDirectory()
        self.entries: dict[str, FoundValue] = {}
        self._open()

    def _open(self) -> None:
        async def opened() -> None:
            self.store = type(self).opener(Path(self.folder.name))

        self.runner.run(opened())
        self.namespace = KVNamespace(self.store, "ns", self.clock)

    def teardown(self) -> None:
        self.runner.run(self.store.close())
        self.runner.close()
        self.folder.cleanup()

    def _now(self, ttl: int | None) -> int | None:
        return None if ttl is None else self.clock.now() + ttl

    def _alive(self) -> dict[str, FoundValue]:
        now = self.clock.now()
        return {key: found for key, found in self.entries.items() if found.expires_at is None or found.expires_at > now}

    @rule(key=KEYS, value=VALUES, ttl=TTLS, metadata=METADATA)
    def put(self, key: str, value: bytes, ttl: int | None, metadata: int | str | None) -> None:
        self.runner.run(self.namespace.put(key, value, expiration_ttl=ttl, metadata=metadata))
        self.entries[key] = FoundValue(value, metadata, self._now(ttl))

    @rule(key=KEYS, pieces=st.lists(VALUES, max_size=4), ttl=TTLS)
    def put_stream(self, key: str, pieces: list[bytes], ttl: int | None) -> None:
        async def stream() -> AsyncIterator[bytes]:
            for piece in pieces:
                yield piece

        self.runner.run(self.namespace.put(key, stream(), expiration_ttl=ttl))
        self.entries[key] = FoundValue(b"".join(pieces), None, self._now(ttl))

    @rule(key=KEYS, value=VALUES)
    def put_a_stream_that_breaks(self, key: str, value: bytes) -> None:
        async def stream() -> AsyncIterator[bytes]:
            yield value
            raise ConnectionResetError

        with pytest.raises(ConnectionResetError):
            self.runner.run(self.namespace.put(key, stream()))

    @rule(pairs=st.lists(st.builds(KeyValuePair, KEYS, VALUES, expiration_ttl=TTLS, metadata=METADATA), max_size=6))
    def put_many(self, pairs: list[KeyValuePair]) -> None:
        self.runner.run(self.namespace.put_many(pairs))
        for pair in pairs:
            assert isinstance(pair.value, bytes)
            self.entries[pair.key] = FoundValue(pair.value, pair.metadata, self._now(pair.expiration_ttl))

    @rule(keys=st.lists(KEYS, max_size=3))
    def delete(self, keys: list[str]) -> None:
        self.runner.run(self.namespace.delete_many(keys))
        for key in keys:
            self.entries.pop(key, None)

    @rule(keys=st.lists(KEYS, min_size=1, max_size=8))
    def get_many(self, keys: list[str]) -> None:
        alive = self._alive()
        assert self.runner.run(self.namespace.get_many(keys)) == {key: alive.get(key) for key in keys}

    @rule(key=KEYS, value=VALUES)
    def read_while_it_is_replaced(self, key: str, value: bytes) -> None:
        async def read() -> bytes | None:
            stream = await self.namespace.get_stream(key)
            await self.namespace.put(key, value)
            await self.store.sweep(now=self.clock.now())
            return None if stream is None else b"".join([piece async for piece in stream.pieces])

        before = self._alive().get(key)
        assert self.runner.run(read()) == (None if before is None else before.value)
        self.entries[key] = FoundValue(value)

    @rule(prefix=PREFIXES, limit=st.integers(1, 5))
    def list(self, prefix: str, limit: int) -> None:
        async def pages() -> list[ListResultKey]:
            keys: list[ListResultKey] = []
            page = await self.namespace.list(prefix=prefix, limit=limit)
            while True:
                assert len(page.keys) <= limit
                keys.extend(page.keys)
                if page.cursor is None:
                    return keys
                assert len(page.keys) == limit
                page = await self.namespace.list(prefix=prefix, limit=limit, cursor=page.cursor)

        expected = [
            ListResultKey(key, found.expires_at, found.metadata)
            for key, found in sorted(self._alive().items(), key=lambda item: item[0].encode())
            if key.startswith(prefix)
        ]
        assert self.runner.run(pages()) == expected

    @rule(seconds=st.sampled_from([1, 59, 60, 700]))
    def wait(self, seconds: int) -> None:
        self.clock.advance(seconds)

    @rule(limit=st.integers(1, 10))
    def sweep(self, limit: int) -> None:
        self.runner.run(self.store.sweep(now=self.clock.now(), limit=limit))

    @invariant()
    def every_entry_is_there(self) -> None:
        alive = self._alive()
        for key in ("a", "a\x00", "é"):
            assert self.runner.run(self.namespace.get_with_metadata(key)) == alive.get(key)


@pytest.mark.parametrize("store", STORES)
def test_a_namespace_behaves_like_a_dict(store: str) -> None:
    machine = type("StoreModel", (Model,), {"opener": staticmethod(STORES[store])})

    run_state_machine_as_test(machine, settings=settings(max_examples=EXAMPLES, stateful_step_count=30, deadline=None))
