"""JavaScript's plain data: `Object`, `Array`, `Map`, `Set`, and what `to_js` makes of Python's."""

import functools
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from typing import SupportsIndex

from edgeworker.runtime.contract import portability_warnings
from edgeworker.runtime.contract.env import Env
from edgeworker.runtime.webapi.base import JsObject, entries, is_absent
from edgeworker.runtime.webapi.buffers import Uint8Array
from edgeworker.runtime.webapi.ffi import Constructor, JsDict, jsnull
from edgeworker.runtime.webapi.plain_objects import PlainObject, fields_of, make_object, null
from edgeworker.runtime.webapi.strings import to_string
from edgeworker.runtime.webapi.surplus import javascript_class


@javascript_class
class JsArray(list[object]):
    """A JavaScript array: a list with its methods."""

    @classmethod
    def new(cls, *items: object) -> "JsArray":
        match items:
            case (int() as length,):
                return cls([None] * length)
            case _:
                return cls(items)

    @staticmethod
    def of(*items: object) -> "JsArray":
        return JsArray(items)

    @staticmethod
    def isArray(value: object) -> bool:
        """A list of Python is none in production."""
        return isinstance(value, JsArray if portability_warnings.current().is_strict else list)

    def __eq__(self, other: object) -> bool:
        if (
            self is not other
            and isinstance(other, list)
            and not str(sys._getframe(1).f_globals.get("__name__", "")).startswith("edgeworker.")
            and portability_warnings.is_refused("an array of JavaScript equals only itself", "compare list(array)")
        ):
            return False
        return list.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = None

    @property
    def constructor(self) -> Constructor:
        return Constructor("Array")

    @property
    def typeof(self) -> str:
        return "object"

    @property
    def length(self) -> int:
        return len(self)

    def push(self, *items: object) -> int:
        self.extend(items)
        return len(self)

    def shift(self) -> object:
        return list.pop(self, 0) if self else None

    def unshift(self, *items: object) -> int:
        self[0:0] = items
        return len(self)

    def includes(self, item: object) -> bool:
        return item in self

    def indexOf(self, item: object) -> int:
        return self.index(item) if item in self else -1

    def join(self, separator: str = ",") -> str:
        return separator.join("" if is_absent(item) else str(item) for item in self)

    def slice(self, start: SupportsIndex = 0, end: SupportsIndex | None = None) -> "JsArray":
        return JsArray(self[start:end])

    def concat(self, *others: Iterable[object]) -> "JsArray":
        return JsArray([*self, *(item for other in others for item in other)])

    def map(self, function: Callable[[object], object]) -> "JsArray":
        return JsArray(function(item) for item in self)

    def filter(self, function: Callable[[object], object]) -> "JsArray":
        return JsArray(item for item in self if function(item))

    def forEach(self, function: Callable[[object], object]) -> None:
        for item in self:
            function(item)

    def find(self, function: Callable[[object], object]) -> object:
        return next((item for item in self if function(item)), None)

    def findIndex(self, function: Callable[[object], object]) -> int:
        return next((index for index, item in enumerate(self) if function(item)), -1)

    def some(self, function: Callable[[object], object]) -> bool:
        return any(function(item) for item in self)

    def every(self, function: Callable[[object], object]) -> bool:
        return all(function(item) for item in self)

    def reduce(self, function: Callable[[object, object], object], *start: object) -> object:
        return functools.reduce(function, self, *start)

    def sort(self, function: object = None, **options: object) -> "JsArray":  # type: ignore[override]  # of JavaScript
        """By the texts of the items, or by what the function says of two of them."""
        if options:  # Python's own
            list.sort(self, **options)  # type: ignore[call-overload]  # the script's options
        elif callable(function):
            list.sort(self, key=functools.cmp_to_key(function))
        else:
            list.sort(self, key=to_string)
        return self

    def at(self, index: int) -> object:
        return self[index] if -len(self) <= index < len(self) else None

    def flat(self) -> "JsArray":
        return JsArray(inner for item in self for inner in (item if isinstance(item, list) else [item]))

    def object_values(self) -> list[object]:
        return list(self)

    def object_entries(self) -> list[tuple[str, object]]:
        return [(str(index), item) for index, item in enumerate(self)]

    def to_py(self, **_options: object) -> list[object]:
        return [to_py(item) for item in self]


def _array_from(items: Iterable[object], function: Callable[[object], object] | None = None) -> JsArray:
    return JsArray(items if function is None else map(function, items))


# `Array.from` cannot be written as a method's name; pyodide takes a keyword with an underscore behind it.
for _name in ("from", "from_"):
    setattr(JsArray, _name, staticmethod(_array_from))


class JsMap(MutableMapping[str, object], JsObject):
    """A JavaScript Map: what `to_js` makes of a dict without a dict_converter. Its keys are items, not attributes."""

    def __init__(self, init: object = None, /) -> None:
        self._items: dict[object, object] = {} if is_absent(init) else dict(entries(init))

    @property
    def constructor(self) -> Constructor:
        return Constructor("Map")

    @property
    def size(self) -> int:
        return len(self._items)

    def get(self, key: object, default: object = None) -> object:
        return self._items.get(key, default)

    def set(self, key: object, value: object) -> "JsMap":
        self._items[key] = value
        return self

    def has(self, key: object) -> bool:
        return key in self._items

    def delete(self, key: object) -> bool:
        return self._items.pop(key, jsnull) is not jsnull

    def entries(self) -> list[tuple[object, object]]:
        return list(self._items.items())

    def to_py(self, **_options: object) -> dict[object, object]:
        return {key: to_py(value) for key, value in self._items.items()}

    def __getitem__(self, key: object) -> object:
        return self._items[key]

    def __setitem__(self, key: object, value: object) -> None:
        self._items[key] = value

    def __delitem__(self, key: object) -> None:
        del self._items[key]

    def __iter__(self) -> Iterator[str]:
        return (str(key) for key in self._items)

    def __len__(self) -> int:
        return len(self._items)


class LiteralMap(JsMap):
    """What `to_js` makes of a dict: a Map whose texts are properties too, so that `JSON.stringify` shows them."""

    def __getattr__(self, name: str) -> object:
        items: dict[object, object] = self.__dict__.get("_items", {})
        if name not in items:
            raise AttributeError(name)
        return items[name]


@javascript_class
class JsSet(set[object]):
    """A JavaScript Set."""

    @classmethod
    def new(cls, items: Iterable[object] = ()) -> "JsSet":
        return cls(items)

    @property
    def size(self) -> int:
        return len(self)

    def has(self, item: object) -> bool:
        return item in self

    def delete(self, item: object) -> bool:
        there = item in self
        self.discard(item)
        return there

    def to_py(self, **_options: object) -> set[object]:
        return set(self)


@javascript_class
class Object:
    """The global of that name. `Object(value)` is the value, or a new object."""

    def __new__(cls, value: object = None) -> object:  # type: ignore[misc]  # a call converts, as in JavaScript
        return make_object({}) if is_absent(value) else value

    @staticmethod
    def new(init: object = None, /, **fields: object) -> JsDict | PlainObject:
        return make_object({**({} if is_absent(init) else dict(entries(init))), **fields})

    @staticmethod
    def fromEntries(pairs: object) -> JsDict | PlainObject:
        return make_object(dict(entries(pairs)))

    @staticmethod
    def keys(value: object) -> JsArray:
        return JsArray(name for name, _ in _own(value))

    @staticmethod
    def values(value: object) -> JsArray:
        return JsArray(item for _, item in _own(value))

    @staticmethod
    def entries(value: object) -> JsArray:
        return JsArray(JsArray(pair) for pair in _own(value))

    @staticmethod
    def assign(target: object, *sources: object) -> object:
        fields = fields_of(target)
        assert isinstance(fields, dict)
        for source in sources:
            if not is_absent(source):
                fields.update(_own(source))
        return target

    @staticmethod
    def hasOwn(value: object, name: str) -> bool:
        return any(found == name for found, _ in _own(value))

    @staticmethod
    def getOwnPropertyNames(value: object) -> JsArray:
        return Object.keys(value)

    @staticmethod
    def freeze(value: object) -> object:
        return value


class JsGlobal(JsObject):
    """`globalThis`: the globals as attributes."""

    def __init__(self, names: Mapping[str, object]) -> None:
        self.__dict__.update(names)


def _own(value: object) -> Iterator[tuple[str, object]]:
    if isinstance(value, list | tuple):
        return ((str(index), item) for index, item in enumerate(value))
    if isinstance(value, Env):
        return ((name, getattr(value, name)) for name in value)
    return entries(value if isinstance(value, Mapping | PlainObject) else vars(value))


def to_js(
    value: object,
    *,
    depth: int = -1,
    pyproxies: object = None,
    create_pyproxies: bool = True,
    dict_converter: Callable[[Iterable[list[object]]], object] | None = None,
    default_converter: Callable[..., object] | None = None,
    eager_converter: Callable[..., object] | None = None,
) -> object:
    """Python's data as JavaScript's, as a copy: dicts as Map (or what `dict_converter` makes of the pairs), lists as
    Array, bytes as Uint8Array. Anything else stays what it is."""

    def convert(item: object, left: int) -> object:
        if left == 0:
            return item
        match item:
            case JsDict() | PlainObject() | JsArray() | JsMap() | JsSet() | Uint8Array():
                return item
            case dict():
                pairs = [[key, convert(inner, left - 1)] for key, inner in item.items()]
                return LiteralMap(pairs) if dict_converter is None else dict_converter(pairs)
            case list() | tuple():
                return JsArray(convert(inner, left - 1) for inner in item)
            case set() | frozenset():
                return JsSet(convert(inner, left - 1) for inner in item)
            case bytes() | bytearray() | memoryview():
                return Uint8Array(item)
            case None | bool() | int() | float() | str() | JsObject():
                return item
            case _ if default_converter is not None:
                return default_converter(item, lambda inner: convert(inner, left - 1), lambda _old, _new: None)
            case _:
                return item

    return convert(value, depth)


def to_py(value: object) -> object:
    """JavaScript's data as Python's: what every proxy's `to_py()` does."""
    convert: object = getattr(value, "to_py", None)
    if callable(convert):
        return convert()
    return value


def as_objects(value: object) -> object:
    """Plain data, parsed JSON for one, as JavaScript gives it to Python: its objects, and arrays with its methods."""
    value = fields_of(value)
    if value is None:
        return null(tell=False)
    if isinstance(value, Mapping):
        return make_object({str(key): as_objects(item) for key, item in value.items()})
    if isinstance(value, list | tuple):
        return JsArray(as_objects(item) for item in value)
    return value
