"""Every store there is, by one list: what is added here has the contract and the state machine for free."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from edgeworker.kv.memory import MemoryStore
from edgeworker.kv.sqlite import SQLiteStore
from edgeworker.kv.store import KVStore

Opener = Callable[[Path], KVStore]


def _memory(directory: Path) -> KVStore:
    return MemoryStore()


def _sqlite(directory: Path) -> KVStore:
    return SQLiteStore.open(directory / "kv.sqlite", durability="normal")


STORES: Final[dict[str, Opener]] = {"memory": _memory, "sqlite": _sqlite}
