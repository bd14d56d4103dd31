"""What a dataclass's table looks like in a file: its keys and the tables in it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, field
from typing import Final

from edgeworker.schema.fields import (
    Extensions,
    ExtensionTable,
    Inline,
    Key,
    Source,
    Table,
    is_required,
    specs,
)

Registry = Mapping[type, Sequence[ExtensionTable]]
NO_EXTENSIONS: Final[Registry] = {}
Names = tuple[str, ...]  # the keys from one table down to a value in it


@dataclass(frozen=True, slots=True)
class Leaf:
    """What is read as a whole: a value, an array of tables, or a table of several possible shapes.

    A secret is never shown.
    """

    spec: Key | Table
    required: bool = False
    secret: bool = False
    default: object = None


@dataclass(slots=True)
class TableNode:
    """A table. Several dataclasses may have keys in it."""

    doc: str = ""
    required: bool = False
    children: "dict[str, Leaf | TableNode]" = field(default_factory=dict)

    def names(self) -> list[str]:
        """Its keys: values before tables."""
        values = [name for name, child in self.children.items() if _is_value(child)]
        return [*values, *(name for name in self.children if name not in values)]


def lay_out(shape: type, registry: Registry = NO_EXTENSIONS) -> TableNode:
    """The table of a dataclass."""
    node = TableNode()
    _add(node, shape, registry)
    return node


def names_of(spec: Key | Table, item: Field[object]) -> Names:
    """Where a field is written, from the table of its dataclass on."""
    return tuple((spec.path or item.name).split("."))


def _is_value(child: Leaf | TableNode) -> bool:
    return isinstance(child, Leaf) and isinstance(child.spec, Key)


def _add(node: TableNode, shape: type, registry: Registry) -> None:
    for item, spec in specs(shape):
        match spec:
            case Inline(inner):
                _add(node, inner, registry)
            case Table(type() as inner, doc, _, False):
                *outer, name = names_of(spec, item)
                inside = _descend(node, [*outer, name], required=is_required(item))
                inside.doc = doc
                _add(inside, inner, registry)
            case Key() | Table():
                *outer, name = names_of(spec, item)
                default = None if item.default is MISSING else item.default
                leaf = Leaf(spec, is_required(item), secret=not item.repr, default=default)
                _descend(node, outer, required=leaf.required).children[name] = leaf
            case Extensions():
                for extension in registry.get(shape, ()):
                    node.children[extension.name] = Leaf(Table(extension.shape, extension.doc))
            case Source():
                pass


def _descend(node: TableNode, names: Sequence[str], *, required: bool) -> TableNode:
    for name in names:
        inner = node.children.setdefault(name, TableNode())
        assert isinstance(inner, TableNode), f"{name} is a value and a table"
        inner.required = inner.required or required
        node = inner
    return node
