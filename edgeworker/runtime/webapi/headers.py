"""JavaScript's `Headers`: the core's headers with Fetch's methods.

Texts and conversions are workerd's: tests/conformance/cases/web_api.json.
Source: https://fetch.spec.whatwg.org/#headers-class
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from edgeworker import messages
from edgeworker.runtime.contract import portability_warnings
from edgeworker.runtime.webapi.array_methods import JsArray
from edgeworker.runtime.webapi.arrays import make_array
from edgeworker.runtime.webapi.base import (
    JsObject,
    ListIterator,
    entries,
    make_iterator,
    refuse_python_dict,
    type_error,
)
from edgeworker.runtime.webapi.ffi import JsNull
from edgeworker.runtime.webapi.plain_arrays import show_pair
from edgeworker.runtime.webapi.plain_iterators import PlainIterator
from edgeworker.runtime.webapi.plain_objects import null
from edgeworker.runtime.webapi.strings import to_string

_NOT_A_NAME: Final = re.compile(r"[\x00-\x20\"(),/:;<=>?@\[\\\]{}\x7f]")


class Headers(JsObject):
    """`Headers.new()`, or with an object, a dict, pairs, or other headers, which are copied."""

    def __init__(self, init: object = None, /, **fields: object) -> None:
        self.core = messages.Headers() if init is None and not fields else to_headers(fields or init)
        self._immutable = False

    @classmethod
    def over(cls, core: messages.Headers, *, immutable: bool) -> "Headers":
        """A view: what is set here is set there. What came over the network is `immutable`, as in the standard."""
        view = cls.__new__(cls)
        view.core = core
        view._immutable = immutable
        return view

    def get(self, name: object) -> str | JsNull | None:
        value = self.core.get(_checked_name(name))
        return null() if value is None else value

    def getAll(self, name: object) -> JsArray:
        if to_string(name).lower() != "set-cookie":
            raise type_error('getAll() can only be used with the header name "Set-Cookie".')
        return self.getSetCookie()

    def getSetCookie(self) -> JsArray:
        return make_array(self.core.get_set_cookie())

    def has(self, name: object) -> bool:
        return self.core.has(_checked_name(name))

    def set(self, name: object, value: object) -> None:
        self._check_mutable()
        _change(self.core.set, name, value)

    def append(self, name: object, value: object) -> None:
        self._check_mutable()
        _change(self.core.append, name, value)

    def delete(self, name: object) -> None:
        self._check_mutable()
        self.core.delete(_checked_name(name))

    def forEach(self, callback: Callable[..., object], _this: object = None) -> None:
        for name, value in self.core.entries():
            callback(value, name, self)

    # workerd's iterators go over the fields as they were when the iteration began.

    def entries(self) -> ListIterator[object] | PlainIterator:
        return make_iterator(self.__iter__, "EntryIterator")

    def items(self) -> list[tuple[str, str]]:
        """Pyodide of before 0.28 gave it to whatever looks like a mapping. Raises AttributeError."""
        if portability_warnings.is_refused("headers of JavaScript have no items()", "use entries()"):
            raise AttributeError("items")
        return self.core.entries()

    def keys(self) -> ListIterator[str] | PlainIterator:
        return make_iterator([name for name, _ in self.core.entries()].__iter__, "KeyIterator")

    def values(self) -> ListIterator[str] | PlainIterator:
        return make_iterator([value for _, value in self.core.entries()].__iter__, "ValueIterator")

    def to_py(self, **_options: object) -> object:
        """A dict in a lenient edge. pyodide has no plainer form of them than themselves."""
        if portability_warnings.is_refused("to_py() makes no dict of headers", "use dict(headers.entries())"):
            return self
        return dict(self.core.entries())

    def __iter__(self) -> Iterator[object]:
        return map(show_pair, self.core.entries())

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.core.has(name)

    # pyodide gives brackets to every object of JavaScript that has `get`, `set`, `has` and `delete`.

    def __getitem__(self, name: str) -> str | JsNull | None:
        """Null for a missing one: that is a value."""
        return self.get(name)

    def __setitem__(self, name: str, value: object) -> None:
        self.set(name, value)

    def __delitem__(self, name: str) -> None:
        if not self.core.has(name):
            raise KeyError(name)
        self.delete(name)

    def __str__(self) -> str:
        return "[object Headers]"

    def __repr__(self) -> str:
        return repr(self.core)

    def _check_mutable(self) -> None:
        if self._immutable:
            raise type_error("Can't modify immutable headers.")


def to_headers(init: object) -> messages.Headers:
    """New core headers from what JavaScript's `new Headers(init)` takes. Raises JsException (TypeError)."""
    fields: Iterator[tuple[object, object]]
    match init:
        case None:
            return messages.Headers()
        case Headers():
            return init.core.copy()
        case messages.Headers():
            return init.copy()
        case list() if set(map(type, init)) == {tuple}:
            try:
                return messages.Headers(init)
            except (TypeError, ValueError, AttributeError):
                fields = iter(entries(init))  # which says what is wrong, or converts what is not text
        case Mapping():
            if type(init) is dict:
                refuse_python_dict("headers", init)
            fields = iter(init.items())
        case _:
            fields = iter(entries(init))
    pairs = [(to_string(name), to_string(value)) for name, value in fields]
    try:
        return messages.Headers(pairs)
    except TypeError as error:
        raise type_error(str(error)) from None


def _change(change: Callable[[str, str], None], name: object, value: object) -> None:
    try:
        change(to_string(name), to_string(value))
    except TypeError as error:
        raise type_error(str(error)) from None


def _checked_name(name: object) -> str:
    """Raises JsException (TypeError) for what no header can be named."""
    text = to_string(name)
    if _NOT_A_NAME.search(text):
        raise type_error(f"Invalid header name: {text!r}.")
    return text
