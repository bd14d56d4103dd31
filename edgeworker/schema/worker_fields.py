"""A worker's fields of wrangler's configuration, as they count once an environment is chosen."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from edgeworker.schema.diagnostics import Diagnostics, KeyPath, SourceLocation
from edgeworker.schema.wrangler_checks import Locator, as_table


@dataclass(frozen=True, slots=True)
class WorkerFields:
    """Values by name; a value of a wrong type, of which an error tells already, reads as if it were not there.

    `worker` is the worker's name. `preview` takes what is meant for previews, where there is such a thing.
    """

    worker: str
    values: Mapping[str, object]
    where: Mapping[str, KeyPath]
    document: Locator
    diagnostics: Diagnostics
    preview: bool = False

    def value(self, name: str) -> object:
        return self.values.get(name)

    def text(self, name: str) -> str | None:
        value = self.value(name)
        return value if isinstance(value, str) and value else None

    def table(self, name: str) -> Mapping[str, object]:
        return as_table(self.value(name)) or {}

    def items(self, name: str) -> Iterator[tuple[int, Mapping[str, object]]]:
        """The tables of an array of tables."""
        value = self.value(name)
        for index, item in enumerate(value if isinstance(value, list) else []):
            if (values := as_table(item)) is not None:
                yield index, values

    def locate(self, name: str, *inner: str | int) -> SourceLocation:
        return self.document.locate((*self.where.get(name, (name,)), *inner))
