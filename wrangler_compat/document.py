"""A configuration file as values, and the line on which each of them stands."""

import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import tomli

from edgeworker.schema.diagnostics import Diagnostics, KeyPath, SourceLocation, format_key_path
from wrangler_compat.jsonc import parse_jsonc
from wrangler_compat.syntax_error import DocumentSyntaxError
from wrangler_compat.toml_text import explain, scan

Table = dict[str, object]

MAX_BYTES: Final = 4 * 1024 * 1024  # of a configuration file; a real one has a few thousand
_MAX_DEPTH: Final = 100
_TOO_DEEP: Final = f"Nested deeper than {_MAX_DEPTH} levels: arrays, tables or the parts of a dotted key."
_MAX_SAFE_INTEGER: Final = 2**53 - 1
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
                return SourceLocation(self.name, line, format_key_path(where))
        return SourceLocation(self.name, None, format_key_path(where))

    def source(self, where: KeyPath) -> str:
        """For `source` fields of edgeworker.config: `wrangler.toml:4 (routes[0])`."""
        return str(self.locate(where))


def read_text(file: Path, name: str, diagnostics: Diagnostics) -> str | None:
    """What is in a file of at most MAX_BYTES; None, and an error about `name` told, if it cannot be read."""
    try:
        content = _read_bytes(file)
    except OSError as error:
        diagnostics.error(f"{name} cannot be read: {error.strerror or error}.", SourceLocation(name))
        return None
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        column = len(content[content.rfind(b"\n", 0, error.start) + 1 : error.start].decode("utf-8")) + 1
        diagnostics.error(
            f"{name}:{line}:{column}: the byte 0x{content[error.start]:02X} is not UTF-8 text; save the file as UTF-8.",
            SourceLocation(name, line),
        )
        return None


def _read_bytes(file: Path) -> bytes:
    mode = file.stat().st_mode
    if not stat.S_ISREG(mode):  # a pipe or a device may never end, or never begin
        raise OSError("it is a folder" if stat.S_ISDIR(mode) else "it is not a regular file")
    with file.open("rb") as stream:
        content = stream.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise OSError(f"it is larger than {MAX_BYTES} bytes")
    return content


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
    if (carriage_return := plain.find("\r\n")) >= 0:  # CR CR LF, which tomli would take for a line's end too
        raise explain(plain, "", carriage_return)
    try:
        values = tomli.loads(plain)
        refusals = list(_refused_values(values))
    except tomli.TOMLDecodeError as error:
        raise explain(plain, error.msg, error.pos) from None
    except ValueError:  # Python converts no number of more than 4300 digits
        digits = _MANY_DIGITS.search(plain)
        line = 1 if digits is None else plain.count("\n", 0, digits.start()) + 1
        raise DocumentSyntaxError("A number has too many digits.", line=line, column=1) from None
    except RecursionError:
        raise DocumentSyntaxError(_TOO_DEEP, line=_deepest_line(plain), column=1) from None
    lines = scan(plain).lines
    if refusals:
        line, text = min((lines.get(where, 1), text) for where, text in refusals)
        raise DocumentSyntaxError(text, line=line, column=1)
    return values, lines


def _deepest_line(text: str) -> int:
    """The line that nests most, for a text that nests too much."""
    lines = text.split("\n")
    return 1 + max(range(len(lines)), key=lambda index: sum(map(lines[index].count, "[{.")))


def _refused_values(values: Table) -> Iterator[tuple[KeyPath, str]]:
    """What is TOML and still refused: wrangler takes no whole number that JavaScript's numbers do not hold."""
    pending: list[tuple[KeyPath, object]] = [((), values)]
    while pending:
        where, value = pending.pop()
        if len(where) > _MAX_DEPTH:
            raise RecursionError
        match value:
            case dict():
                pending += [((*where, name), item) for name, item in value.items()]
            case list():
                pending += [((*where, index), item) for index, item in enumerate(value)]
            case int() if abs(value) > _MAX_SAFE_INTEGER:
                yield (
                    where,
                    "This number is more than JavaScript's numbers hold exactly (9007199254740991); quote it.",
                )
