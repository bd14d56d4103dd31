"""JavaScript's values as a Python script meets them: objects, exceptions, null; `pyodide.ffi` is built on it.

Source: `JsDict` of the package workers-runtime-sdk (workers/rpc.py), https://pyodide.org/en/stable/usage/api/python-api/ffi.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self, final


@dataclass(frozen=True, slots=True)
class Constructor:
    """`value.constructor`: scripts ask for its name to learn what they were given."""

    name: str


_OF_EVERY_OBJECT: Final[Mapping[str, object]] = {"typeof": "object", "constructor": Constructor("Object")}


class JsDict(dict[str, object]):
    """A JavaScript object: its keys are items and attributes at once, `data["name"]` and `data.name`.

    A key that is also the name of a dict method (`items`, `get`) is reached as an item only, as in Cloudflare's SDK.
    """

    def __getattr__(self, name: str) -> object:
        try:
            return self[name]
        except KeyError:
            if name in _OF_EVERY_OBJECT:
                return _OF_EVERY_OBJECT[name]
            raise AttributeError(name) from None

    def __setattr__(self, name: str, value: object) -> None:
        self[name] = value

    def __delattr__(self, name: str) -> None:
        try:
            del self[name]
        except KeyError:
            raise AttributeError(name) from None

    def to_py(self, **_options: object) -> dict[str, object]:
        """Itself: it is a Python dict already."""
        return self

    def as_object_map(self, **_options: object) -> Self:
        return self

    def object_keys(self) -> list[str]:
        return list(self)

    def object_values(self) -> list[object]:
        return list(self.values())

    def object_entries(self) -> list[tuple[str, object]]:
        return list(self.items())


class JsException(Exception):
    """An exception of JavaScript. `name` is its class there ("TypeError"), `message` its text."""

    def __init__(self, name: str, message: str = "") -> None:
        super().__init__(f"{name}: {message}" if message else name)
        self.name = name
        self.message = message

    @property
    def js_error(self) -> Self:
        return self


@final
class JsNull:
    """JavaScript's null where it differs from undefined; false in a condition. There is one: `jsnull`."""

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        return "jsnull"


jsnull: Final = JsNull()
