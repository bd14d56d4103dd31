"""Every store there is, by one list: what is added here has the contract and the state machine for free."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from edgeworker.kv.memory import MemoryStore
from edgeworker.kv.store import KVStore

Opener = Callable[[Path], KVStore]


def _memory(directory: Path) -> KVStore:
    return MemoryStore()


STORES: Final[dict[str, Opener]] = {"memory": _memory}
