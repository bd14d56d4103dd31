r"""The grammar of `.dev.vars` and `.env`: that of npm's dotenv 16.3.1 and dotenv-expand 12, which wrangler uses. Pure.

Both are regular expressions in JavaScript; these are the same expressions, so that they agree also about what their
authors never meant (a quote that is not closed, a `#` inside of a value).
Source: wrangler 4.164.0, `require_main` and `require_main3`; what it answers is in tests/conformance/cases/dotenv.json.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from edgeworker.errors import ConfigError

# JavaScript's \s, and the ends of lines at which its ^ and $ match. \r is gone when they are asked.
_S: Final = r"[\t\n\v\f\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]"
_END: Final = r"(?=[\n\u2028\u2029]|\Z)"
_SPACE: Final = re.compile(rf"{_S}*")
_LINE_END: Final = re.compile(r"[\n\u2028\u2029]")
_ASSIGNMENT: Final = re.compile(
    rf"(?:export{_S}+)?([A-Za-z0-9_.-]+)(?:{_S}*={_S}*?|:{_S}+?)"
    rf"({_S}*'(?:\\'|[^'])*'|{_S}*\"(?:\\\"|[^\"])*\"|{_S}*`(?:\\`|[^`])*`|[^#\r\n]+)?"
    rf"{_S}*(?:#[^\n\r\u2028\u2029]*)?{_END}"
)
_QUOTED: Final = re.compile(rf"(?:(?<=[\n\u2028\u2029])|\A)(['\"`])([\s\S]*)\1{_END}")
_JS_SPACE: Final = "\t\n\v\f\r \u00a0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff" + "".join(
    map(chr, range(0x2000, 0x200B))
)
_ARRAY_INDEX: Final = re.compile(r"0|[1-9][0-9]{0,9}")
_MAX_ARRAY_INDEX: Final = 2**32 - 2

_REFERENCE: Final = re.compile(r"(?<!\\)\$\{([^{}]+)\}|(?<!\\)\$([A-Za-z_][A-Za-z0-9_]*)")
_OPERATOR: Final = re.compile(r":\+|\+|:-|-")
_REPLACEMENT: Final = re.compile(r"\$([$&`'])")
MAX_EXPANDED: Final = 1024 * 1024  # characters of one value
_MAX_STEPS: Final = 32 * 1024 * 1024  # characters that all replacements together may read
_STEP_COST: Final = 64  # what a replacement costs besides, in characters


@dataclass(frozen=True, slots=True)
class Assignment:
    """One `KEY=value`. `text[start:end]` is what it takes of the file, whole lines; `line` counts from 1."""

    name: str
    value: str = field(repr=False)
    line: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class ParsedDotenv:
    """`assignments` in the file's order, also those that are set again below.

    `ignored` are the lines that set nothing and are not comments.
    `text` is the file's with `\\n` as its line ends.
    """

    text: str = field(repr=False)
    assignments: tuple[Assignment, ...]
    ignored: tuple[int, ...]

    @property
    def values(self) -> dict[str, str]:
        """As a JavaScript object has them: the last of a name counts, and names that are numbers come first."""
        found = {assignment.name: assignment.value for assignment in self.assignments if assignment.name != "__proto__"}
        numbers = sorted((name for name in found if _is_array_index(name)), key=int)
        return {name: found[name] for name in (*numbers, *found)}


def parse_dotenv(text: str) -> ParsedDotenv:
    """What the file sets. No text is refused: what is not an assignment sets nothing."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    assignments: list[Assignment] = []
    ignored: list[int] = []
    lines = _LineCounter(text)
    position = 0
    while (start := _start_of_content(text, position)) is not None:
        match = _ASSIGNMENT.match(text, start)
        if match is None:
            if text[start] != "#":
                ignored.append(lines.at(start))
            line_end = _LINE_END.search(text, start)
            position = len(text) if line_end is None else line_end.end()
            continue
        value = match[2] or ""
        after_value = text.find("\n", match.end(2) if match[2] is not None else match.end(1))
        end = len(text) if after_value < 0 else after_value + 1
        value = _unquote(value.strip(_JS_SPACE))
        assignments.append(Assignment(match[1], value, lines.at(start), text.rfind("\n", 0, start) + 1, end))
        position = match.end()
    return ParsedDotenv(text, tuple(assignments), tuple(ignored))


def expand(values: Mapping[str, str], process: Mapping[str, str]) -> dict[str, str]:
    r"""Replaces `${NAME}`, `${NAME:-default}`, `${NAME:+if set}` and `$NAME`; `\$` becomes `$`.

    A name means what stands above it in the file; `process` wins over the file.

    Raises:
        ConfigError: that makes more than MAX_EXPANDED characters, or does not end: each line can double the one before.
    """
    done: dict[str, str] = {}
    steps = _Steps()
    for name, value in values.items():
        found = process.get(name)
        expanded = found if found and found != value else _expand_value(value, process, done, steps)
        done[name] = expanded.replace("\\$", "$")
    return done


class _Steps:
    """How much has been read in one `expand`."""

    def __init__(self) -> None:
        self._read = 0

    def count(self, text: str) -> None:
        self._read += len(text) + _STEP_COST
        if len(text) > MAX_EXPANDED:
            raise ConfigError(f"The references to other variables make more than {MAX_EXPANDED} characters.")
        if self._read > _MAX_STEPS:
            raise ConfigError("The references to other variables are too many, or have no end.")


def _expand_value(value: str, process: Mapping[str, str], done: Mapping[str, str], steps: _Steps) -> str:
    result = value
    seen: set[str] = set()
    while (match := _REFERENCE.search(result)) is not None:
        steps.count(result)
        seen.add(result)
        expression = match[1] or match[2]
        operator = _OPERATOR.search(expression)
        # "x".split(null) and ["x"].join(null) of JavaScript take null for the text "null".
        name, _, default = expression.partition("null" if operator is None else operator[0])
        found = process.get(name, done.get(name, "")) or ""
        if operator is not None and operator[0] in (":+", "+"):
            replacement = default if found else ""
        else:
            replacement = found if found and found not in seen else default
        result = _replace_first(result, match[0], replacement)
        if name in done and result == done[name]:
            break
    steps.count(result)
    return result


def _replace_first(text: str, part: str, replacement: str) -> str:
    """JavaScript's `text.replace(part, replacement)`, in which `$&` and three others stand for parts of `text`."""
    before, _, after = text.partition(part)
    meant = {"$": "$", "&": part, "`": before, "'": after}
    return before + _REPLACEMENT.sub(lambda match: meant[match[1]], replacement) + after


def _unquote(value: str) -> str:
    double = value.startswith('"')
    value = _QUOTED.sub(lambda match: match[2], value)
    return value.replace("\\n", "\n").replace("\\r", "\r") if double else value


def _start_of_content(text: str, position: int) -> int | None:
    """Where the next line with something in it begins; what is left of the line of `position` is passed over."""
    if position > 0 and not _LINE_END.match(text, position - 1):
        line_end = _LINE_END.search(text, position)
        if line_end is None:
            return None
        position = line_end.end()
    space = _SPACE.match(text, position)
    start = position if space is None else space.end()
    return start if start < len(text) else None


def _is_array_index(name: str) -> bool:
    return _ARRAY_INDEX.fullmatch(name) is not None and int(name) <= _MAX_ARRAY_INDEX


class _LineCounter:
    """Counts lines up to offsets that only grow."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._offset = 0
        self._line = 1

    def at(self, offset: int) -> int:
        self._line += self._text.count("\n", self._offset, offset)
        self._offset = offset
        return self._line
