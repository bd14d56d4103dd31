"""What a rule says about a name (of a header field, of a host), by its spelling. Pure."""

from collections.abc import Callable, Hashable
from typing import Final, TypeVar

_Name = TypeVar("_Name", bound=Hashable)
_T = TypeVar("_T")
_LIMIT: Final = 2048


class NameTable(dict[_Name, _T]):
    """`table[name]` is `rule(name)`, worked out when a spelling is first met.

    Clients send the same few spellings again and again, and a look-up costs a third of a call. A flood of others
    empties the table and no more: it is bounded. Names only, never values: those may be credentials.
    """

    __slots__ = ("_rule",)

    def __init__(self, rule: Callable[[_Name], _T]) -> None:
        self._rule: Callable[[_Name], _T] = rule

    def __missing__(self, name: _Name) -> _T:
        if len(self) >= _LIMIT:
            self.clear()
        found = self[name] = self._rule(name)
        return found
