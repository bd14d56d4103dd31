"""How a frozen dataclass says what is read from wrangler's configuration, one line a field. Pure.

    @dataclass(frozen=True, slots=True)
    class WrittenNamespace:  # a table: its keys are members
        binding: str = field(metadata=required())
        id: str | None = member(None, empty=False)

    @dataclass(frozen=True, slots=True)
    class WorkerTable:  # a worker: its keys have a row in COMPATIBILITY.md
        workers_dev: bool | None = setting(None, BOOLEAN, "inherited", "USE", "the host on workers.dev")

Checks, with wrangler's texts, and rows come from this (`members_of`, `rows_of`); values are read after the checks
(`read_table`): what does not fit was told of, and the default counts. Keys that have no effect here are
rows by themselves (see wrangler_field.py): there is no value to read.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, replace
from pathlib import Path
from typing import Final, TypeVar

from edgeworker.schema import wrangler_field
from edgeworker.schema.json_value import JSON, as_json
from edgeworker.schema.wrangler_checks import (
    Check,
    FieldContext,
    JSType,
    Member,
    anything,
    as_table,
    of_type,
    one_of,
    string_list,
    table,
    type_of,
)
from edgeworker.schema.wrangler_field import Compare, Inheritance, Support

T = TypeVar("T")
Read = Callable[[object, Path], object | None]
_METADATA: Final = "edgeworker.wrangler"


def _as_written(value: object, _folder: Path) -> object:
    return value


@dataclass(frozen=True, slots=True)
class WranglerType:
    """What a value may be. `check` runs on a value of the right `kind`, or on any value if that is None.

    `read` makes the value of a field, or None of what does not fit; paths start at the folder of the file.
    """

    kind: JSType | None
    check: Check | None = None
    read: Read = _as_written

    def fits(self, written: object) -> bool:
        return self.kind is None or type_of(written) == self.kind

    def value(self, written: object, folder: Path) -> object | None:
        return self.read(written, folder) if self.fits(written) else None

    def whole_check(self) -> Check:
        """Both of them, for a value that is not a member of a table."""
        kind, check = self.kind, self.check or anything
        if kind is None:
            return check
        check_kind = of_type(kind)
        if self.check is None:
            return check_kind

        def both(context: FieldContext, value: object) -> None:
            (check if self.fits(value) else check_kind)(context, value)

        return both


def _texts(value: object, _folder: Path) -> tuple[str, ...] | None:
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else None


def _texts_by_key(value: object, _folder: Path) -> Mapping[str, str] | None:
    values = as_table(value)
    return None if values is None else {key: item for key, item in values.items() if isinstance(item, str)}


def _read_object(value: object, _folder: Path) -> Mapping[str, JSON] | None:
    values = as_table(value)
    return None if values is None else {key: as_json(item) for key, item in values.items()}


def _read_whole(value: object, _folder: Path) -> int | None:
    """JavaScript has no other numbers: 10.0 is 10."""
    match value:
        case float() if value.is_integer():
            return int(value)
        case int():
            return value
        case _:
            return None


STRING: Final = WranglerType("string")
TEXT: Final = WranglerType("string", read=lambda value, _folder: value or None)  # "" is as if it were not there
BOOLEAN: Final = WranglerType("boolean")
NUMBER: Final = WranglerType("number")
WHOLE: Final = WranglerType("number", read=_read_whole)
OBJECT: Final = WranglerType("object", read=_read_object)
UNCHECKED_OBJECT: Final = WranglerType(None, read=_read_object)
PATH: Final = WranglerType("string", read=lambda value, folder: (folder / str(value)).resolve() if value else None)
TEXTS: Final = WranglerType(None, string_list, _texts)
TEXTS_BY_KEY: Final = WranglerType(None, table(other_keys=True), _texts_by_key)


def choice(*words: str) -> WranglerType:
    return WranglerType("string", one_of(*words), lambda value, _folder: value if value in words else None)


def table_of(shape: type, *others: Member, other_keys: bool = False, kind: JSType | None = None) -> WranglerType:
    """A table with the keys of a dataclass, and with `others`, which have no effect here."""
    check = table(*members_of(shape), *others, other_keys=other_keys)
    return WranglerType(kind, check, lambda value, folder: read_table(shape, as_table(value), folder))


@dataclass(frozen=True, slots=True)
class _Written:
    """A field's row; its name is "" where it is that of the field of the dataclass."""

    row: "Member | wrangler_field.Field"
    type: WranglerType


def required(type_: WranglerType = STRING, *, text: str | None = None, empty: bool = True) -> Mapping[str, object]:
    """Metadata of a member that a table must have; `text` and `empty` are those of `Member`."""
    row = Member("", type_.kind, required=True, text=text, check=type_.check, empty=empty)
    return {_METADATA: _Written(row, type_)}


def member(
    default: T, type_: WranglerType = STRING, *, text: str | None = None, empty: bool = True, secret: bool = False
) -> T:
    """A member that may be left out. A secret is never shown."""
    row = Member("", type_.kind, text=text, check=type_.check, empty=empty)
    return field(default=default, repr=not secret, metadata={_METADATA: _Written(row, type_)})


def key(
    type_: WranglerType,
    inheritance: Inheritance,
    support: Support,
    note: str = "",
    *,
    name: str = "",
    compare: Compare | None = None,
) -> Mapping[str, object]:
    """Metadata of a key of the file, or of one of its environments; its `name` is by default that of the field."""
    row = wrangler_field.Field(name, type_.whole_check(), inheritance, support, note, compare=compare)
    return {_METADATA: _Written(row, type_)}


def setting(
    default: T, type_: WranglerType, inheritance: Inheritance, support: Support, note: str = "", *, name: str = ""
) -> T:
    """Such a key in one line, with what counts without it."""
    return field(default=default, metadata=key(type_, inheritance, support, note, name=name))


def _written(shape: type) -> Iterator[tuple[Field[object], _Written]]:
    for item in fields(shape):
        found = item.metadata.get(_METADATA)
        if isinstance(found, _Written):
            yield item, found


def members_of(shape: type) -> tuple[Member, ...]:
    """The checks of a table's keys."""
    return tuple(
        replace(written.row, name=item.name) for item, written in _written(shape) if isinstance(written.row, Member)
    )


def rows_of(shape: type) -> tuple[wrangler_field.Field, ...]:
    """A row for each key of a worker."""
    return tuple(
        replace(written.row, name=written.row.name or item.name)
        for item, written in _written(shape)
        if isinstance(written.row, wrangler_field.Field)
    )


def read_table(shape: type[T], values: Mapping[str, object] | None, folder: Path, **others: object) -> T | None:
    """The dataclass of a table that was checked; None if there is none, or if a key is missing that it must have.

    `others` are fields that no key sets.
    """
    if values is None:
        return None
    arguments = dict(others)
    for item, written in _written(shape):
        name = written.row.name or item.name
        good = name in values and (not isinstance(written.row, Member) or written.row.fits(values[name]))
        value = written.type.value(values[name], folder) if good else None
        if value is not None:
            arguments[item.name] = value
        elif item.default is MISSING and item.default_factory is MISSING:
            return None
    make: Callable[..., T] = shape
    return make(**arguments)


def read_tables(shape: type[T], items: Iterable[object], folder: Path) -> Iterator[tuple[int, T]]:
    """The tables of an array, with their places in it, without those of which an error tells."""
    for index, item in enumerate(items):
        made = read_table(shape, as_table(item), folder)
        if made is not None:
            yield index, made
