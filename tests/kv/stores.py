"""Every store there is, by one list: what is added here has the contract and the state machine for free."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from edgeworker.kv.eventual import EventualStores
from edgeworker.kv.faulty import FaultRates, FaultyStore
from edgeworker.kv.memory import MemoryStore
from edgeworker.kv.sqlite import SQLiteStore
from edgeworker.kv.store import KVStore
from tests.kv.clocks import FakeClock

Opener = Callable[[Path], KVStore]


def _memory(directory: Path) -> KVStore:
    return MemoryStore()


def _sqlite(directory: Path) -> KVStore:
    return SQLiteStore.open(directory / "kv.sqlite", durability="normal")


def _eventual(directory: Path) -> KVStore:
    """From one location only, which sees its own writes."""
    return EventualStores(MemoryStore(), FakeClock(), seed=0, delay_seconds=60).at("here")


def _faulty(directory: Path) -> KVStore:
    return FaultyStore(MemoryStore(), FakeClock(), FaultRates())


STORES: Final[dict[str, Opener]] = {
    "memory": _memory,
    "sqlite": _sqlite,
    "eventual": _eventual,
    "faulty": _faulty,
}
