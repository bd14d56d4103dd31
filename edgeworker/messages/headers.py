"""HTTP header fields in order, with the Fetch standard's reading of them. Pure.

Source: https://fetch.spec.whatwg.org/#headers-class. Values are text in UTF-8, as the Workers runtime reads and writes
them; the standard has ByteStrings. Bytes that are not UTF-8 are read as U+FFFD, and pass on unchanged.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from operator import itemgetter
from typing import Final, Self

from edgeworker.messages.name_table import NameTable

_NAME: Final = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")

# Whitespace around a value, which is not part of it: https://fetch.spec.whatwg.org/#concept-header-value-normalize
_AROUND: Final = " \t\r\n"
_LF: Final = 0x0A
_CR: Final = 0x0D
_NUL: Final = 0x00

_name_of: Final = itemgetter(0)

_REMEMBERED_LISTS: Final = 512
_REMEMBERED_BYTES: Final = 1024  # of the names of one message

Fields = Mapping[str, str] | Iterable[tuple[str, str]]


class Headers:
    """A list of (name, value) fields that is read as Fetch reads it.

    The order and the spelling of names are kept for the wire; look-ups ignore case. `get` joins repeated fields with
    ", " as Fetch does; `Set-Cookie`, which cannot be joined, is read with `get_set_cookie`.

    `set`, `append` and the constructor raise TypeError for a name that is not a token and for a value with CR, LF or
    NUL, so such a field can never be written to the wire.
    """

    __slots__ = ("_fields", "_in_order", "_joined", "_places")

    def __init__(self, fields: "Fields | Headers | None" = None) -> None:
        self._fields: list[tuple[bytes, bytes]]
        # Where the field of a lower-case name is; made when a look-up needs it, gone when a field changes. Several
        # headers share one, so it is never changed.
        self._places: dict[str, int] | None = None
        self._in_order = False  # are `_places` in the order of the names?
        # Where a name is repeated: the values, joined, that `_places` speaks of.
        self._joined: list[bytes] | None = None
        if isinstance(fields, Headers):
            self._fields = fields._fields.copy()
            return
        if fields is None:
            self._fields = []
            return
        if type(fields) is not list:
            fields = list(fields.items() if isinstance(fields, Mapping) else fields)
        self._fields = _all_checked(fields)

    @classmethod
    def from_raw(cls, fields: Iterable[tuple[bytes, bytes]]) -> Self:
        """Fields that an HTTP parser has checked already; they are not checked again."""
        headers = cls.__new__(cls)
        headers._fields = list(fields)
        headers._places = headers._joined = None
        headers._in_order = False
        return headers

    @property
    def raw(self) -> list[tuple[bytes, bytes]]:
        """The fields as they go to the wire. Not a copy: do not change it."""
        return self._fields

    def get(self, name: str) -> str | None:
        """All values of `name` joined with ", ", or None."""
        place = (self._places or self._read_names()).get(_KEYS[name])
        if place is None:
            return None
        joined = self._joined
        return _text(self._fields[place][1] if joined is None else joined[place])

    def get_bytes(self, name: str) -> bytes | None:
        """As `get`, as it came on the wire."""
        place = (self._places or self._read_names()).get(_KEYS[name])
        if place is None:
            return None
        joined = self._joined
        return self._fields[place][1] if joined is None else joined[place]

    def _read_names(self) -> dict[str, int]:
        places = _PLACES[tuple([name for name, _ in self._fields])]
        if places is None:
            places, self._joined = _join_repeated(self._fields)
        self._places = places
        self._in_order = True
        return places

    def get_all(self, name: str) -> list[str]:
        """The values of each field of that name, not joined."""
        key = _KEYS[name]
        return [_text(value) for field, value in self._fields if _LOWER_NAMES[field] == key]

    def get_set_cookie(self) -> list[str]:
        return self.get_all("set-cookie")

    def has(self, name: str) -> bool:
        return _KEYS[name] in (self._places or self._read_names())

    def set(self, name: str, value: str) -> None:
        """Replaces the first field of that name in its place and removes the others, or appends."""
        field, content = _checked(name, value)
        key, fields, places = _KEYS[name], self._fields, self._places
        if places is not None and key not in places and self._joined is None:
            self._places = places | {key: len(fields)}
            self._in_order = False
        else:
            self._places = self._joined = None
            for index, (existing, _) in enumerate(fields):
                if _LOWER_NAMES[existing] == key:
                    rest = [item for item in fields[index + 1 :] if _LOWER_NAMES[item[0]] != key]
                    fields[index:] = [(field, content), *rest]
                    return
        fields.append((field, content))

    def append(self, name: str, value: str) -> None:
        self._fields.append(_checked(name, value))
        self._places = self._joined = None

    def delete(self, name: str) -> None:
        key = _KEYS[name]
        self._fields = [item for item in self._fields if _LOWER_NAMES[item[0]] != key]
        self._places = self._joined = None

    def without(self, names: "frozenset[bytes]") -> Self:
        """A copy without the fields whose lower-case names are in `names`."""
        return self.from_raw([item for item in self._fields if item[0].lower() not in names])

    def copy(self) -> Self:
        return self.from_raw(self._fields)

    def entries(self) -> list[tuple[str, str]]:
        """(lower-case name, value), sorted by name, repeated fields joined, each Set-Cookie for itself: Fetch's order.

        Source: https://fetch.spec.whatwg.org/#concept-header-list-sort-and-combine
        """
        fields, places = self._fields, self._places
        if places is None or not self._in_order:
            places = self._read_names()
        if self._joined is not None:
            return [(name, _text(value)) for name, value in self.entries_of_bytes()]
        try:
            return [(name, fields[place][1].decode()) for name, place in places.items()]
        except UnicodeDecodeError:
            return [(name, _text(fields[place][1])) for name, place in places.items()]

    def entries_of_bytes(self) -> list[tuple[str, bytes]]:
        """As `entries`, with the values as they came on the wire."""
        pairs = [(_LOWER_NAMES[name], value) for name, value in self._fields]
        combined = dict(pairs)
        if len(combined) == len(pairs):
            return sorted(pairs, key=_name_of)
        combined.clear()
        cookies: list[tuple[str, bytes]] = []
        for name, value in pairs:
            if name == "set-cookie":
                cookies.append((name, value))
            elif name in combined:
                combined[name] += b", " + value
            else:
                combined[name] = value
        return sorted([*combined.items(), *cookies], key=_name_of)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self.entries())

    def __len__(self) -> int:
        return len(self._fields)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.has(name)

    def __eq__(self, other: object) -> bool:
        return self.entries() == other.entries() if isinstance(other, Headers) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # mutable

    def __repr__(self) -> str:
        # Values may be credentials, and a repr ends up in logs.
        return f"Headers({[name.decode('latin-1') for name, _ in self._fields]})"


def _text(value: bytes) -> str:
    try:
        return value.decode()  # which is several times faster than with an error handler
    except UnicodeDecodeError:
        return value.decode("utf-8", "replace")


# Scripts and the edge ask for the same few names.
_KEYS: Final[NameTable[str, str]] = NameTable(lambda name: name.lower().encode("latin-1", "replace").decode("latin-1"))
_LOWER_NAMES: Final[NameTable[bytes, str]] = NameTable(lambda name: name.lower().decode("latin-1"))

_Places = dict[str, int]


class _PlaceTable(dict[tuple[bytes, ...], _Places | None]):
    """By the names of a message's fields: where each stands, in the order of the lower-case names; None if one is
    repeated.

    Clients and origins send the same few lists of names again and again, and to sort them costs more than the rest.
    """

    def __missing__(self, names: tuple[bytes, ...]) -> _Places | None:
        lower = [_LOWER_NAMES[name] for name in names]
        places: _Places | None = None
        if len(set(lower)) == len(lower):
            places = dict(sorted(zip(lower, range(len(lower)), strict=True)))
        if sum(map(len, names)) <= _REMEMBERED_BYTES:
            if len(self) >= _REMEMBERED_LISTS:
                self.clear()
            self[names] = places
        return places


_PLACES: Final = _PlaceTable()


def _join_repeated(fields: list[tuple[bytes, bytes]]) -> tuple[_Places, list[bytes]]:
    places: _Places = {}
    values: list[bytes] = []
    for name, value in fields:
        key = _LOWER_NAMES[name]
        place = places.get(key)
        if place is None:
            places[key] = len(values)
            values.append(value)
        else:
            values[place] += b", " + value
    return places, values


def _all_checked(pairs: list[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    """As `_checked` for each pair, in a fraction of its time where nothing is wrong: all values are searched at once.
    What is wrong is left to `_checked`, which names the first mistake."""
    try:
        fields = [(_CHECKED_NAMES[name], value.strip(_AROUND).encode()) for name, value in pairs]
    except (TypeError, UnicodeEncodeError):
        return [_checked(name, value) for name, value in pairs]
    contents = b"".join([content for _, content in fields])
    if _LF in contents or _CR in contents or _NUL in contents:
        return [_checked(name, value) for name, value in pairs]
    return fields


def _checked(name: str, value: str) -> tuple[bytes, bytes]:
    field = _CHECKED_NAMES[name]
    stripped = value.strip(_AROUND)
    try:
        content = stripped.encode()
    except UnicodeEncodeError:
        # Pairs of surrogates are the character that they spell. Of a lone one the Workers runtime writes the three
        # bytes, which are not UTF-8, so that it is read as three U+FFFD: tests/conformance/cases/web_api.json.
        spelled = stripped.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
        content = spelled.encode("utf-8", "surrogatepass")
    # Three searches for one byte each are many times faster than one pattern.
    if _LF in content or _CR in content or _NUL in content:
        raise TypeError(f"Invalid value of header {name!r}: it holds CR, LF or NUL.")
    return field, content


def _checked_name(name: str) -> bytes:
    try:
        field = name.encode("ascii")
    except UnicodeEncodeError:
        field = b""
    if not _NAME.fullmatch(field):
        raise TypeError(f"Invalid header name: {name!r}.")
    return field


_CHECKED_NAMES: Final = NameTable(_checked_name)
