"""Objects of JavaScript as scripts meet them: what production refuses is refused, or told in a lenient edge.

Recorded from pyodide: tests/conformance/cases/objects.json.
Source: https://pyodide.org/en/stable/usage/api/python-api/ffi.html
"""

import sys
from collections.abc import ItemsView, Iterator, KeysView, Mapping, MutableMapping, ValuesView
from typing import Final, Never, Self

from edgeworker.runtime.contract import portability_warnings
from edgeworker.runtime.webapi.ffi import JsDict, JsNull, jsnull
from edgeworker.runtime.webapi.plain_arrays import PlainArray
from edgeworker.runtime.webapi.plain_proxy import NAME, PlainProxy, call_it_proxy, fields_of

_INSTEAD: Final = "read its fields as attributes, or make a dict of it with to_py()"
_DICT_METHODS: Final = frozenset(name for name in dir(dict) if not name.startswith("_"))


class PlainObject(PlainProxy):
    """An object of JavaScript as pyodide shows it, where a script is held to what production has: its fields are
    attributes, and it is not a dict. What a dict would do is reported and refused.
    """

    __slots__ = ()
    _fields: dict[str, object]

    def __init__(self, fields: dict[str, object]) -> None:
        object.__setattr__(self, "_fields", fields)

    def __getattr__(self, name: str) -> object:
        if name in self._fields:
            if (value := self._fields[name]) is jsnull:
                portability_warnings.tell_of_null()
            return value
        if name in _DICT_METHODS:
            portability_warnings.is_refused(f"an object of JavaScript has no {name}()", _INSTEAD)
        raise AttributeError(name, name=name, obj=self)

    def __setattr__(self, name: str, value: object) -> None:
        self._fields[name] = value

    def __delattr__(self, name: str) -> None:
        if name not in self._fields:
            raise AttributeError(name, name=name, obj=self)
        del self._fields[name]

    def __getitem__(self, name: object) -> Never:
        _refuse("is not subscriptable")

    def __setitem__(self, name: object, value: object) -> Never:
        _refuse("does not support item assignment")

    def __delitem__(self, name: object) -> Never:
        _refuse("doesn't support item deletion")

    def __iter__(self) -> Iterator[Never]:
        _refuse("is not iterable")

    def __len__(self) -> int:
        _refuse("has no len()", f"object of type '{NAME}'")

    def __contains__(self, name: object) -> bool:
        _refuse("is not iterable", f"argument of type '{NAME}'")

    def __bool__(self) -> bool:
        return True

    def __dir__(self) -> list[str]:
        return [*self._fields, *object.__dir__(self)]

    def __str__(self) -> str:
        return "[object Object]"

    def to_py(self, **_options: object) -> dict[str, object]:
        """A copy as a dict, at every depth."""
        return {name: _plain(value) for name, value in self._fields.items()}

    def as_object_map(self, **_options: object) -> "ObjectMap":
        return ObjectMap(self._fields)

    def as_py_json(self) -> dict[str, object]:
        return self.to_py()

    def object_keys(self) -> PlainArray:
        return PlainArray(self._fields)

    def object_values(self) -> PlainArray:
        return PlainArray(self._fields.values())

    def object_entries(self) -> PlainArray:
        return PlainArray(PlainArray(pair) for pair in self._fields.items())

    def hasOwnProperty(self, name: str) -> bool:
        return name in self._fields


call_it_proxy(PlainObject)


class ObjectMap(MutableMapping[str, object]):
    """What `as_object_map()` gives: the fields of an object by brackets."""

    def __init__(self, fields: dict[str, object]) -> None:
        self._fields = fields

    def __getitem__(self, name: str) -> object:
        return self._fields[name]

    def __setitem__(self, name: str, value: object) -> None:
        self._fields[name] = value

    def __delitem__(self, name: str) -> None:
        del self._fields[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def to_py(self, **_options: object) -> dict[str, object]:
        return {name: _plain(value) for name, value in self._fields.items()}


class TolerantObject(JsDict):
    """An object of JavaScript in a lenient edge: a dict too, which is told where a script uses it as one."""

    def __getitem__(self, name: str) -> object:
        _tell_use()
        return super().__getitem__(name)

    def __getattr__(self, name: str) -> object:
        if name in self:
            return dict.__getitem__(self, name)
        return super().__getattr__(name)

    def __iter__(self) -> Iterator[str]:
        _tell_use()
        return super().__iter__()

    def get(self, name: str, default: object = None) -> object:
        _tell_use()
        return super().get(name, default)

    def keys(self) -> KeysView[str]:  # type: ignore[override]  # of a dict
        _tell_use()
        return super().keys()

    def items(self) -> ItemsView[str, object]:  # type: ignore[override]  # of a dict
        _tell_use()
        return super().items()

    def values(self) -> ValuesView[object]:  # type: ignore[override]  # of a dict
        _tell_use()
        return super().values()

    def to_py(self, **_options: object) -> dict[str, object]:
        return JsDict((name, _plain(value)) for name, value in dict.items(self))

    def object_keys(self) -> list[str]:
        return list(dict.keys(self))

    def object_values(self) -> list[object]:
        return list(dict.values(self))

    def object_entries(self) -> list[tuple[str, object]]:
        return list(dict.items(self))

    def as_object_map(self, **_options: object) -> Self:
        return self


def _refuse(text: str, subject: str = f"'{NAME}' object") -> Never:
    portability_warnings.is_refused("an object of JavaScript is not a dict", _INSTEAD)
    raise TypeError(f"{subject} {text}")


def _tell_use() -> None:
    """If it is not the edge itself that looks."""
    if not str(sys._getframe(2).f_globals.get("__name__", "")).startswith("edgeworker."):
        portability_warnings.is_refused("an object of JavaScript is not a dict on Cloudflare", _INSTEAD)


def _plain(value: object) -> object:
    convert: object = getattr(value, "to_py", None)
    return convert() if callable(convert) else [_plain(item) for item in value] if isinstance(value, list) else value


def make_object(fields: Mapping[str, object]) -> JsDict | PlainObject:
    """An object of JavaScript for the script that runs."""
    portability = portability_warnings.current()
    if portability.is_strict:
        return PlainObject(dict(fields))
    return JsDict(fields) if portability.is_silent else TolerantObject(fields)


def null(*, tell: bool = True) -> JsNull | None:
    """JavaScript's null for the script that runs; it is `tell`ed where it compares it with None."""
    if not portability_warnings.current().has_jsnull:
        return None
    if tell:
        portability_warnings.tell_of_null()
    return jsnull


def as_js(value: object) -> object:
    """Plain data with each dict as a JsDict, at every depth; anything else is given back as it is."""
    value = fields_of(value)
    if isinstance(value, Mapping):
        return JsDict((str(key), as_js(item)) for key, item in value.items())
    if isinstance(value, list | tuple):
        return [as_js(item) for item in value]
    return value
