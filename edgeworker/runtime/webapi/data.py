"""JavaScript's plain data: `Object`, `Map`, and what `to_js` makes of Python's."""

from collections.abc import Callable, Iterable, Iterator, Mapping, MappingView, MutableMapping

from edgeworker.runtime.contract import portability_warnings
from edgeworker.runtime.contract.env import Env
from edgeworker.runtime.webapi.array_methods import JsArray, convert_item, is_same, items_of
from edgeworker.runtime.webapi.arrays import make_array
from edgeworker.runtime.webapi.base import (
    JsObject,
    ListIterator,
    entries,
    is_absent,
    make_iterator,
    pairs_of,
    type_error,
)
from edgeworker.runtime.webapi.buffers import Uint8Array
from edgeworker.runtime.webapi.ffi import Constructor, JsDict, JsException
from edgeworker.runtime.webapi.identity import as_kept, identify, refuse_ambiguous
from edgeworker.runtime.webapi.json_text import number
from edgeworker.runtime.webapi.plain_arrays import lend, show_pair
from edgeworker.runtime.webapi.plain_iterators import PlainIterator
from edgeworker.runtime.webapi.plain_objects import PlainObject, make_object, null
from edgeworker.runtime.webapi.plain_proxy import call_it_proxy, fields_of
from edgeworker.runtime.webapi.sets import JsSet
from edgeworker.runtime.webapi.surplus import javascript_class


class JsMap(MutableMapping[object, object], JsObject):
    """A JavaScript Map: what `to_js` makes of a dict without a dict_converter. Its keys are items, not attributes."""

    def __init__(self, init: object = None, /) -> None:
        # By identity; an object that is a key is kept alive by being kept here.
        self._keys: dict[object, object] = {}
        self._items: dict[object, object] = {}
        if (
            type(init) is dict
            and init
            and portability_warnings.is_refused(
                "a dict of Python holds no entries of a Map on Cloudflare: TypeError", "give list(values.items())"
            )
        ):
            raise type_error(f"Iterator value {next(iter(init))} is not an entry object")
        for key, value in () if is_absent(init) else pairs_of(init):
            self[key] = value

    @property
    def constructor(self) -> Constructor:
        return Constructor("Map")

    @property
    def size(self) -> int:
        return len(self._items)

    def get(self, key: object, default: object = None) -> object:
        return self._items.get(identify(key), default)

    def set(self, key: object, value: object) -> "JsMap":
        self[key] = lend(value)
        return self

    def has(self, key: object) -> bool:
        return identify(key) in self._items

    def delete(self, key: object) -> bool:
        there = key in self
        if there:
            del self[key]
        return there

    def entries(self) -> ListIterator[object] | PlainIterator:
        return make_iterator(lambda: map(show_pair, list(self.items())), "Map Iterator")

    def forEach(self, callback: Callable[..., object], _this: object = None) -> None:
        for key, value in list(self.items()):
            callback(value, key, self)

    def to_py(self, **_options: object) -> dict[object, object]:
        """Raises JsException where a dict of Python cannot hold it."""
        refuse_ambiguous(self._keys.values(), "Map")
        return {key: convert_item(value) for key, value in self.items()}

    def __getitem__(self, key: object) -> object:
        if (found := identify(key)) not in self._items:
            raise KeyError(key)
        return self._items[found]

    def __setitem__(self, key: object, value: object) -> None:
        found = identify(key)
        self._keys.setdefault(found, as_kept(key))
        self._items[found] = value

    def __delitem__(self, key: object) -> None:
        if (found := identify(key)) not in self._items:
            raise KeyError(key)
        del self._items[found], self._keys[found]

    def __iter__(self) -> Iterator[object]:
        portability_warnings.tell_of_names("iterating a Map gives its keys, not pairs", "iterate its items()")
        return iter(list(self._keys.values()))

    def __contains__(self, key: object) -> bool:
        return self.has(key)

    def __len__(self) -> int:
        return len(self._items)

    def __eq__(self, other: object) -> bool:
        return self is other

    __hash__ = None  # type: ignore[assignment]  # as pyodide's proxy of one

    def __str__(self) -> str:
        return "[object Map]"

    __repr__ = __str__


class LiteralMap(JsMap):
    """What `to_js` makes of a dict: a Map whose texts are properties too, so that `JSON.stringify` shows them."""

    def __getattr__(self, name: str) -> object:
        items: dict[object, object] = self.__dict__.get("_items", {})
        if name not in items:
            raise AttributeError(name)
        return items[name]


call_it_proxy(JsMap)
call_it_proxy(LiteralMap)


@javascript_class
class Object:
    """The global of that name. `Object(value)` is the value, or a new object."""

    def __new__(cls, value: object = None) -> object:  # type: ignore[misc]  # a call converts, as in JavaScript
        return make_object({}) if is_absent(value) else value

    @staticmethod
    def new(init: object = None, /, **fields: object) -> JsDict | PlainObject:
        given = {name: lend(value) for name, value in fields.items()}
        return make_object({**({} if is_absent(init) else dict(entries(init))), **given})

    @staticmethod
    def fromEntries(pairs: object) -> JsDict | PlainObject:
        return make_object(dict(entries(pairs)))

    @staticmethod
    def keys(value: object) -> JsArray:
        return make_array(name for name, _ in _own(value))

    @staticmethod
    def values(value: object) -> JsArray:
        return make_array(item for _, item in _own(value))

    @staticmethod
    def entries(value: object) -> JsArray:
        return make_array(make_array(pair) for pair in _own(value))

    @staticmethod
    def assign(target: object, *sources: object) -> object:
        fields = fields_of(target)
        for source in sources:
            own = [] if is_absent(source) else _own(source)
            if isinstance(fields, dict):
                fields.update(own)
            elif isinstance(target, JsArray):
                for index, item in own:
                    target._list()[int(index) : int(index) + 1] = [item]
            else:
                raise JsException("TypeError", f"Object.assign: {type(target).__name__} takes no fields")
        return target

    @staticmethod
    def is_(one: object, other: object) -> bool:
        return is_same(one, other) or (one != one and other != other)  # NaN is itself

    @staticmethod
    def hasOwn(value: object, name: str) -> bool:
        return any(found == name for found, _ in _own(value))

    @staticmethod
    def getOwnPropertyNames(value: object) -> JsArray:
        names = Object.keys(value)
        if isinstance(value, JsArray):
            names.push("length")
        return names

    @staticmethod
    def freeze(value: object) -> object:
        return value


setattr(Object, "is", Object.is_)


class JsGlobal(JsObject):
    """`globalThis`: the globals as attributes."""

    def __init__(self, names: Mapping[str, object]) -> None:
        self.__dict__.update(names)


def _own(value: object) -> Iterator[tuple[str, object]]:
    if (items := items_of(value)) is not None:
        return ((str(index), item) for index, item in enumerate(items))
    if isinstance(value, PlainIterator | Iterator | MappingView):
        return iter(())  # iterators and views have no properties of their own
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
                return make_array(convert(inner, left - 1) for inner in item)
            case set() | frozenset():
                return JsSet(convert(inner, left - 1) for inner in item)
            case bytes() | bytearray() | memoryview():
                return Uint8Array(item)
            case float():
                return number(item)
            case None | bool() | int() | str() | JsObject():
                return item
            case _ if default_converter is not None:
                return default_converter(item, lambda inner: convert(inner, left - 1), lambda _old, _new: None)
            case _:
                return item

    return convert(value, depth)


def as_objects(value: object) -> object:
    """Plain data, parsed JSON for one, as JavaScript gives it to Python: its objects, and arrays with its methods."""
    value = fields_of(value)
    if value is None:
        return null(tell=False)
    if isinstance(value, Mapping):
        return make_object({str(key): as_objects(item) for key, item in value.items()})
    if isinstance(value, list | tuple):
        return make_array(as_objects(item) for item in value)
    return value
