"""`URL` and `URLSearchParams`, on a WHATWG parser. Source: https://url.spec.whatwg.org/#api"""

from collections.abc import Callable, ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from typing import Final
from urllib.parse import quote_plus, unquote_to_bytes

import ada_url

from edgeworker.messages import Body
from edgeworker.runtime.contract import portability_warnings
from edgeworker.runtime.webapi.base import (
    BodyWithType,
    JsObject,
    entries,
    is_absent,
    refuse_python_dict,
    type_error,
)
from edgeworker.runtime.webapi.ffi import JsException, JsNull
from edgeworker.runtime.webapi.pair_list import PairList
from edgeworker.runtime.webapi.plain_iterators import PlainIterator
from edgeworker.runtime.webapi.plain_objects import null
from edgeworker.runtime.webapi.strings import to_usv_string

_PARTS: Final = ("href", "protocol", "username", "password", "host", "hostname", "port", "pathname", "search", "hash")


class URL(JsObject):
    """`URL.new(url, base)`: its parts can be read and set, and `searchParams` changes `search`."""

    def __init__(self, url: object, base: object = None) -> None:
        given = to_usv_string(url)
        try:
            self._url = ada_url.URL(given) if is_absent(base) else ada_url.URL(given, to_usv_string(base))
        except ValueError:
            raise type_error(f"Invalid URL string: {given[:200]!r}") from None
        self._params: URLSearchParams | None = None

    @staticmethod
    def canParse(url: object, base: object = None) -> bool:
        return isinstance(URL.parse(url, base), URL)

    @staticmethod
    def parse(url: object, base: object = None) -> "URL | JsNull | None":
        try:
            return URL(url, base)
        except JsException:
            return null()

    @property
    def origin(self) -> str:
        return str(self._url.origin)

    @property
    def searchParams(self) -> "URLSearchParams":
        if self._params is None:
            self._params = URLSearchParams(self._url.search)
            self._params.on_change = self._set_search
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
        text = to_usv_string(value)
        try:
            setattr(self._url, name, text)
        except ValueError:
            # Only `href` reports what it cannot take; the standard's other setters ignore it.
            if name == "href":
                raise type_error(f"Invalid URL string: {text[:200]!r}") from None
        if name in ("href", "search") and self._params is not None:
            self._params.parse(self._url.search)

    def _set_search(self, text: str) -> None:
        self._url.search = text


class URLSearchParams(PairList[str]):
    """`URLSearchParams.new("a=1")`, of an object, of pairs, or of another one."""

    def __init__(self, init: object = None, /, **fields: object) -> None:
        self.on_change: Callable[[str], None] | None = None
        self._pairs: list[tuple[str, str]] = []
        if fields:
            self._pairs = [(to_usv_string(name), to_usv_string(value)) for name, value in fields.items()]
        elif init is None:
            pass
        elif isinstance(init, URLSearchParams):
            self._pairs = list(init.iterate())
        elif is_absent(init) or isinstance(init, str | int | float):
            self.parse(to_usv_string(init))
        else:
            if type(init) is dict:
                refuse_python_dict("parameters", init)
            self._pairs = [(to_usv_string(name), to_usv_string(value)) for name, value in entries(init)]

    def parse(self, text: str) -> None:
        """Take the pairs of a query: what stands in the URL has changed. One leading "?" is not part of it.

        Source: https://url.spec.whatwg.org/#urlencoded-parsing
        """
        self._pairs = [
            (_decode(name), _decode(value))
            for piece in text.removeprefix("?").split("&")
            if piece
            for name, _, value in (piece.partition("="),)
        ]

    @property
    def size(self) -> int:
        return len(self._pairs)

    # Bytes that are not UTF-8 are kept, to be written again as they came, and read as U+FFFD.

    def get(self, name: object) -> str | JsNull | None:
        found = super().get(name)
        return _as_read(found) if isinstance(found, str) else found

    def values_of(self, name: object) -> list[str]:
        return [_as_read(value) for value in super().values_of(name)]

    def iterate(self) -> Iterator[tuple[str, str]]:
        return ((_as_read(name), _as_read(value)) for name, value in super().iterate())

    # pyodide takes for a mapping what has `get`, `size` and can be iterated: then Python goes over its names.

    def keys(self) -> Iterable[str] | PlainIterator:
        return KeysView(_ParametersByName(self)) if portability_warnings.current().is_strict else super().keys()

    def values(self) -> Iterable[object] | PlainIterator:
        return ValuesView(_ParametersByName(self)) if portability_warnings.current().is_strict else super().values()

    def items(self) -> ItemsView[str, object]:
        """The first value of each name, as often as the name stands there."""
        return ItemsView(_ParametersByName(self))

    def __iter__(self) -> Iterator[object]:
        portability_warnings.tell_of_names(
            "iterating URLSearchParams gives names, not pairs", "iterate its entries()", works_leniently=True
        )
        return (name for name, _ in self.iterate()) if portability_warnings.current().is_strict else super().__iter__()

    def update(self, fields: object) -> None:
        for name, value in entries(fields):
            self.set(name, value)

    def __len__(self) -> int:
        return self.size

    def has(self, name: object, value: object = None) -> bool:
        return any(map(_matcher(name, value), self._pairs))

    def set(self, name: object, value: object) -> None:
        self._set(name, to_usv_string(value))

    def append(self, name: object, value: object) -> None:
        self._append(name, to_usv_string(value))

    def delete(self, name: object, value: object = None) -> None:
        self._delete(_matcher(name, value))

    def sort(self) -> None:
        self._pairs.sort(key=lambda pair: pair[0].encode("utf-16-be", "surrogatepass"))  # by code unit, as JavaScript
        self._report_change()

    def extract_body(self) -> BodyWithType:
        return BodyWithType(Body(str(self).encode()), "application/x-www-form-urlencoded;charset=UTF-8")

    def toString(self) -> str:
        return "&".join([f"{_encode(name)}={_encode(value)}" for name, value in self._pairs])

    def to_py(self, **_options: object) -> object:
        """A dict in a lenient edge. pyodide has no plainer form of them than themselves."""
        if portability_warnings.is_refused("to_py() makes no dict of parameters", "use dict(parameters.entries())"):
            return self
        return dict(self.iterate())

    def __str__(self) -> str:
        return self.toString()

    __repr__ = __str__

    def _read_value(self, value: object) -> str:
        return to_usv_string(value)

    def _report_change(self) -> None:
        if self.on_change is not None:
            self.on_change(str(self))


class _ParametersByName(Mapping[str, object]):
    """What the views of Python go over."""

    def __init__(self, parameters: URLSearchParams) -> None:
        self._parameters = parameters

    def __getitem__(self, name: str) -> object:
        return self._parameters[name]

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._parameters.iterate())

    def __len__(self) -> int:
        return self._parameters.size

    def __repr__(self) -> str:
        return str(self._parameters)


def _matcher(name: object, value: object) -> Callable[[tuple[str, str]], bool]:
    """Whether a pair has that name and, unless it is undefined, that value."""
    wanted = to_usv_string(name)
    if value is None:
        return lambda pair: pair[0] == wanted
    both = (wanted, to_usv_string(value))
    return lambda pair: pair == both


def _decode(text: str) -> str:
    return unquote_to_bytes(text.replace("+", " ")).decode("utf-8", "surrogateescape")


def _as_read(text: str) -> str:
    return text if text.isascii() else text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _encode(text: str) -> str:
    """https://url.spec.whatwg.org/#application-x-www-form-urlencoded-percent-encode-set"""
    return quote_plus(text, safe="*", errors="surrogateescape").replace("~", "%7E")
