"""One KV namespace as the REST API and a worker's binding use it: the rules, then the store."""

import logging
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Final

from edgeworker.clock import Clock
from edgeworker.config import JSON
from edgeworker.kv import rules
from edgeworker.kv.store import LATER, DataVersion, Entry, EntryStream, KVStore, Later
from edgeworker.messages.body import Closable
from edgeworker.strict_json import InvalidJSON, loads

_log = logging.getLogger(__name__)

Value = bytes | bytearray | memoryview | str | AsyncIterator[bytes]


@dataclass(frozen=True, slots=True)
class FoundValue:
    """`metadata` None means that there is none. `expires_at` is in epoch seconds."""

    value: bytes = field(repr=False)
    metadata: JSON = None
    expires_at: int | None = None


@dataclass(frozen=True, slots=True)
class FoundStream:
    """Like Found, with the value in pieces; `size` is in bytes."""

    size: int
    pieces: AsyncIterator[bytes]
    metadata: JSON = None
    expires_at: int | None = None


@dataclass(frozen=True, slots=True)
class KeyValuePair:
    """One write of a bulk write; the fields are those of `KVNamespace.put`."""

    key: str
    value: bytes | str = field(repr=False)
    expiration: int | None = None
    expiration_ttl: int | None = None
    metadata: JSON = None


@dataclass(frozen=True, slots=True)
class ListResultKey:
    """A listed key. `expires_at` is in epoch seconds."""

    name: str
    expires_at: int | None = None
    metadata: JSON = None

    def as_json(self) -> dict[str, JSON]:
        """As the REST API and wrangler list it: what a key does not have is left out."""
        shown: dict[str, JSON] = {"name": self.name}
        if self.expires_at is not None:
            shown["expiration"] = self.expires_at
        if self.metadata is not None:
            shown["metadata"] = self.metadata
        return shown


@dataclass(frozen=True, slots=True)
class KeyListPage:
    """`cursor` None: the list is complete."""

    keys: tuple[ListResultKey, ...]
    cursor: str | None = None


@dataclass(slots=True)
class KVReads:
    """How many keys were asked for, by whether there was a value."""

    found: int = 0
    missing: int = 0

    def add(self, *, found: bool) -> None:
        if found:
            self.found += 1
        else:
            self.missing += 1


class KVNamespace:
    """Every method raises KVError for a broken rule, with Cloudflare's text, and StoreError when storage fails.

    `cache_ttl` is checked and not used: reads here are never older than the store's answer.
    """

    __slots__ = ("_reads", "_store", "clock", "id")

    def __init__(self, store: KVStore, namespace_id: str, clock: Clock, reads: KVReads | None = None) -> None:
        """`reads` is what counts them."""
        self._reads = KVReads() if reads is None else reads
        self._store: Final = store
        self.clock: Final = clock
        self.id: Final = namespace_id

    def peek(self, key: str, *, cache_ttl: int | None = None) -> bytes | Later | None:
        """What `get` would answer, where that takes no waiting, else LATER. Raises KVError as `get` does."""
        key = rules.check_key(key)
        if cache_ttl is not None:
            rules.check_cache_ttl(cache_ttl)
        value = self._store.peek(self.id, key, now=self.clock.now())
        if value is None:
            self._reads.missing += 1
        elif value is not LATER:
            self._reads.found += 1
        return value

    def peek_with_metadata(self, key: str) -> FoundValue | Later | None:
        """What `get_with_metadata` would answer, where that takes no waiting, else LATER. Raises KVError as it does."""
        entry = self._store.peek_entry(self.id, rules.check_key(key), now=self.clock.now())
        if entry is LATER:
            return LATER
        self._reads.add(found=entry is not None)
        return None if entry is None else _make_found_value(entry)

    def data_version(self) -> DataVersion | None:
        """Of the whole store, see KVStore."""
        return self._store.data_version()

    async def get(self, key: str, *, cache_ttl: int | None = None) -> bytes | None:
        key = rules.check_key(key)
        if cache_ttl is not None:
            rules.check_cache_ttl(cache_ttl)
        entry = await self._store.get(self.id, key, now=self.clock.now())
        self._reads.add(found=entry is not None)
        return None if entry is None else entry.value

    async def get_with_metadata(self, key: str, *, cache_ttl: int | None = None) -> FoundValue | None:
        key = rules.check_key(key)
        if cache_ttl is not None:
            rules.check_cache_ttl(cache_ttl)
        entry = await self._store.get(self.id, key, now=self.clock.now())
        self._reads.add(found=entry is not None)
        return None if entry is None else _make_found_value(entry)

    async def get_stream(self, key: str, *, cache_ttl: int | None = None) -> FoundStream | None:
        """For large values: nothing is read before the first piece is asked for."""
        key = rules.check_key(key)
        if cache_ttl is not None:
            rules.check_cache_ttl(cache_ttl)
        entry: EntryStream | None = await self._store.stream(self.id, key, now=self.clock.now())
        self._reads.add(found=entry is not None)
        if entry is None:
            return None
        return FoundStream(entry.size, entry.pieces, parse_metadata(entry.metadata), entry.expires_at)

    async def get_many(self, keys: Sequence[str], *, cache_ttl: int | None = None) -> dict[str, FoundValue | None]:
        """1 to 100 keys; the answer has each once, in the order of the request. At most 25 MiB of values."""
        rules.check_bulk_get(len(keys))
        if cache_ttl is not None:
            rules.check_cache_ttl(cache_ttl)
        names = dict.fromkeys(rules.check_bulk_key(key) for key in keys)
        now = self.clock.now()
        found: dict[str, FoundValue | None] = {}
        size = 0
        for key in names:
            entry = await self._store.get(self.id, key, now=now)
            self._reads.add(found=entry is not None)
            found[key] = None if entry is None else _make_found_value(entry)
            size += 0 if entry is None else len(entry.value)
            rules.check_bulk_get_size(size)
        return found

    async def put(
        self,
        key: str,
        value: Value,
        *,
        expiration: int | None = None,
        expiration_ttl: int | None = None,
        metadata: JSON = None,
    ) -> None:
        """Replaces the value, the expiry and the metadata; what is not given here is gone afterwards.

        `expiration` is a moment in epoch seconds, `expiration_ttl` a duration in seconds, which wins. A stream that
        is too long fails with KVError (413) as soon as that is seen; what stood under the key before then stays.
        """
        key, expires_at, text = self.check_put(key, expiration, expiration_ttl, metadata)
        match value:
            case str() | bytes() | bytearray() | memoryview():
                content = _bytes(value)
                rules.check_value_length(len(content))
                await self._store.put(self.id, key, Entry(content, expires_at, text))
            case pieces:
                async with aclosing(_limit(pieces)) as limited:
                    await self._store.put_stream(self.id, key, limited, expires_at=expires_at, metadata=text)

    def check_put(
        self, key: str, expiration: int | None, expiration_ttl: int | None, metadata: JSON
    ) -> tuple[str, int | None, str | None]:
        """What `put` looks at before the value: the key, when it expires, and the metadata as text. Raises KVError."""
        key = rules.check_key(key)
        expires_at = rules.expires_at(now=self.clock.now(), expiration=expiration, expiration_ttl=expiration_ttl)
        return key, expires_at, rules.metadata_text(metadata)

    async def put_many(self, pairs: Sequence[KeyValuePair]) -> None:
        """Up to 10,000 pairs of up to 100 MiB in all; one broken rule and nothing is written."""
        rules.check_bulk_pairs(len(pairs))
        now = self.clock.now()
        entries: list[tuple[str, Entry]] = []
        size = 0
        for pair in pairs:
            key = rules.check_key(pair.key)
            content = _bytes(pair.value)
            rules.check_value_length(len(content))
            expires_at = rules.expires_at(now=now, expiration=pair.expiration, expiration_ttl=pair.expiration_ttl)
            entries.append((key, Entry(content, expires_at, rules.metadata_text(pair.metadata))))
            size += len(content)
        rules.check_bulk_size(size)
        await self._store.put_many(self.id, entries)

    async def delete(self, key: str) -> None:
        """Deleting a missing key is not an error."""
        await self._store.delete(self.id, (rules.check_key(key),))

    async def delete_many(self, keys: Sequence[str]) -> None:
        """Up to 10,000 keys."""
        rules.check_bulk_pairs(len(keys))
        await self._store.delete(self.id, [rules.check_key(key) for key in keys])

    async def list(self, *, prefix: str = "", limit: int | None = None, cursor: str | None = None) -> KeyListPage:
        """Up to `limit` (1 to 1000) keys in the order of their UTF-8 bytes; `cursor` is a former page's."""
        size = rules.list_limit(limit)
        prefix = rules.check_key_length(prefix)
        after = "" if cursor is None else rules.decode_cursor(cursor)
        listed = await self._store.list_keys(self.id, prefix=prefix, after=after, limit=size + 1, now=self.clock.now())
        keys = tuple(ListResultKey(key.name, key.expires_at, parse_metadata(key.metadata)) for key in listed[:size])
        return KeyListPage(keys, rules.encode_cursor(keys[-1].name) if len(listed) > size else None)


def parse_metadata(text: str | None) -> JSON:
    """What the store has; what someone else put into the store and is not JSON counts as none."""
    if text is None:
        return None
    try:
        return loads(text, max_depth=rules.MAX_METADATA_BYTES, lone_surrogates=True)
    except InvalidJSON as error:
        _log.warning("the metadata of a KV entry cannot be read: %s", error)
        return None


def _make_found_value(entry: Entry) -> FoundValue:
    return FoundValue(entry.value, parse_metadata(entry.metadata), entry.expires_at)


def _bytes(value: bytes | bytearray | memoryview | str) -> bytes:
    match value:
        case bytes():
            return value
        case str():
            return rules.utf8(value)
        case _:
            return bytes(value)


async def _limit(pieces: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    """The pieces up to the limit; a longer stream is given up as soon as it is longer."""
    size = 0
    try:
        async for piece in pieces:
            size += len(piece)
            rules.check_value_length(size)
            yield piece
    finally:
        if isinstance(pieces, Closable):
            await pieces.aclose()
