"""Warnings that a script gives rise to are said once."""

from collections.abc import Hashable
from typing import Final

_MOST_KEPT: Final = 1000


class ToldOnce:
    """What was said already. It is bounded: code that a script makes while it runs can have any number of places."""

    def __init__(self) -> None:
        self._told: set[Hashable] = set()

    def is_first(self, *said: Hashable) -> bool:
        if said in self._told:
            return False
        if len(self._told) >= _MOST_KEPT:
            self._told.clear()
        self._told.add(said)
        return True
