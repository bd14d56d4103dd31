"""A configuration file as values, and the line on which each of them stands. Pure."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from wrangler_compat.diagnostics import Diagnostics, Place, Where, dotted
from wrangler_compat.fault import Fault
from wrangler_compat.jsonc import parse_jsonc
from wrangler_compat.toml_text import explain, scan

Table = dict[str, object]


@dataclass(frozen=True, slots=True)
class Document:
    """`name` is how messages call the file (as short as it stays clear); `lines` counts from 1."""

    file: Path
    name: str
    values: Table
    lines: Mapping[Where, int]

    def place(self, where: Where) -> Place:
        """The line of `where`, or of the nearest thing around it that has one."""
        for length in range(len(where), 0, -1):
            if (line := self.lines.get(where[:length])) is not None:
                return Place(self.name, line, dotted(where))
        return Place(self.name, None, dotted(where))

    def source(self, where: Where) -> str:
        """For `source` fields of edgeworker.config: `wrangler.toml:4 (routes[0])`."""
        return str(self.place(where))


def parse_document(text: str, file: Path, name: str, diagnostics: Diagnostics) -> Document | None:
    """`text` as TOML, or as JSON by the suffix of `file`; None, and an error told, if it cannot be read."""
    try:
        values, lines = parse_jsonc(text) if file.suffix in (".json", ".jsonc") else _parse_toml(text)
    except Fault as fault:
        diagnostics.error(f"{fault.text}\n\n{fault.frame(text, name)}", Place(name, fault.line))
        return None
    return Document(file, name, values, lines)


def _parse_toml(text: str) -> tuple[Table, dict[Where, int]]:
    plain = text.removeprefix("\ufeff").replace("\r\n", "\n")
    try:
        return tomllib.loads(plain), scan(plain).lines
    except tomllib.TOMLDecodeError as error:
        raise explain(plain, str(error)) from None
    except RecursionError:
        raise Fault("Arrays and tables stand too deep in each other.", line=1, column=1) from None
