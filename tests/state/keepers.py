"""Every keeper of atoms, by name: the same tests for all."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from edgeworker.state.atoms import Atoms, MemoryAtoms, SQLiteAtoms

KEEPERS: Final[Mapping[str, Callable[[Path], Atoms]]] = {
    "memory": lambda _folder: MemoryAtoms(),
    "sqlite": SQLiteAtoms,
}
