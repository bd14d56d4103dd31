"""Files of users or clients, TOML or JSON: every fault of the whole file is collected, with the line on which it is."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edgeworker.errors import ConfigError
from edgeworker.schema.diagnostics import Diagnostics, SourceLocation
from wrangler_compat.document import ConfigFile, parse_document

# One file may hold both; each command takes its own list.
_LISTS: Final = ("users", "clients")
_MAX_BYTES: Final = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Item:
    """One table of the list."""

    values: dict[str, object]
    index: int
    _file: "ImportFile"

    def fault(self, text: str, field: str | None = None) -> None:
        self._file.fault(text, self.locate(field))

    def faults(self, lines: Iterable[str]) -> None:
        """Texts that begin with the name of a field and a colon, as the records' own parsers write them."""
        for line in lines:
            field = line.partition(":")[0].strip("'")
            self.fault(line, field if field in self.values else None)

    def locate(self, field: str | None = None) -> SourceLocation:
        return self._file.locate(self.index, field)


class ImportFile:
    """`items` are the tables of the list `name`; ask `require` before anything is written."""

    def __init__(self, file: Path, name: str) -> None:
        """Raises ConfigError where the file cannot be read at all."""
        self.name = name
        self._diagnostics = Diagnostics(f"{file}:")
        self._document = _read(file, self._diagnostics)
        self.items = list(self._items())

    def fault(self, text: str, place: SourceLocation) -> None:
        self._diagnostics.error(text, place)

    def locate(self, index: int, field: str | None) -> SourceLocation:
        where = (self.name, index) if field is None else (self.name, index, field)
        return self._document.locate(where)

    def require(self) -> None:
        """Raises ConfigError with every fault that was found."""
        if self._diagnostics.has_errors:
            raise ConfigError(f"nothing was written. {self._diagnostics.render('error')}")

    def _items(self) -> Iterator[Item]:
        for name in self._document.values:
            if name not in _LISTS:
                self.fault(
                    f'"{name}": there is no such list; there are: {", ".join(_LISTS)}', self._document.locate((name,))
                )
        found = self._document.values.get(self.name)
        if not isinstance(found, list) or not found:
            self.fault(
                f'there is no list "{self.name}"; write [[{self.name}]] before each',
                SourceLocation(self._document.name),
            )
            return
        for index, values in enumerate(found):
            if isinstance(values, dict):
                yield Item(dict(values), index, self)
            else:
                self.fault(f"{values!r} is not a table", self.locate(index, None))


def _read(file: Path, diagnostics: Diagnostics) -> ConfigFile:
    try:
        if file.stat().st_size > _MAX_BYTES:
            raise ConfigError(f"{file}: larger than {_MAX_BYTES // 1024 // 1024} MiB; import it in parts")
        text = file.read_text("utf-8")
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError:
        raise ConfigError(f"{file}: cannot be read: it is not UTF-8 text") from None
    document = parse_document(text, file, str(file), diagnostics)
    if document is None:
        raise ConfigError(diagnostics.render("error"))
    return document
