"""How a frozen dataclass says that it is a table of a configuration file. Pure.

    from edgeworker.schema import fields as schema

    @dataclass(frozen=True, slots=True)
    class Provider:
        name: str = field(metadata=schema.key(TEXT, "what the login page calls it"))
        secret: str = field(repr=False, metadata=schema.key(TEXT, "never shown"))
        scopes: tuple[str, ...] = schema.setting(("openid",), TEXTS, "asked for")
        claims: tuple[Claim, ...] = field(default=(), metadata=schema.tables(Claim, "what the token gets"))
        source: str = field(default="", metadata=schema.source())

A field without a default is required; one with repr=False is a secret, which no message shows. Readers, errors, `config
show` and COMPATIBILITY.md come from this: see `table_reader` and `describe`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields
from typing import Final, Protocol, TypeVar, runtime_checkable

from edgeworker.schema.value_types import ValueType
from edgeworker.schema.wrangler_checks import FieldContext

T = TypeVar("T")

_METADATA: Final = "edgeworker.schema"
HIDDEN: Final = "(hidden)"  # what is shown of a secret


@dataclass(frozen=True, slots=True)
class Key:
    """One value. `path` is where it is written, from the table of its dataclass on: "cert" or "sockets.edge"."""

    type: ValueType
    doc: str
    path: str | None = None


@dataclass(frozen=True, slots=True)
class ByKind:
    """A table that is one of several dataclasses, as the text under `key` says: `{ type = "oidc", ... }`."""

    key: str
    shapes: Mapping[str, type]


@dataclass(frozen=True, slots=True)
class BySingleKey:
    """A table with exactly one key, which names its dataclass: `{ email = { email = "a@b.example" } }`.

    Where the dataclass has one key only, its value may stand there by itself: `{ email = "a@b.example" }`.
    """

    shapes: Mapping[str, type]


@dataclass(frozen=True, slots=True)
class Custom:
    """A value that a function of its own reads. It tells its errors to the context and returns None for what is wrong.

    `keys` are rows for COMPATIBILITY.md: key, "must be", note.
    """

    read: Callable[[FieldContext, object], object | None]
    keys: Sequence[tuple[str, str, str]] = ()


@dataclass(frozen=True, slots=True)
class Deferred:
    """A table whose shape is loaded with the first file that has it: an edge without it does not import it."""

    load: "Callable[[], Shape]"


Shape = type | ByKind | BySingleKey | Custom | Deferred


@dataclass(frozen=True, slots=True)
class Table:
    """A table in the table; with `many` an array of tables, which makes a tuple."""

    shape: Shape
    doc: str
    path: str | None = None
    many: bool = False


@dataclass(frozen=True, slots=True)
class Inline:
    """The keys of another dataclass, written in the same table."""

    shape: type


@dataclass(frozen=True, slots=True)
class Extensions:
    """A tuple of what the tables say that others register for this dataclass, such as those of products."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where the table is written, or a key of it: as a text, "edge.toml:6 (zones[0])", or as a SourceLocation."""

    of: str | None = None
    as_text: bool = True


Spec = Key | Table | Inline | Extensions | Source


@dataclass(frozen=True, slots=True)
class ExtensionTable:
    """A table that is registered for a dataclass with `extensions()`: `name` is its key there."""

    name: str
    shape: Shape
    doc: str


@runtime_checkable
class Checked(Protocol):
    """A dataclass with rules about several of its fields."""

    def check_table(self, context: FieldContext, written: Mapping[str, object]) -> None:
        """Tell errors and warnings to the context of the table, or of its keys.

        `written` are the table's good values as the file has them.
        """
        ...


def key(type_: ValueType, doc: str, *, path: str | None = None) -> Mapping[str, Spec]:
    return {_METADATA: Key(type_, doc, path)}


def setting(default: T, type_: ValueType, doc: str, *, path: str | None = None, secret: bool = False) -> T:
    """A field that may be left out, in one line: `seed: int = schema.setting(0, WHOLE, "...")`."""
    return field(default=default, repr=not secret, metadata=key(type_, doc, path=path))


def table(shape: Shape, doc: str, *, path: str | None = None) -> Mapping[str, Spec]:
    return {_METADATA: Table(shape, doc, path)}


def tables(shape: Shape, doc: str, *, path: str | None = None) -> Mapping[str, Spec]:
    return {_METADATA: Table(shape, doc, path, many=True)}


def inline(shape: type) -> Mapping[str, Spec]:
    return {_METADATA: Inline(shape)}


def extensions() -> Mapping[str, Spec]:
    return {_METADATA: Extensions()}


def source() -> Mapping[str, Spec]:
    """For a field of type str."""
    return {_METADATA: Source()}


def location(of: str | None = None) -> Mapping[str, Spec]:
    """For a field of type SourceLocation; `of` is a key of the table."""
    return {_METADATA: Source(of, as_text=False)}


def specs(shape: type) -> list[tuple[Field[object], Spec]]:
    """The fields of a dataclass that are written in a file, in their order."""
    found = []
    for item in fields(shape):
        spec = item.metadata.get(_METADATA)
        if isinstance(spec, Spec):
            found.append((item, spec))
    return found


def is_required(item: Field[object]) -> bool:
    return item.default is MISSING and item.default_factory is MISSING
