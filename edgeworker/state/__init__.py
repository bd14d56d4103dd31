"""Durable control-plane state: what must happen exactly once, named API tokens, documents of products.

A data directory has it in `state.sqlite`. All of it holds between processes.
"""

from pathlib import Path
from typing import Protocol, Self

from edgeworker.clock import Clock, SystemClock
from edgeworker.state.api_tokens import ApiToken, ApiTokens
from edgeworker.state.atomic import AtomicKey, AtomicStore, MemoryAtomicStore, SQLiteAtomicStore
from edgeworker.state.database import FILE_NAME, StateDatabase
from edgeworker.state.documents import Conflict, Delete, Document, DocumentStore, MemoryDocuments, Put, SQLiteDocuments

__all__ = [
    "FILE_NAME",
    "ApiToken",
    "ApiTokens",
    "AtomicKey",
    "AtomicStore",
    "Conflict",
    "Delete",
    "Document",
    "DocumentStore",
    "MemoryAtomicStore",
    "MemoryState",
    "Put",
    "SQLiteState",
    "State",
]


class State(Protocol):
    """What an edge keeps, apart from KV."""

    @property
    def atomic(self) -> AtomicStore: ...

    def documents(self, space: str) -> DocumentStore:
        """Those of one product; `space` is its name. Opened twice it is the same documents."""
        ...

    async def close(self) -> None: ...


class MemoryState:
    """For one process, as long as it lasts. Without a clock documents expire by the machine's."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.atomic: AtomicStore = MemoryAtomicStore()
        self._clock = clock or SystemClock()
        self._documents: dict[str, MemoryDocuments] = {}

    def documents(self, space: str) -> DocumentStore:
        return self._documents.setdefault(space, MemoryDocuments(self._clock))

    async def close(self) -> None:
        pass


class SQLiteState:
    """`state.sqlite` of a data directory. The file is opened when it is first needed, and made by the first write."""

    def __init__(self, directory: Path, clock: Clock) -> None:
        self._database = StateDatabase(directory)
        self._clock = clock
        self.atomic: AtomicStore = SQLiteAtomicStore(self._database)
        self.api_tokens = ApiTokens(self._database)

    def check_version(self) -> None:
        """Before an edge starts with it. Raises StoreError for a file of a newer version, or of another program."""
        self._database.check_version()

    def documents(self, space: str) -> DocumentStore:
        return SQLiteDocuments(self._database, space, self._clock)

    async def close(self) -> None:
        await self._database.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
