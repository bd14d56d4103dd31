"""Where a line of a bundle comes from. Pure.

Source: https://tc39.es/ecma426/ (version 3 of source maps: VLQ numbers in base 64, relative to the ones before)
"""

import json
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from edgeworker.strict_json import loads

_DIGITS: Final = {
    character: value
    for value, character in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
}
_CONTINUATION_BIT: Final = 0b100000


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a source file; `line` and `column` count from 1, as V8 and editors show them."""

    source: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class _Segment:
    column: int  # of the generated line, from 0
    source: int
    line: int  # from 0
    source_column: int  # from 0


class SourceMap:
    """A source map of one generated file. Sections (index maps) are not read: esbuild writes none."""

    def __init__(self, sources: Sequence[str], mappings: str, names: object = ()) -> None:
        """`names` are what the mappings count, for other programs. Raises ValueError."""
        self._sources = sources
        self._decode_lines = list(_decode_lines(mappings))
        self._mappings = mappings
        self._names = names

    @classmethod
    def parse(cls, text: str, rename: Callable[[str], str] = str) -> "SourceMap":
        """`rename` gives the name under which a source is shown. Raises ValueError if `text` is not a version 3 map."""
        value = loads(text)
        mappings = value.get("mappings") if isinstance(value, dict) and value.get("version") == 3 else None
        if not isinstance(value, dict) or not isinstance(mappings, str):
            raise ValueError("not a source map of version 3")
        listed = value.get("sources")
        root = value.get("sourceRoot")
        prefix = root.rstrip("/") + "/" if isinstance(root, str) and root else ""
        sources = [rename(f"{prefix}{source}") for source in listed] if isinstance(listed, list) else []
        return cls(sources, mappings, value.get("names", []))

    def find(self, line: int, column: int) -> Position | None:
        """What stands at a place of the generated file, both counted from 1; None where no source does."""
        if not 0 < line <= len(self._decode_lines):
            return None
        segments = self._decode_lines[line - 1]
        at = bisect_right(segments, column - 1, key=lambda segment: segment.column) - 1
        if at < 0 and segments:
            at = 0
        if not 0 <= at < len(segments) or segments[at].source >= len(self._sources):
            return None
        segment = segments[at]
        return Position(self._sources[segment.source], segment.line + 1, segment.source_column + 1)

    def to_json(self, root: str, read: Callable[[str], str | None]) -> str:
        """The map for other programs. `root` is the URL of the folder that sources are in, `read` gives their text."""
        contents = [read(source) for source in self._sources]
        written = {"version": 3, "sourceRoot": root, "sources": list(self._sources), "sourcesContent": contents}
        return json.dumps({**written, "names": self._names, "mappings": self._mappings})


def _decode_lines(mappings: str) -> Iterator[list[_Segment]]:
    source = line = source_column = 0
    for generated in mappings.split(";"):
        column = 0
        segments = []
        for text in generated.split(",") if generated else ():
            numbers = _decode_vlq(text)
            if not numbers:
                raise ValueError(f'"{text}" is not a segment of a source map')
            column += numbers[0]
            if len(numbers) >= 4:
                source += numbers[1]
                line += numbers[2]
                source_column += numbers[3]
                segments.append(_Segment(column, source, line, source_column))
        yield segments


def _decode_vlq(text: str) -> list[int]:
    numbers = []
    value = shift = 0
    for character in text:
        digit = _DIGITS.get(character)
        if digit is None:
            raise ValueError(f'"{character}" is not a digit of a source map')
        value |= (digit & (_CONTINUATION_BIT - 1)) << shift
        if digit & _CONTINUATION_BIT:
            shift += 5
            continue
        numbers.append(-(value >> 1) if value & 1 else value >> 1)
        value = shift = 0
    return numbers
