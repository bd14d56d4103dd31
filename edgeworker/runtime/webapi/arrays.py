"""JavaScript's arrays, and its global `Array`."""

import sys
from collections.abc import Callable, Iterable
from typing import Final

from edgeworker.runtime.contract import portability_warnings
from edgeworker.runtime.webapi.array_methods import JsArray, call_for_item
from edgeworker.runtime.webapi.base import ListIterator
from edgeworker.runtime.webapi.ffi import JsDict
from edgeworker.runtime.webapi.number_conversion import to_number
from edgeworker.runtime.webapi.plain_arrays import PlainArray, lend
from edgeworker.runtime.webapi.plain_objects import PlainObject
from edgeworker.runtime.webapi.surplus import javascript_class


class ListArray(list[object], JsArray):
    """An array where production's rules do not hold: a list of Python too."""

    def _list(self) -> list[object]:
        return self

    def _make(self, items: Iterable[object]) -> "ListArray":
        return ListArray(items)

    sort = JsArray.sort  # type: ignore[assignment]  # of JavaScript, which takes Python's keywords too

    def _store(self, item: object) -> object:
        return lend(item)

    def __eq__(self, other: object) -> bool:
        if (
            self is not other
            and isinstance(other, list)
            and not str(sys._getframe(1).f_globals.get("__name__", "")).startswith("edgeworker.")
        ):
            portability_warnings.is_refused("an array of JavaScript equals only itself", "compare list(array)")
        return list.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = None  # type: ignore[assignment]  # as a list


def make_array(items: Iterable[object]) -> JsArray:
    """An array for the script that runs."""
    return PlainArray(items) if portability_warnings.current().is_strict else ListArray(items)


@javascript_class
class Array:
    """The global of that name."""

    name: Final = "Array"

    def __new__(cls, *items: object) -> JsArray:  # type: ignore[misc]  # a call makes one, as in JavaScript
        return cls.new(*items)

    @classmethod
    def new(cls, *items: object) -> JsArray:
        """Of the items; of one number, that many times undefined."""
        match items:
            case (bool(),):
                return cls.of(*items)
            case (int() | float() as length,):
                made = make_array(())
                made.length = length
                return made
            case _:
                return cls.of(*items)

    @staticmethod
    def of(*items: object) -> JsArray:
        made = make_array(())
        made.push(*items)
        return made

    @staticmethod
    def isArray(value: object) -> bool:
        """A list of Python is none in production."""
        return isinstance(value, JsArray if portability_warnings.current().is_strict else JsArray | list)

    @staticmethod
    def from_(items: object, function: Callable[..., object] | None = None) -> JsArray:
        """Of what can be iterated, or has a length."""
        made = make_array(())
        pairs: Callable[[], Iterable[object]] | None
        pairs = None if isinstance(items, JsArray) else getattr(items, "entries", None)
        if isinstance(items, PlainObject | JsDict):
            made.length = to_number(getattr(items, "length", 0))
        elif callable(pairs):  # a Map, Headers and the like are iterated as pairs
            made.push(*map(_as_array, pairs()))
        elif isinstance(items, ListIterator):
            made.push(*map(_as_array, items))
        elif isinstance(items, Iterable):
            made.push(*items)
        if function is None:
            return made
        return make_array(call_for_item(function, item, index) for index, item in enumerate(made.values()))


def _as_array(item: object) -> object:
    return make_array(item) if isinstance(item, tuple) else item


# `from` cannot be written as a method's name; pyodide takes one with an underscore behind it too.
setattr(Array, "from", Array.from_)
