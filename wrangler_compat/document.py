"""A configuration file as values, and the line on which each of them stands."""

import re
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edgeworker.schema.diagnostics import Diagnostics, KeyPath, SourceLocation, dotted
from wrangler_compat.jsonc import parse_jsonc
from wrangler_compat.syntax_error import DocumentSyntaxError
from wrangler_compat.toml_text import explain, scan

Table = dict[str, object]

MAX_BYTES: Final = 4 * 1024 * 1024  # of a configuration file; a real one has a few thousand
_MANY_DIGITS: Final = re.compile(r"[0-9_]{1000,}")


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """`name` is how messages call the file (as short as it stays clear); `lines` counts from 1."""

    file: Path
    name: str
    values: Table
    lines: Mapping[KeyPath, int]

    def locate(self, where: KeyPath) -> SourceLocation:
        """The line of `where`, or of the nearest thing around it that has one."""
        for length in range(len(where), 0, -1):
            if (line := self.lines.get(where[:length])) is not None:
                return SourceLocation(self.name, line, dotted(where))
        return SourceLocation(self.name, None, dotted(where))

    def source(self, where: KeyPath) -> str:
        """For `source` fields of edgeworker.config: `wrangler.toml:4 (routes[0])`."""
        return str(self.locate(where))


def read_text(file: Path) -> str:
    """What is in a file of at most MAX_BYTES. Raises OSError, UnicodeDecodeError."""
    mode = file.stat().st_mode
    if not stat.S_ISREG(mode):  # a pipe or a device may never end, or never begin
        raise OSError("it is a folder" if stat.S_ISDIR(mode) else "it is not a regular file")
    with file.open("rb") as stream:
        content = stream.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise OSError(f"it is larger than {MAX_BYTES} bytes")
    return content.decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")


def parse_document(text: str, file: Path, name: str, diagnostics: Diagnostics) -> ConfigFile | None:
    """`text` as TOML, or as JSON by the suffix of `file`; None, and an error told, if it cannot be read."""
    try:
        values, lines = parse_jsonc(text) if file.suffix in (".json", ".jsonc") else _parse_toml(text)
    except DocumentSyntaxError as fault:
        diagnostics.error(f"{fault.text}\n\n{fault.frame(text, name)}", SourceLocation(name, fault.line))
        return None
    return ConfigFile(file, name, values, lines)


def _parse_toml(text: str) -> tuple[Table, dict[KeyPath, int]]:
    plain = text.removeprefix("\ufeff").replace("\r\n", "\n")
    try:
        return tomllib.loads(plain), scan(plain).lines
    except tomllib.TOMLDecodeError as error:
        raise explain(plain, str(error)) from None
    except ValueError:  # Python converts no number of more than 4300 digits
        digits = _MANY_DIGITS.search(plain)
        line = 1 if digits is None else plain.count("\n", 0, digits.start()) + 1
        raise DocumentSyntaxError("A number has too many digits.", line=line, column=1) from None
    except RecursionError:
        raise DocumentSyntaxError("Arrays and tables stand too deep in each other.", line=1, column=1) from None
