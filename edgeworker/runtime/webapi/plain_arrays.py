"""Arrays of JavaScript where a script is held to production: sequences, but not lists.

Recorded from pyodide: tests/conformance/cases/objects.json.
"""

from collections.abc import Iterable, Iterator, MutableSequence
from typing import Final, Never, Self, SupportsIndex

from edgeworker.runtime.contract import portability_warnings
from edgeworker.runtime.webapi.array_methods import JsArray, convert_item, is_same
from edgeworker.runtime.webapi.ffi import JsException, jsnull
from edgeworker.runtime.webapi.plain_proxy import PlainProxy, call_it_proxy

_INSTEAD: Final = "make a list of it with to_py() or list(array)"
_DESTROYED: Final = (
    "Object has already been destroyed\nThis borrowed proxy was automatically destroyed at the end of a function call. "
    "Try using create_proxy or create_once_callable."
)
_LIST_METHODS: Final = frozenset({"clear", "copy"})


class PlainArray(JsArray, PlainProxy):
    """An array as pyodide shows it: with the methods of both languages, and it equals only itself."""

    __slots__ = ("__dict__",)  # a script may set attributes
    _fields: list[object]
    constructor = JsArray.constructor

    def __init__(self, items: Iterable[object] = ()) -> None:
        self._fields = list(items)

    def _list(self) -> list[object]:
        return self._fields

    def _make(self, items: Iterable[object]) -> Self:
        return type(self)(items)

    def _store(self, item: object) -> object:
        return lend(item)

    def __getattr__(self, name: str) -> Never:
        if name in _LIST_METHODS:
            portability_warnings.is_refused(f"an array of JavaScript has no {name}()", _INSTEAD)
        raise AttributeError(name, name=name, obj=self)

    def __getitem__(self, index: object) -> object:
        match index:
            case slice():
                return self._make(self._fields[index])
            case int():
                self._require(index)
                if (value := self._fields[index]) is jsnull:
                    portability_warnings.tell_of_null()
                return value
            case _:
                raise TypeError(f"list indices must be integers or slices, not {type(index).__name__}")

    def __setitem__(self, index: object, value: object) -> None:
        match index:
            case slice():
                self._fields[index] = value  # type: ignore[call-overload]  # Python's TypeError if it cannot be iterated
            case int():
                if index >= len(self._fields):
                    self.length = index + 1
                self._require(index)
                self._fields[index] = value
            case _:
                raise TypeError(f"list indices must be integers or slices, not {type(index).__name__}")

    def __delitem__(self, index: object) -> None:
        match index:
            case slice():
                del self._fields[index]
            case int():
                self._require(index)
                del self._fields[index]
            case _:
                raise TypeError(f"list indices must be integers or slices, not {type(index).__name__}")

    def _require(self, index: int) -> None:
        if not -len(self._fields) <= index < len(self._fields):
            raise IndexError(index)

    def __reversed__(self) -> Iterator[object]:
        return reversed(self._fields)

    def __contains__(self, item: object) -> bool:
        return self.includes(item)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, list | tuple):
            portability_warnings.is_refused("an array of JavaScript equals only itself", "compare list(array)")
        return self is other

    __hash__ = PlainProxy.__hash__

    # JavaScript compares the texts of arrays.

    def __lt__(self, other: object) -> bool:
        return str(self) < str(other) if isinstance(other, PlainArray) else NotImplemented

    def __le__(self, other: object) -> bool:
        return str(self) <= str(other) if isinstance(other, PlainArray) else NotImplemented

    def __add__(self, other: object) -> Self:
        return self.concat(other)

    def __iadd__(self, other: Iterable[object]) -> Self:  # type: ignore[misc]  # as that of lists
        self._fields.extend(other)
        return self

    def __mul__(self, count: SupportsIndex) -> Self:
        return self._make(self._fields * count)

    __rmul__ = __mul__

    def __str__(self) -> str:
        return self.join()

    def __dir__(self) -> list[str]:
        return [name for name in object.__dir__(self) if name not in ("_fields", "_list", "_make", "_store")]

    def append(self, *items: object) -> None:
        if len(items) != 1:
            raise TypeError(f"JsProxy.append() takes exactly one argument ({len(items)} given)")
        self._fields.append(items[0])

    def extend(self, items: Iterable[object], /) -> None:
        self._fields.extend(items)

    def insert(self, index: SupportsIndex, item: object, /) -> None:
        self._fields.insert(index, item)

    def pop(self, index: SupportsIndex = -1, /) -> object:
        return self._fields.pop(index)

    def remove(self, item: object, /) -> None:
        self._fields.remove(item)

    def reverse(self) -> None:
        self._fields.reverse()

    def count(self, item: object, /) -> int:
        return sum(is_same(item, other) for other in self._fields)

    def index(self, item: object, start: SupportsIndex = 0, stop: SupportsIndex | None = None, /) -> int:
        for index in range(len(self._fields))[start:stop]:
            if is_same(item, self._fields[index]):
                return index
        raise ValueError(f"{item!r} is not in list")

    def values(self) -> Iterator[object]:
        return _make_iterator(iter(self._fields))

    def entries(self) -> Iterator[object]:
        return _make_iterator(map(self._make, enumerate(self._fields)))

    def as_py_json(self) -> Self:
        return self._make(
            item.as_py_json() if isinstance(item, PlainArray) else convert_item(item) for item in self._fields
        )


call_it_proxy(PlainArray)
MutableSequence.register(PlainArray)


def _make_iterator(items: Iterator[object]) -> Iterator[object]:
    from edgeworker.runtime.webapi.plain_iterators import PlainIterator  # whose results are objects, which need arrays

    return PlainIterator(items, "Array Iterator")


def show_pair(pair: tuple[object, object]) -> "PlainArray | tuple[object, object]":
    """A pair of `entries()` for the script that runs: an array of JavaScript where it is held to production."""
    return PlainArray(pair) if portability_warnings.current().is_strict else pair


class DestroyedProxy(PlainProxy):
    """What is left of an object of Python that a function of JavaScript was given, after the call."""

    __slots__ = ()
    _fields: dict[str, object]

    def __init__(self) -> None:
        self._fields = {}

    def __getattribute__(self, name: str) -> Never:
        raise JsException("Error", _DESTROYED)

    def __getitem__(self, _index: object) -> Never:
        raise JsException("Error", _DESTROYED)

    def __str__(self) -> Never:
        raise JsException("Error", _DESTROYED)


call_it_proxy(DestroyedProxy)


def lend(value: object) -> object:
    """What JavaScript keeps of an argument: containers of Python are lent for the time of the call only."""
    if type(value) not in (list, dict, set, tuple):
        return value
    what = f"JavaScript cannot use a {type(value).__name__} of Python any more after the call that it was given to"
    return DestroyedProxy() if portability_warnings.is_refused(what, "give to_js(value)") else value
