"""Every kind of state, by name: the same tests for all. Two of one folder are as two processes, if it has a file."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from edgeworker.clock import Clock
from edgeworker.state import MemoryState, SQLiteState, State

STATES: Final[Mapping[str, Callable[[Path, Clock], State]]] = {
    "memory": lambda _folder, clock: MemoryState(clock),
    "sqlite": SQLiteState,
}
