"""Documents of products: JSON objects by kind and id, with expiry, compare-and-put, and a cheap look for changes.

Times are epoch seconds; a document is gone from `expires_at` on. A write is committed before it returns, and every
process sees it at its next look: a product keeps what it built of its documents, compares `version()` before it
decides, and builds anew if that is another one.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from edgeworker.clock import Clock
from edgeworker.config import JSON
from edgeworker.errors import StoreError
from edgeworker.state.database import Execute, Parameters, Row, StateDatabase

MAX_VALUE_BYTES: Final = 1024 * 1024

_SWEPT_AT_ONCE: Final = 20
_FIELDS: Final = "kind, id, value, revision, expires_at"
_IS_LIVE: Final = "(expires_at IS NULL OR expires_at > ?)"
_GET: Final = f"SELECT {_FIELDS} FROM documents WHERE space = ? AND kind = ? AND id = ? AND {_IS_LIVE}"
_LIST: Final = f"SELECT {_FIELDS} FROM documents WHERE space = ? AND kind = ? AND {_IS_LIVE} ORDER BY id"
_INSERT: Final = "INSERT OR REPLACE INTO documents (space, kind, id, value, expires_at)"
_PUT: Final = f"{_INSERT} VALUES (?, ?, ?, ?, ?) RETURNING revision"
_PUT_IF_ABSENT: Final = f"{_INSERT} SELECT ?, ?, ?, ?, ? WHERE NOT EXISTS ({_GET}) RETURNING revision"
_PUT_IF_REVISION: Final = f"{_INSERT} SELECT ?, ?, ?, ?, ? WHERE EXISTS ({_GET} AND revision = ?) RETURNING revision"
_DELETE: Final = "DELETE FROM documents WHERE space = ? AND kind = ? AND id = ?"
_TAKE: Final = f"{_DELETE} RETURNING {_FIELDS}"
_SWEEP: Final = "DELETE FROM documents WHERE revision IN (SELECT revision FROM documents WHERE expires_at <= ? LIMIT ?)"


@dataclass(frozen=True, slots=True)
class Document:
    """`revision` is another one after each put, and never used again, not even for a document that is made anew."""

    kind: str
    id: str
    value: Mapping[str, JSON]
    revision: int
    expires_at: int | None

    def is_live(self, now: int) -> bool:
        return _is_live(self.expires_at, now)


@dataclass(frozen=True, slots=True)
class Put:
    """`if_revision`: only if the document still has this revision; 0: only if there is none."""

    kind: str
    id: str
    value: Mapping[str, JSON]
    if_revision: int | None = None
    expires_at: int | None = None


@dataclass(frozen=True, slots=True)
class Delete:
    """One change of a transaction: the document is gone, whatever its revision."""

    kind: str
    id: str


class Conflict(Exception):
    """The document has not the revision that a put named: read it again, decide again."""

    def __init__(self, kind: str, id: str, expected: int) -> None:
        wanted = "should not exist" if expected == 0 else f"should have revision {expected}"
        super().__init__(f'the document {kind} "{id}" {wanted}, but was changed meanwhile')
        self.kind = kind
        self.id = id


class DocumentStore(Protocol):
    """The documents of one product. All methods raise StoreError if the storage fails, and then nothing is changed.

    A value may have MAX_VALUE_BYTES as JSON; more is a StoreError.
    """

    def version(self) -> int:
        """Another number after any change of these documents, by any process. A matter of microseconds."""
        ...

    async def get(self, kind: str, id: str) -> Document | None: ...

    async def list(self, kind: str) -> Sequence[Document]:
        """Sorted by id."""
        ...

    async def put(
        self,
        kind: str,
        id: str,
        value: Mapping[str, JSON],
        *,
        if_revision: int | None = None,
        expires_at: int | None = None,
    ) -> Document:
        """`if_revision`: only if the document still has this revision, 0: only if there is none; else Conflict."""
        ...

    async def delete(self, kind: str, id: str) -> bool:
        """Whether it was there."""
        ...

    async def take(self, kind: str, id: str) -> Document | None:
        """Get and delete; of several at once, in any process, one gets it."""
        ...

    async def write(self, changes: "Sequence[Put | Delete]") -> None:
        """All of them in this order, or none of them if one raises Conflict."""
        ...


class MemoryDocuments:
    """For one process, as long as it lasts."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        # Values are kept as texts, so that nothing which a caller changes afterwards changes a document.
        self._rows: dict[tuple[str, str], tuple[str, int, int | None]] = {}
        self._version = 0
        self._revision = 0

    def version(self) -> int:
        return self._version

    async def get(self, kind: str, id: str) -> Document | None:
        return self._get(kind, id)

    async def list(self, kind: str) -> Sequence[Document]:
        ids = sorted(id for of_kind, id in self._rows if of_kind == kind)
        return [document for id in ids if (document := self._get(kind, id)) is not None]

    async def put(
        self,
        kind: str,
        id: str,
        value: Mapping[str, JSON],
        *,
        if_revision: int | None = None,
        expires_at: int | None = None,
    ) -> Document:
        put = Put(kind, id, value, if_revision, expires_at)
        self._put(put, _text(put))
        row = self._rows[kind, id]
        return Document(kind, id, json.loads(row[0]), row[1], row[2])

    async def delete(self, kind: str, id: str) -> bool:
        return self._delete(kind, id) is not None

    async def take(self, kind: str, id: str) -> Document | None:
        return self._delete(kind, id)

    async def write(self, changes: "Sequence[Put | Delete]") -> None:
        before = dict(self._rows)
        try:
            for change in changes:
                match change:
                    case Put():
                        self._put(change, _text(change))
                    case Delete(kind, id):
                        self._delete(kind, id)
        except BaseException:
            self._rows = before
            raise

    def _get(self, kind: str, id: str) -> Document | None:
        row = self._rows.get((kind, id))
        if row is None or not _is_live(row[2], self._clock.now()):
            return None
        return Document(kind, id, json.loads(row[0]), row[1], row[2])

    def _put(self, put: Put, text: str) -> None:
        if put.if_revision is not None:
            current = self._get(put.kind, put.id)
            if put.if_revision != (0 if current is None else current.revision):
                raise Conflict(put.kind, put.id, put.if_revision)
        now = self._clock.now()
        for key in [key for key, row in self._rows.items() if not _is_live(row[2], now)]:
            del self._rows[key]
        self._version += 1
        self._revision += 1
        self._rows[put.kind, put.id] = (text, self._revision, put.expires_at)

    def _delete(self, kind: str, id: str) -> Document | None:
        document = self._get(kind, id)
        if self._rows.pop((kind, id), None) is not None:
            self._version += 1
        return document


class SQLiteDocuments:
    """In `state.sqlite`; each call is one statement or one transaction, so they are exact between processes."""

    def __init__(self, database: StateDatabase, space: str, clock: Clock) -> None:
        self._database = database
        self._space = space
        self._clock = clock

    def version(self) -> int:
        return self._database.changes(self._space)

    async def get(self, kind: str, id: str) -> Document | None:
        rows = await self._database.read(_GET, (self._space, kind, id, self._clock.now()))
        return _document(rows[0]) if rows else None

    async def list(self, kind: str) -> Sequence[Document]:
        rows = await self._database.read(_LIST, (self._space, kind, self._clock.now()))
        return [_document(row) for row in rows]

    async def put(
        self,
        kind: str,
        id: str,
        value: Mapping[str, JSON],
        *,
        if_revision: int | None = None,
        expires_at: int | None = None,
    ) -> Document:
        put = Put(kind, id, value, if_revision, expires_at)
        text, now = _text(put), self._clock.now()
        rows = await self._database.write(*self._statement(put, text, now))
        if not rows:
            raise Conflict(kind, id, if_revision or 0)
        await self._database.write(_SWEEP, (now, _SWEPT_AT_ONCE))
        return _document((kind, id, text, rows[0][0], expires_at))

    async def delete(self, kind: str, id: str) -> bool:
        return await self.take(kind, id) is not None

    async def take(self, kind: str, id: str) -> Document | None:
        rows = await self._database.write(_TAKE, (self._space, kind, id))
        document = _document(rows[0]) if rows else None
        return document if document is not None and document.is_live(self._clock.now()) else None

    async def write(self, changes: "Sequence[Put | Delete]") -> None:
        texts = [_text(change) if isinstance(change, Put) else "" for change in changes]
        now = self._clock.now()

        async def work(execute: Execute) -> None:
            for change, text in zip(changes, texts, strict=True):
                match change:
                    case Put(kind, id, if_revision=expected):
                        if not await execute(*self._statement(change, text, now)):
                            raise Conflict(kind, id, expected or 0)
                    case Delete(kind, id):
                        await execute(_DELETE, (self._space, kind, id))
            await execute(_SWEEP, (now, _SWEPT_AT_ONCE))

        await self._database.transaction(work)

    def _statement(self, put: Put, text: str, now: int) -> tuple[str, Parameters]:
        name = (self._space, put.kind, put.id)
        row = (*name, text, put.expires_at)
        match put.if_revision:
            case None:
                return _PUT, row
            case 0:
                return _PUT_IF_ABSENT, (*row, *name, now)
            case revision:
                return _PUT_IF_REVISION, (*row, *name, now, revision)


def _is_live(expires_at: int | None, now: int) -> bool:
    return expires_at is None or expires_at > now


def _document(row: Row) -> Document:
    kind, id, value, revision, expires_at = row
    assert isinstance(revision, int)
    assert expires_at is None or isinstance(expires_at, int)
    try:
        read = json.loads(str(value))
    except (ValueError, RecursionError) as error:
        raise StoreError(f"state.sqlite: the document {kind!s} {id!s} is not JSON: {error}") from None
    return Document(str(kind), str(id), read, revision, expires_at)


def _text(put: Put) -> str:
    # With escapes, so that half of a surrogate pair is stored too.
    text = json.dumps(dict(put.value), allow_nan=False)
    if len(text) > MAX_VALUE_BYTES:
        raise StoreError(f'the document {put.kind} "{put.id}" has {len(text)} bytes, the most is {MAX_VALUE_BYTES}')
    return text
