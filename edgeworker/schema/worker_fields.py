"""A worker's fields of wrangler's configuration, as they count once an environment is chosen."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from edgeworker.schema.diagnostics import Diagnostics, KeyPath, SourceLocation
from edgeworker.schema.wrangler_checks import Locator, as_table
from edgeworker.schema.wrangler_shape import read_table, read_tables

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class WorkerFields:
    """Values by name; a value of a wrong type, of which an error tells already, reads as if it were not there.

    `worker` is the worker's name. `preview` takes the values for previews, where there are such values.
    """

    worker: str
    values: Mapping[str, object]
    where: Mapping[str, KeyPath]
    document: Locator
    diagnostics: Diagnostics
    preview: bool = False

    @property
    def folder(self) -> Path:
        """Paths start there."""
        return self.document.file.parent

    def value(self, name: str) -> object:
        return self.values.get(name)

    def text(self, name: str) -> str | None:
        value = self.value(name)
        return value if isinstance(value, str) and value else None

    def table(self, name: str) -> Mapping[str, object]:
        return as_table(self.value(name)) or {}

    def items(self, name: str, shape: type[T]) -> Iterator[tuple[int, T]]:
        """An array of tables, each as its dataclass (see wrangler_shape.py), with its place in the array."""
        value = self.value(name)
        return read_tables(shape, value if isinstance(value, list) else [], self.folder)

    def settings(self, shape: type[T], **others: object) -> T:
        """A dataclass of keys of the worker, all of which have defaults; `others` are fields that no key sets."""
        made = read_table(shape, self.values, self.folder, **others)
        assert made is not None, f"{shape.__name__} has a key without a default"
        return made

    def locate(self, name: str, *inner: str | int) -> SourceLocation:
        return self.document.locate((*self.where.get(name, (name,)), *inner))
