"""The toml-test corpus for TOML 1.1, beside what wrangler says about it, which record_toml.mjs has recorded."""

import base64
import json
import math
from collections.abc import Iterator
from datetime import date, datetime, time
from pathlib import Path

import pytest

from edgeworker.schema.diagnostics import Diagnostics, KeyPath
from wrangler_compat.document import ConfigFile, parse_document, read_text

_HERE = Path(__file__).parent
_INPUTS = json.loads((_HERE / "inputs/toml.json").read_text("utf-8"))
_RECORDED = json.loads((_HERE / "cases/toml.json").read_text("utf-8"))
BYTES: dict[str, bytes] = {
    row["name"]: row["text"].encode() if "text" in row else base64.b64decode(row["base64"]) for row in _INPUTS
}
EXPECTED: dict[str, object] = {row["name"]: row["expected"] for row in _INPUTS if row["expected"]}
LINES: dict[str, int | None] = {name: None if answer is None else answer["line"] for name, answer in _RECORDED.items()}

# wrangler refuses whole numbers that JavaScript does not hold exactly, and so do we.
REFUSED = sorted(name for name in BYTES if name.startswith("invalid/") or LINES[name] is not None)
# wrangler points behind the end of what was never closed; ours is the line on which the bracket was opened.
NEVER_CLOSED = ("no-close", "no-comma-03")


def _read(name: str, folder: Path) -> tuple[ConfigFile | None, Diagnostics]:
    file, diagnostics = folder / "wrangler.toml", Diagnostics()
    file.write_bytes(BYTES[name])
    text = read_text(file, "wrangler.toml", diagnostics)
    return (None if text is None else parse_document(text, file, "wrangler.toml", diagnostics)), diagnostics


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_toml_is_refused_on_the_line_that_wrangler_names(name: str, tmp_path: Path) -> None:
    document, diagnostics = _read(name, tmp_path)

    assert document is None
    (message,) = diagnostics.messages
    (location,) = message.locations
    assert location.line is not None
    assert f"wrangler.toml:{location.line}:" in message.text
    line = LINES[name]
    # wrangler takes bytes that are not UTF-8, and days that a month does not have.
    if line is not None:
        never_closed = any(part in name for part in NEVER_CLOSED) and "string" not in name
        assert location.line == (1 if never_closed else line)


@pytest.mark.parametrize("name", sorted(set(BYTES) - set(REFUSED)))
def test_what_is_toml_is_read_and_each_value_has_its_line(name: str, tmp_path: Path) -> None:
    document, diagnostics = _read(name, tmp_path)

    assert document is not None, diagnostics.render("error")
    if name in EXPECTED:
        assert _tagged(document.values) == _normalized(EXPECTED[name])
    assert set(_paths(document.values)) <= set(document.lines)


def _paths(value: object, where: KeyPath = ()) -> Iterator[KeyPath]:
    if where:
        yield where
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _paths(item, (*where, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _paths(item, (*where, index))


def _tagged(value: object) -> object:
    match value:
        case dict():
            return {name: _tagged(item) for name, item in value.items()}
        case list():
            return [_tagged(item) for item in value]
        case bool():
            return ("bool", str(value).lower())
        case float():
            return ("float", "nan" if math.isnan(value) else value)
        case datetime():
            return ("datetime" if value.tzinfo else "datetime-local", value)
        case date():
            return ("date-local", value)
        case time():
            return ("time-local", value)
        case int():
            return ("integer", value)
        case _:
            return ("string", value)


def _normalized(value: object) -> object:
    match value:
        case {"type": str(kind), "value": str(text)}:
            return (kind, _parsed(kind, text))
        case dict():
            return {name: _normalized(item) for name, item in value.items()}
        case list():
            return [_normalized(item) for item in value]
        case _:
            raise AssertionError(value)


def _parsed(kind: str, text: str) -> object:
    match kind:
        case "integer":
            return int(text)
        case "float":
            return "nan" if "nan" in text else float(text)
        case "datetime" | "datetime-local":
            return datetime.fromisoformat(text)
        case "date-local":
            return date.fromisoformat(text)
        case "time-local":
            return time.fromisoformat(text)
        case _:
            return text
