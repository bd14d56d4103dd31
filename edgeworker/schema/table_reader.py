"""Reads a table of a configuration file into a frozen dataclass, by what the dataclass says (see fields.py). Pure."""

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import TypeVar

from edgeworker.errors import ConfigError
from edgeworker.schema.diagnostics import KeyPath
from edgeworker.schema.fields import (
    ByKind,
    BySingleKey,
    Checked,
    Custom,
    Deferred,
    Extensions,
    Inline,
    Key,
    Shape,
    Source,
    Table,
    is_required,
    specs,
)
from edgeworker.schema.layout import NO_EXTENSIONS, Leaf, Names, Registry, TableNode, lay_out, names_of
from edgeworker.schema.wrangler_checks import FieldContext, as_table, to_json_text, without_passwords

T = TypeVar("T")


class TableReader:
    """Reads the tables of one file; relative paths in it start at `folder`. `file_name` is how messages call the file.

    An error is reported for each value that is not of its type, for each key that is not known and for each key that is
    missing. `registry` has the tables that others add.
    """

    def __init__(self, folder: Path, file_name: str, registry: Registry = NO_EXTENSIONS) -> None:
        self._folder = folder
        self._file_name = file_name
        self._registry = registry

    def read(self, shape: type[T], context: FieldContext, value: object) -> T | None:
        """None, with an error told, if something that it must have is not there. `context` is the table's."""
        made = self._read(shape, context, value)
        assert made is None or isinstance(made, shape)
        return made

    def _read(self, shape: type, context: FieldContext, value: object, *, without: str | None = None) -> object | None:
        """`without` is a key of the table that is read already."""
        values = as_table(value)
        if values is None:
            context.error(
                f'"{context.label}" must be a table, not {to_json_text(value)}: write {_heading(context.where)}.'
            )
            return None
        content = _TableContent()
        self._collect(lay_out(shape, self._registry), (), context, values, content, without)
        return self._build(shape, (), context, content)

    def _collect(
        self,
        node: TableNode,
        at: Names,
        context: FieldContext,
        values: Mapping[str, object],
        content: "_TableContent",
        without: str | None = None,
    ) -> None:
        content.tables.add(at)
        for name, item in values.items():
            child = node.children.get(name)
            inner = context.key(name)
            match child:
                case None if name == without:
                    pass
                case None:
                    inner.error(f'"{inner.label}" is not a key of {self._file_name}.{suggest(name, node.names())}')
                case TableNode():
                    table = as_table(item)
                    if table is None:
                        heading = _heading(inner.where)
                        inner.error(f'"{inner.label}" must be a table, not {to_json_text(item)}: write {heading}.')
                    else:
                        self._collect(child, (*at, name), inner, table, content)
                case Leaf():
                    self._read_leaf(child, (*at, name), inner, item, content)
        for name, child in node.children.items():
            if child.required and name not in values:
                context.error(f'"{context.label}" has no "{name}": it must be {_describe_expected(child)}.')

    def _read_leaf(self, leaf: Leaf, at: Names, context: FieldContext, value: object, content: "_TableContent") -> None:
        match leaf.spec:
            case Key(kind) if not kind.fits(value):
                found = (
                    "; what is there is not shown" if leaf.secret else f", not {without_passwords(to_json_text(value))}"
                )
                context.error(f'"{context.label}" must be {kind.expected}{found}.')
            case Key(kind):
                content.written[at] = value
                content.values[at] = kind.convert(value, self._folder)
            case Table(shape, many=True) if not isinstance(value, list):
                heading = _heading(context.where)
                context.error(f'"{context.label}" must be an array of tables: write [{heading}], not {heading}.')
            case Table(shape, many=True) if isinstance(value, list):
                items = [self._read_shape(shape, context.item(index), item) for index, item in enumerate(value)]
                content.written[at] = value
                content.values[at] = tuple(item for item in items if item is not None)
            case Table(shape):
                made = self._read_shape(shape, context, value)
                if made is not None:
                    content.written[at] = value
                    content.values[at] = made

    def _read_shape(self, shape: Shape, context: FieldContext, value: object) -> object | None:
        match shape:
            case Custom(read):
                return read(context, value)
            case Deferred(load):
                return self._read_shape(load(), context, value)
            case ByKind(key, shapes):
                return self._read_by_kind(key, shapes, context, value)
            case BySingleKey(shapes):
                return self._read_by_single_key(shapes, context, value)
            case type():
                return self._read(shape, context, value)

    def _read_by_kind(
        self, key: str, shapes: Mapping[str, type], context: FieldContext, value: object
    ) -> object | None:
        values = as_table(value)
        known = " or ".join(f'"{name}"' for name in shapes)
        if values is None:
            context.error(f'"{context.label}" must be a table, not {to_json_text(value)}.')
        elif key not in values:
            context.error(f'"{context.label}" has no "{key}": it must be {known}.')
        elif not isinstance(kind := values[key], str) or kind not in shapes:
            context.key(key).error(f'"{context.label}.{key}" must be {known}, not {to_json_text(values[key])}.')
        else:
            return self._read(shapes[kind], context, values, without=key)
        return None

    def _read_by_single_key(self, shapes: Mapping[str, type], context: FieldContext, value: object) -> object | None:
        values = as_table(value)
        if values is None or len(values) != 1:
            found = to_json_text(value) if values is None else f"{len(values)} keys ({', '.join(values) or 'none'})"
            context.error(
                f'"{context.label}" must be a table with exactly one key, not {found}. '
                f"The key is one of: {', '.join(shapes)}."
            )
            return None
        ((name, item),) = values.items()
        inner = context.key(name)
        if name not in shapes:
            inner.error(f'"{inner.label}" is not a key of {self._file_name}.{suggest(name, list(shapes))}')
            return None
        shape = shapes[name]
        short = _single_key(shape)
        if short is not None and as_table(item) is None:
            content = _TableContent()
            self._read_leaf(short[1], (short[0],), inner, item, content)
            return self._build(shape, (), context, content) if content.values else None
        return self._read(shape, inner, item)

    def _build(self, shape: type, at: Names, context: FieldContext, content: "_TableContent") -> object | None:
        """The dataclass whose table is at `at` within `context`; None if a field that it must have is missing."""
        arguments: dict[str, object] = {}
        for item, spec in specs(shape):
            made: object | None = None
            match spec:
                case Inline(inner):
                    made = self._build(inner, at, context, content)
                case Table(type() as inner, many=False):
                    place = (*at, *names_of(spec, item))
                    if place in content.tables:
                        made = self._build(inner, place, context, content)
                case Key() | Table():
                    place = (*at, *names_of(spec, item))
                    if place in content.values:
                        arguments[item.name] = content.values[place]
                        continue
                case Extensions():
                    added = [content.values.get((*at, one.name)) for one in self._registry.get(shape, ())]
                    made = tuple(one for one in added if one is not None)
                case Source(of, as_text):
                    where: KeyPath = (*context.where, *at, *([] if of is None else [of]))
                    found = context.document.locate(where)
                    made = str(found) if as_text else found
            if made is not None:
                arguments[item.name] = made
            elif is_required(item):
                return None
        return self._make(shape, arguments, at, context, content)

    def _make(
        self, shape: type, arguments: Mapping[str, object], at: Names, context: FieldContext, content: "_TableContent"
    ) -> object | None:
        make: Callable[..., object] = shape
        try:
            made = make(**arguments)
        except ConfigError as error:
            context.error(str(error))
            return None
        if isinstance(made, Checked):
            written = {path[-1]: value for path, value in content.written.items() if path[:-1] == at}
            for name in at:
                context = context.key(name)
            made.check_table(context, written)
        return made


class _TableContent:
    """What was found in a table and the tables in it: good values, as they are written and as the fields have them."""

    def __init__(self) -> None:
        self.tables: set[Names] = set()
        self.written: dict[Names, object] = {}
        self.values: dict[Names, object] = {}


def suggest(name: str, known: list[str]) -> str:
    """The name that `name` probably stands for, or all that there are; with a space before it."""
    close = get_close_matches(name, known, n=1)
    if close:
        return f' Did you mean "{close[0]}"?'
    return f" There are: {', '.join(known)}." if known else " There are none."


def _heading(where: KeyPath) -> str:
    """`[a.b]`, or `[[a.b]]` for one of several tables."""
    name = ".".join(part for part in where if isinstance(part, str))
    return f"[[{name}]]" if where and isinstance(where[-1], int) else f"[{name}]"


def _describe_expected(child: Leaf | TableNode) -> str:
    match child:
        case Leaf(Key(kind)):
            return kind.expected
        case Leaf(Table(many=True)):
            return "an array of tables"
        case _:
            return "a table"


def _single_key(shape: type) -> tuple[str, Leaf] | None:
    """The one key of a dataclass that has no other."""
    children = lay_out(shape).children
    if len(children) == 1:
        ((name, child),) = children.items()
        if isinstance(child, Leaf) and isinstance(child.spec, Key):
            return name, child
    return None
