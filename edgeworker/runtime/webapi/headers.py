"""JavaScript's `Headers`: the core's headers with Fetch's methods. Source: https://fetch.spec.whatwg.org/#headers-class"""

from collections.abc import Callable, Iterator, Mapping

from edgeworker import messages
from edgeworker.runtime.webapi.base import JsObject, entries, is_absent, type_error
from edgeworker.runtime.webapi.ffi import JsException


class Headers(JsObject):
    """`Headers.new()`, or with an object, a dict, pairs, or other headers, which are copied."""

    def __init__(self, init: object = None, /, **fields: object) -> None:
        self.core = messages.Headers() if is_absent(init) and not fields else to_headers(fields or init)
        self._immutable = False

    @classmethod
    def over(cls, core: messages.Headers, *, immutable: bool) -> "Headers":
        """A view: what is set here is set there. What came over the network is `immutable`, as in the standard."""
        view = cls.__new__(cls)
        view.core = core
        view._immutable = immutable
        return view

    def get(self, name: str) -> str | None:
        return self.core.get(name)

    def getAll(self, name: str) -> list[str]:
        if name.lower() != "set-cookie":
            raise type_error('getAll() can only be used with the header name "Set-Cookie".')
        return self.core.get_set_cookie()

    def getSetCookie(self) -> list[str]:
        return self.core.get_set_cookie()

    def has(self, name: str) -> bool:
        return self.core.has(name)

    def set(self, name: str, value: object) -> None:
        self._check_mutable()
        _guarded(self.core.set, name, value)

    def append(self, name: str, value: object) -> None:
        self._check_mutable()
        _guarded(self.core.append, name, value)

    def delete(self, name: str) -> None:
        self._check_mutable()
        self.core.delete(name)

    def forEach(self, callback: Callable[..., object], _this: object = None) -> None:
        for name, value in self.core.entries():
            callback(value, name, self)

    def entries(self) -> list[tuple[str, str]]:
        return self.core.entries()

    def items(self) -> list[tuple[str, str]]:
        return self.core.entries()

    def keys(self) -> list[str]:
        return [name for name, _ in self.core.entries()]

    def values(self) -> list[str]:
        return [value for _, value in self.core.entries()]

    def to_py(self, **_options: object) -> dict[str, str]:
        return dict(self.core.entries())

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self.core.entries())

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.core.has(name)

    # pyodide gives brackets to every object of JavaScript that has `get`, `set`, `has` and `delete`.

    def __getitem__(self, name: str) -> str | None:
        """None for a missing one: `get` answers null, which is a value."""
        return self.core.get(name)

    def __setitem__(self, name: str, value: object) -> None:
        self.set(name, value)

    def __delitem__(self, name: str) -> None:
        if not self.core.has(name):
            raise KeyError(name)
        self.delete(name)

    def __repr__(self) -> str:
        return repr(self.core)

    def _check_mutable(self) -> None:
        if self._immutable:
            raise type_error("Can't modify immutable headers.")


def to_headers(init: object) -> messages.Headers:
    """New core headers from what JavaScript's `new Headers(init)` takes. Raises JsException (TypeError)."""
    match init:
        case None:
            return messages.Headers()
        case Headers():
            return init.core.copy()
        case messages.Headers():
            return init.copy()
        case Mapping():
            fields: Iterator[tuple[str, object]] = iter(init.items())
        case _:
            fields = entries(init)
    pairs = list(fields)
    try:
        return messages.Headers([(str(name), value if isinstance(value, str) else str(value)) for name, value in pairs])
    except TypeError as error:
        raise JsException("TypeError", str(error)) from None


def _guarded(change: Callable[[str, str], None], name: str, value: object) -> None:
    try:
        change(str(name), value if isinstance(value, str) else str(value))
    except TypeError as error:
        raise JsException("TypeError", str(error)) from None
