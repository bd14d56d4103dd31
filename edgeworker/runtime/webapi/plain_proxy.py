"""What every object of JavaScript is to a script that is held to production: pyodide's JsProxy.

Source: https://pyodide.org/en/stable/usage/api/python-api/ffi.html
"""

from typing import Never, Self

from edgeworker.runtime.webapi.ffi import Constructor

NAME = "pyodide.ffi.JsProxy"  # as errors of pyodide call it


class PlainProxy:
    """An object or an array of JavaScript. `_fields` is what is in it."""

    __slots__ = ("_fields",)
    _fields: dict[str, object] | list[object]
    typeof = "object"
    constructor = Constructor("Object")

    def __hash__(self) -> int:
        raise TypeError(f"unhashable type: '{NAME}'")

    def __eq__(self, other: object) -> bool:
        return self is other

    def __reduce_ex__(self, _protocol: object) -> Never:
        raise TypeError(f"cannot pickle '{NAME}' object")

    def __format__(self, form: str) -> str:
        if form:
            raise TypeError(f"unsupported format string passed to {NAME}.__format__")
        return str(self)

    def __repr__(self) -> str:
        return str(self)

    def toString(self) -> str:
        return str(self)

    def valueOf(self) -> Self:
        return self


def call_it_proxy(kind: type) -> None:
    """Gives a class the name that pyodide has for it: in the texts of errors, and for scripts that ask."""
    kind.__name__ = kind.__qualname__ = "JsProxy"
    kind.__module__ = "pyodide.ffi"


def fields_of(value: object) -> object:
    """The fields of an object of JavaScript as a dict, the items of an array as a list; anything else as it is."""
    return value._fields if isinstance(value, PlainProxy) else value
