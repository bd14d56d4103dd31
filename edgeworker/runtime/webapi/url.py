"""`URL` and `URLSearchParams`, on a WHATWG parser. Source: https://url.spec.whatwg.org/#api"""

from collections.abc import Callable, Iterator
from typing import Final

import ada_url

from edgeworker.messages import Body
from edgeworker.runtime.webapi.base import BodySource, BodyWithType, JsObject, entries, is_absent, type_error
from edgeworker.runtime.webapi.ffi import JsException

_PARTS: Final = ("href", "protocol", "username", "password", "host", "hostname", "port", "pathname", "search", "hash")


class URL(JsObject):
    """`URL.new(url, base)`: its parts can be read and set, and `searchParams` changes `search`."""

    def __init__(self, url: object, base: object = None) -> None:
        given = str(url)
        try:
            self._url = ada_url.URL(given) if is_absent(base) else ada_url.URL(given, str(base))
        except ValueError:
            raise type_error(f"Invalid URL string: {given[:200]!r}") from None
        self._params: URLSearchParams | None = None

    @staticmethod
    def canParse(url: object, base: object = None) -> bool:
        return URL.parse(url, base) is not None

    @staticmethod
    def parse(url: object, base: object = None) -> "URL | None":
        try:
            return URL(url, base)
        except JsException:
            return None

    @property
    def origin(self) -> str:
        return str(self._url.origin)

    @property
    def searchParams(self) -> "URLSearchParams":
        if self._params is None:
            self._params = URLSearchParams(self._url.search)
            self._params.on_change = self._take_params
        return self._params

    def toString(self) -> str:
        return str(self._url.href)

    def toJSON(self) -> str:
        return str(self._url.href)

    def __str__(self) -> str:
        return str(self._url.href)

    def __repr__(self) -> str:
        return f"URL({self._url.origin}{self._url.pathname})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, URL) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))

    def __getattr__(self, name: str) -> str:
        if name not in _PARTS:
            raise AttributeError(f"URL has no attribute {name!r}", name=name, obj=self)
        return str(getattr(self._url, name))

    def __setattr__(self, name: str, value: object) -> None:
        if name not in _PARTS:
            super().__setattr__(name, value)
            return
        try:
            setattr(self._url, name, str(value))
        except ValueError:
            # Only `href` reports what it cannot take; the standard's other setters ignore it.
            if name == "href":
                raise type_error(f"Invalid URL string: {str(value)[:200]!r}") from None
        if name in ("href", "search") and self._params is not None:
            self._params.replace(self._url.search)

    def _take_params(self, text: str) -> None:
        self._url.search = text


class URLSearchParams(BodySource):
    """`URLSearchParams.new("a=1")`, of an object, of pairs, or of another one."""

    def __init__(self, init: object = None, /, **fields: object) -> None:
        self.on_change: Callable[[str], None] | None = None
        if isinstance(init, URLSearchParams | str):
            self._params = ada_url.URLSearchParams(str(init).removeprefix("?"))
            return
        self._params = ada_url.URLSearchParams("")
        for name, value in () if is_absent(init) and not fields else entries(fields or init):
            self._params.append(name, str(value))

    @property
    def size(self) -> int:
        return len(self.entries())

    def get(self, name: str) -> str | None:
        found = self.getAll(name)
        return found[0] if found else None

    def getAll(self, name: str) -> list[str]:
        return [value for key, value in self.entries() if key == name]

    def has(self, name: str, value: str | None = None) -> bool:
        return any(key == name and value in (None, given) for key, given in self.entries())

    def set(self, name: str, value: object) -> None:
        self._params.set(name, str(value))
        self._changed()

    def append(self, name: str, value: object) -> None:
        self._params.append(name, str(value))
        self._changed()

    def delete(self, name: str, value: str | None = None) -> None:
        self._params.delete(name, value)
        self._changed()

    def sort(self) -> None:
        pairs = sorted(self.entries(), key=lambda pair: pair[0].encode("utf-16-be"))  # by code unit, as JavaScript
        self._params = ada_url.URLSearchParams("")
        for name, value in pairs:
            self._params.append(name, value)
        self._changed()

    def entries(self) -> list[tuple[str, str]]:
        return [(str(name), str(value)) for name, value in self._params.items()]

    def keys(self) -> list[str]:
        return [name for name, _ in self.entries()]

    def values(self) -> list[str]:
        return [value for _, value in self.entries()]

    def forEach(self, callback: Callable[..., object], _this: object = None) -> None:
        for name, value in self.entries():
            callback(value, name, self)

    def replace(self, text: str) -> None:
        """What stands in the URL has changed."""
        self._params = ada_url.URLSearchParams(text.removeprefix("?"))

    def extract_body(self) -> BodyWithType:
        return BodyWithType(Body(str(self).encode()), "application/x-www-form-urlencoded;charset=UTF-8")

    def toString(self) -> str:
        return str(self._params)

    def to_py(self, **_options: object) -> dict[str, str]:
        return dict(self.entries())

    def __str__(self) -> str:
        return str(self._params)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self.entries())

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.has(name)

    def __getitem__(self, name: str) -> str | None:
        return self.get(name)

    def __setitem__(self, name: str, value: object) -> None:
        self.set(name, value)

    def __delitem__(self, name: str) -> None:
        if not self.has(name):
            raise KeyError(name)
        self.delete(name)

    def _changed(self) -> None:
        if self.on_change is not None:
            self.on_change(str(self))
