"""Iterators of JavaScript where a script is held to production: they go once over what there is, and are not lists.

Recorded from pyodide: tests/conformance/cases/objects.json; their names are workerd's.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Final, Never, Self

from edgeworker.runtime.contract import portability_warnings
from edgeworker.runtime.webapi.array_methods import call_for_item
from edgeworker.runtime.webapi.ffi import Constructor, JsException
from edgeworker.runtime.webapi.plain_arrays import PlainArray
from edgeworker.runtime.webapi.plain_objects import PlainObject
from edgeworker.runtime.webapi.plain_proxy import PlainProxy, call_it_proxy
from edgeworker.runtime.webapi.surplus import javascript_class

_Function = Callable[..., object]
_INSTEAD: Final = "make a list of it with list(iterator)"
_LIST_METHODS: Final = frozenset(name for name in dir(list) if not name.startswith("_"))


@javascript_class
class PlainIterator(PlainProxy):
    """What `entries()` and the like answer. `name` is what `str()` of it says."""

    __slots__ = ("_items", "_name", "constructor")
    _items: Iterator[object]
    _name: str
    _fields: dict[str, object]

    def __init__(self, items: Iterator[object], name: str) -> None:
        self._fields = {}
        self._items = items
        self._name = name
        self.constructor = Constructor(name.rpartition(" ")[2])

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> object:
        return next(self._items)

    def next(self) -> PlainObject:
        for item in self._items:
            return PlainObject({"done": False, "value": item})
        return PlainObject({"done": True, "value": None})

    def send(self, _value: object = None) -> object:
        """As that of a generator of Python, which these iterators of JavaScript have no use for."""
        return next(self._items)

    def __getattr__(self, name: str) -> Never:
        if name in _LIST_METHODS:
            portability_warnings.is_refused(f"an iterator of JavaScript has no {name}()", _INSTEAD)
        raise AttributeError(name, name=name, obj=self)

    def __getitem__(self, index: object) -> Never:
        portability_warnings.is_refused("an iterator of JavaScript is not a list", _INSTEAD)
        raise TypeError(f"'{type(self).__name__}' object is not subscriptable")

    __reversed__ = None  # Python asks for no length then

    def __str__(self) -> str:
        return f"[object {self._name}]"

    # The standard's iterator helpers.

    def toArray(self) -> PlainArray:
        return PlainArray(self)

    def map(self, function: _Function) -> "PlainIterator":
        return _help(call_for_item(function, item, index) for index, item in enumerate(self))

    def filter(self, function: _Function) -> "PlainIterator":
        return _help(item for index, item in enumerate(self) if call_for_item(function, item, index))

    def flatMap(self, function: _Function) -> "PlainIterator":
        return _help(inner for index, item in enumerate(self) for inner in _iterate(function, item, index))

    def take(self, count: int) -> "PlainIterator":
        return _help(islice(self, count))

    def drop(self, count: int) -> "PlainIterator":
        return _help(islice(self, count, None))

    def forEach(self, function: _Function) -> None:
        for index, item in enumerate(self):
            call_for_item(function, item, index)

    def some(self, function: _Function) -> bool:
        return any(call_for_item(function, item, index) for index, item in enumerate(self))

    def every(self, function: _Function) -> bool:
        return all(call_for_item(function, item, index) for index, item in enumerate(self))

    def find(self, function: _Function) -> object:
        return next(self.filter(function), None)

    def reduce(self, function: _Function, *start: object) -> object:
        given = [*start] or [item for item in islice(self, 1)]
        if not given:
            raise JsException("TypeError", "Reduce of a done iterator with no initial value")
        result = given[0]
        for index, item in enumerate(self, 0 if start else 1):
            result = call_for_item(function, result, item, index)
        return result

    def object_keys(self) -> PlainArray:
        return PlainArray()

    def to_py(self, **_options: object) -> Self:
        return self


call_it_proxy(PlainIterator)


def _help(items: Iterator[object]) -> PlainIterator:
    return PlainIterator(items, "Iterator Helper")


def _iterate(function: _Function, item: object, index: int) -> Iterable[object]:
    inner = call_for_item(function, item, index)
    if not isinstance(inner, Iterable):
        raise JsException("TypeError", f"{inner!r} is not an object")
    return inner
