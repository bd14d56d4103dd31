"""The methods of JavaScript's arrays, over a list of Python.

Source: https://tc39.es/ecma262/#sec-properties-of-the-array-prototype-object
"""

import functools
import inspect
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator
from typing import Final, Self, SupportsIndex

from edgeworker.runtime.contract import portability_warnings
from edgeworker.runtime.webapi.ffi import Constructor, JsException, JsNull
from edgeworker.runtime.webapi.strings import to_string
from edgeworker.runtime.webapi.surplus import javascript_class

_Function = Callable[..., object]
_MOST_EMPTY: Final = 1 << 24  # items that no one has set; here they take memory


@javascript_class
class JsArray:
    """An array of JavaScript; `pyodide.ffi.JsArray` for scripts."""

    __slots__ = ()
    typeof = "object"
    constructor = Constructor("Array")

    @abstractmethod
    def _list(self) -> list[object]:
        """The items."""

    @abstractmethod
    def _make(self, items: Iterable[object]) -> Self:
        """A new array."""

    def __iter__(self) -> Iterator[object]:
        return iter(self._list())

    def __len__(self) -> int:
        return len(self._list())

    @abstractmethod
    def _store(self, item: object) -> object:
        """The form in which an item is kept that a function of JavaScript was given."""

    @property
    def length(self) -> int:
        return len(self._list())

    @length.setter
    def length(self, length: int | float) -> None:
        items = self._list()
        if not 0 <= length <= max(_MOST_EMPTY, len(items)) or length != int(length):
            raise JsException("RangeError", "Invalid array length")
        items[int(length) :] = [None] * (int(length) - len(items))

    def push(self, *items: object) -> int:
        self._list().extend(map(self._store, items))
        return self.length

    def shift(self) -> object:
        return self._list().pop(0) if self._list() else None

    def unshift(self, *items: object) -> int:
        self._list()[0:0] = map(self._store, items)
        return self.length

    def splice(self, start: int = 0, count: int | None = None, *items: object) -> Self:
        """Takes `count` items out, puts `items` there, and gives what was taken out."""
        whole = self._list()
        begin = slice(start, None).indices(len(whole))[0]
        end = len(whole) if count is None else begin + max(0, count)
        taken = whole[begin:end]
        whole[begin:end] = map(self._store, items)
        return self._make(taken)

    def fill(self, value: object = None, start: SupportsIndex = 0, end: SupportsIndex | None = None) -> Self:
        items = self._list()
        for index in range(len(items))[start:end]:
            items[index] = value
        return self

    def includes(self, item: object) -> bool:
        return any(is_same(item, other) for other in self._list())

    def indexOf(self, item: object) -> int:
        return next((index for index, other in enumerate(self._list()) if is_same(item, other)), -1)

    def lastIndexOf(self, item: object) -> int:
        items = self._list()
        return next((index for index in reversed(range(len(items))) if is_same(item, items[index])), -1)

    def join(self, separator: object = ",") -> str:
        return to_string(separator).join(
            "" if item is None or isinstance(item, JsNull) else to_string(item) for item in self._list()
        )

    def slice(self, start: SupportsIndex = 0, end: SupportsIndex | None = None) -> Self:
        return self._make(self._list()[start:end])

    def concat(self, *others: object) -> Self:
        """Arrays and lists are taken item by item, anything else as one item."""
        items = list(self._list())
        for other in others:
            inner = items_of(other)
            items.extend([other] if inner is None else inner)
        return self._make(items)

    def flat(self, depth: int = 1) -> Self:
        return self._make(_flatten(self._list(), depth))

    def map(self, function: _Function) -> Self:
        return self._make(self._call(function, index) for index in range(self.length))

    def flatMap(self, function: _Function) -> Self:
        return self._make(_flatten(self.map(function)._list(), 1))

    def filter(self, function: _Function) -> Self:
        return self._make([item for index, item in enumerate(self._list()) if self._call(function, index)])

    def forEach(self, function: _Function) -> None:
        for index in range(self.length):
            self._call(function, index)

    def find(self, function: _Function) -> object:
        return next((item for index, item in enumerate(self._list()) if self._call(function, index)), None)

    def findIndex(self, function: _Function) -> int:
        return next((index for index in range(self.length) if self._call(function, index)), -1)

    def findLast(self, function: _Function) -> object:
        found = self.findLastIndex(function)
        return self._list()[found] if found >= 0 else None

    def findLastIndex(self, function: _Function) -> int:
        return next((index for index in reversed(range(self.length)) if self._call(function, index)), -1)

    def some(self, function: _Function) -> bool:
        return any(self._call(function, index) for index in range(self.length))

    def every(self, function: _Function) -> bool:
        return all(self._call(function, index) for index in range(self.length))

    def reduce(self, function: _Function, *start: object) -> object:
        return self._reduce(function, range(self.length), *start)

    def reduceRight(self, function: _Function, *start: object) -> object:
        return self._reduce(function, reversed(range(self.length)), *start)

    def sort(self, function: object = None, **options: object) -> Self:
        """By the texts of the items, or by what the function says of two of them."""
        if options:  # Python's own
            if portability_warnings.is_refused(
                "sort() of an array of JavaScript takes no keywords", "use sorted(array, key=...)"
            ):
                what = "The comparison function must be either a function or undefined: #<Object>"
                raise JsException("TypeError", what)
            list.sort(self._list(), **options)  # type: ignore[call-overload]  # the script's options
        elif callable(function):
            list.sort(self._list(), key=functools.cmp_to_key(function))
        else:
            list.sort(self._list(), key=to_string)
        return self

    def toSorted(self, function: object = None) -> Self:
        return self._make(self._list()).sort(function)

    def toReversed(self) -> Self:
        return self._make(reversed(self._list()))

    def at(self, index: int) -> object:
        items = self._list()
        return items[index] if -len(items) <= index < len(items) else None

    def with_(self, index: int, value: object) -> Self:
        made = self._make(self._list())
        made._list()[index] = value
        return made

    def values(self) -> Iterator[object]:
        return iter(self._list())

    def entries(self) -> Iterator[object]:
        return (self._make([index, item]) for index, item in enumerate(self._list()))

    def hasOwnProperty(self, name: str) -> bool:
        return name == "length" or (name.isdecimal() and int(name) < self.length)

    def object_keys(self) -> Self:
        return self._make(str(index) for index in range(self.length))

    def object_values(self) -> Self:
        return self._make(self._list())

    def object_entries(self) -> Self:
        return self._make(self._make([str(index), item]) for index, item in enumerate(self._list()))

    def to_py(self, *, depth: int = -1, **_options: object) -> list[object]:
        """A copy as a list, down to the depth."""
        return [convert_item(item, depth - 1) for item in self._list()]

    def _reduce(self, function: _Function, indexes: Iterable[int], *start: object) -> object:
        given, left = list(start), iter(indexes)
        if not given:
            given = [self._list()[index] for index in (next(left, None),) if index is not None]
            if not given:
                raise JsException("TypeError", "Reduce of empty array with no initial value")
        result = given[0]
        for index in left:
            result = self._call(function, index, result)
        return result

    def _call(self, function: _Function, index: int, *before: object) -> object:
        """As JavaScript calls it: with the item, its index and the array."""
        return call_for_item(function, *before, self._list()[index], index, self)


# pyodide takes a keyword of Python with an underscore behind it, and its own name from `getattr`.
setattr(JsArray, "with", JsArray.with_)


def is_same(one: object, other: object) -> bool:
    """Whether JavaScript takes two items for the same: true is not 1."""
    return one is other or (isinstance(one, bool) is isinstance(other, bool) and one == other)


def items_of(value: object) -> list[object] | tuple[object, ...] | None:
    """The items of an array, or of a sequence of Python; None for anything else."""
    if isinstance(value, JsArray):
        return value._list()
    return value if isinstance(value, list | tuple) else None


def call_for_item(function: _Function, *arguments: object) -> object:
    """Calls a script's function as JavaScript does, with all arguments; a lenient edge drops what it does not take."""
    if not callable(function):
        raise JsException("TypeError", f"{to_string(function)} is not a function")
    count = len(arguments)
    takes = _count_accepted(function, count)
    if takes < count:
        what = f"the function gets {count} arguments of JavaScript, and takes {takes}"
        if not portability_warnings.is_refused(what, "let it take the rest: lambda item, *rest: ..."):
            return function(*arguments[:takes])
    return function(*arguments)


def convert_item(value: object, depth: int = -1) -> object:
    """JavaScript's data as Python's: what every proxy's `to_py()` does."""
    if depth == 0:
        return value
    if isinstance(value, JsArray):
        return value.to_py(depth=depth)
    convert: object = getattr(value, "to_py", None)
    return convert() if callable(convert) else value


def _flatten(items: Iterable[object], depth: int) -> Iterator[object]:
    for item in items:
        inner = items_of(item) if depth > 0 else None
        if inner is None:
            yield item
        else:
            yield from _flatten(inner, depth - 1)


def _count_accepted(function: _Function, most: int) -> int:
    """How many of so many positional arguments a function takes; what does not say takes one."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return 1
    if any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters):
        return most
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return min(most, sum(parameter.kind in positional for parameter in parameters))
