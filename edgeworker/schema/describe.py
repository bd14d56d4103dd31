"""What is said about a dataclass's table: rows for COMPATIBILITY.md, and its values for `config show`. Pure."""

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from edgeworker.schema.fields import (
    HIDDEN,
    ByKind,
    BySingleKey,
    Custom,
    Deferred,
    Extensions,
    Inline,
    Key,
    Shape,
    Source,
    Table,
    specs,
)
from edgeworker.schema.layout import NO_EXTENSIONS, Leaf, Registry, TableNode, lay_out, names_of


@dataclass(frozen=True, slots=True)
class Row:
    """`table` is its heading: "" for the top of the file, "[kv]", "[[zones]]"."""

    table: str
    key: str
    expected: str
    note: str


def describe_keys(shape: type, registry: Registry = NO_EXTENSIONS) -> Iterator[Row]:
    """A row for each key that a file may have."""
    return _node_rows(lay_out(shape, registry), "", "", registry)


def _node_rows(node: TableNode, name: str, heading: str, registry: Registry) -> Iterator[Row]:
    for key, child in node.children.items():
        if isinstance(child, Leaf) and isinstance(child.spec, Key):
            yield Row(heading, key, child.spec.type.expected, _note(child, child.spec))
    for key, child in node.children.items():
        inner = f"{name}.{key}" if name else key
        match child:
            case TableNode():
                yield from _node_rows(child, inner, f"[{inner}]", registry)
            case Leaf(Table(shape, _, _, many)):
                yield from _shape_rows(shape, inner, f"[[{inner}]]" if many else f"[{inner}]", registry)
            case _:
                pass


def _shape_rows(shape: Shape, name: str, heading: str, registry: Registry) -> Iterator[Row]:
    match shape:
        case Custom(_, keys):
            for key, expected, note in keys:
                yield Row(heading, key, expected, note)
        case Deferred(load):
            yield from _shape_rows(load(), name, heading, registry)
        case ByKind(key, shapes):
            for kind, inner in shapes.items():
                yield Row(heading, f'{key} = "{kind}"', "", _summary(inner))
                yield from _node_rows(lay_out(inner, registry), name, heading, registry)
        case BySingleKey(shapes):
            for key, inner in shapes.items():
                yield Row(heading, key, _single_expected(inner), _summary(inner))
        case type():
            yield from _node_rows(lay_out(shape, registry), name, heading, registry)


def _single_expected(shape: type) -> str:
    children = lay_out(shape).children
    values = [f"`{name}`" for name in children]
    only = next(iter(children.values())) if len(children) == 1 else None
    if isinstance(only, Leaf) and isinstance(only.spec, Key):
        return only.spec.type.expected
    return f"a table with {', '.join(values)}" if values else "an empty table"


def _summary(shape: type) -> str:
    """The first line of the dataclass's documentation."""
    return (inspect.getdoc(shape) or "").partition("\n")[0].rstrip(".")


def _note(leaf: Leaf, spec: Key) -> str:
    parts = ["required" if leaf.required else "", spec.doc, "" if "default:" in spec.doc else _default(leaf)]
    return "; ".join(part for part in parts if part)


def _default(leaf: Leaf) -> str:
    match leaf.default:
        case bool() as flag:
            return f"default: `{str(flag).lower()}`"
        case str() | int() | float() as value if value != "":
            return f"default: `{value:g}`" if isinstance(value, float) else f"default: `{value}`"
        case _:
            return ""


def describe_values(value: object) -> Iterator[tuple[str, str]]:
    """Each key of a dataclass's table that differs from its default, with its value; secrets are hidden."""
    return _values(value, ())


def _values(value: object, at: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for item, spec in specs(type(value)):
        found: object = getattr(value, item.name)
        match spec:
            case Inline():
                yield from _values(found, at)
            case Key() if found != item.default:
                yield ".".join((*at, *names_of(spec, item))), shown_value(found) if item.repr else HIDDEN
            case Table():
                yield from _table_values(found, (*at, *names_of(spec, item)))
            case Extensions() | Source() | Key():
                pass


def _table_values(value: object, at: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    if isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from _table_values(item, (*at[:-1], f"{at[-1]}[{index}]"))
    elif value is not None:
        yield from _values(value, at)


def shown_value(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case tuple() | list():
            return ", ".join(shown_value(item) for item in value)
        case Mapping():
            return ", ".join(f"{key}: {shown_value(item)}" for key, item in value.items())
        case _:
            return str(value)
