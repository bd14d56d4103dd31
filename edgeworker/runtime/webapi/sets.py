"""JavaScript's `Set`: what was added, in order.

Source: https://tc39.es/ecma262/#sec-set-objects
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Self

from edgeworker.runtime.webapi.arrays import make_array
from edgeworker.runtime.webapi.base import JsObject, ListIterator, is_absent, make_iterator
from edgeworker.runtime.webapi.ffi import Constructor
from edgeworker.runtime.webapi.identity import as_kept, identify, refuse_ambiguous
from edgeworker.runtime.webapi.plain_iterators import PlainIterator
from edgeworker.runtime.webapi.plain_proxy import call_it_proxy


class JsSet(JsObject):
    """Two sets are equal only if they are one: a script compares `set(items)`."""

    def __init__(self, items: object = None, /) -> None:
        iterated = iter(items) if isinstance(items, Iterable) and not is_absent(items) else ()
        self._items: dict[object, object] = {}
        for item in iterated:
            self.add(item)

    @property
    def constructor(self) -> Constructor:
        return Constructor("Set")

    @property
    def size(self) -> int:
        return len(self._items)

    def add(self, item: object) -> Self:
        self._items.setdefault(identify(item), as_kept(item))
        return self

    def has(self, item: object) -> bool:
        return identify(item) in self._items

    def delete(self, item: object) -> bool:
        there = self.has(item)
        self._items.pop(identify(item), None)
        return there

    def clear(self) -> None:
        self._items.clear()

    def forEach(self, callback: Callable[..., object], _this: object = None) -> None:
        for item in self:
            callback(item, item, self)

    def entries(self) -> ListIterator[object] | PlainIterator:
        return make_iterator(lambda: (make_array([item, item]) for item in self), "Set Iterator")

    def keys(self) -> ListIterator[object] | PlainIterator:
        return self.values()

    def values(self) -> ListIterator[object] | PlainIterator:
        return make_iterator(self.__iter__, "Set Iterator")

    def union(self, other: "JsSet") -> "JsSet":
        return JsSet([*self, *other])

    def intersection(self, other: "JsSet") -> "JsSet":
        return JsSet([item for item in self if other.has(item)])

    def difference(self, other: "JsSet") -> "JsSet":
        return JsSet([item for item in self if not other.has(item)])

    def symmetricDifference(self, other: "JsSet") -> "JsSet":
        return self.difference(other).union(other.difference(self))

    def isSubsetOf(self, other: "JsSet") -> bool:
        return all(map(other.has, self))

    def isSupersetOf(self, other: "JsSet") -> bool:
        return all(map(self.has, other))

    def isDisjointFrom(self, other: "JsSet") -> bool:
        return not any(map(other.has, self))

    def to_py(self, **_options: object) -> set[object]:
        """Raises JsException where a set of Python cannot hold it."""
        items = list(self._items.values())
        refuse_ambiguous(items, "Set")
        return set(items)

    def __iter__(self) -> Iterator[object]:
        return iter(list(self._items.values()))

    def __len__(self) -> int:
        return len(self._items)

    def __contains__(self, item: object) -> bool:
        return self.has(item)

    def __eq__(self, other: object) -> bool:
        return self is other

    __hash__ = None  # type: ignore[assignment]  # as pyodide's proxy of one

    def __str__(self) -> str:
        return "[object Set]"

    __repr__ = __str__


call_it_proxy(JsSet)
