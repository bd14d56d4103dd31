"""On which line of a TOML text each value stands, and what a syntax error in it means. Pure.

`tomli` gives values without lines. The scanner here gives lines without values; it is lenient, because tomli has
already accepted the text, or has refused it and we look for the reason.
"""

import re
from bisect import bisect_left
from dataclasses import dataclass, field
from typing import Final

import tomli

from edgeworker.schema.diagnostics import KeyPath, format_key_path
from wrangler_compat.syntax_error import DocumentSyntaxError

_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")
_BLANK: Final = re.compile(r"[ \t]*")
_BLANK_LINES: Final = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SCALAR: Final = re.compile(r"(?:true|false|[+-]?(?:inf|nan)|[+-]?\d[\w.:+-]*(?: \d\d:[\d.:Z+-]*)?)(?!\w)")
_UNCLOSED_TEXT: Final = ("Illegal character '\\n'", "Unterminated string", "Expected \"'", "Expected '\"")
_NEXT: Final = re.compile(
    r"\s*(?:\[\[?\s*[\w\"'.\- ]+\]|[\w.-]+\s*=)"
)  # what begins after an array that should have ended
_HEADER_LINE: Final = re.compile(r"\s*\[\[?\s*[\w\"'.\- ]+\]?\]?\s*(?:#.*)?$")


@dataclass(frozen=True, slots=True)
class Bracket:
    """A bracket that was opened. `key` is the value it belongs to; line and column count from 1.

    `last_line` is the line of the last value before it.
    """

    character: str
    key: KeyPath
    line: int
    column: int
    last_line: int


@dataclass(slots=True)
class Scan:
    """`lines` of all values, and `set_on` what is set on a line (a key, or a table by its header).

    Where the text could not be followed any more: `lost` is the line and column, `open` the brackets that stood open,
    and `last_line` the line of the last value that was understood.
    """

    lines: dict[KeyPath, int] = field(default_factory=dict)
    set_on: dict[int, KeyPath] = field(default_factory=dict)
    lost: tuple[int, int] | None = None
    open: list[Bracket] = field(default_factory=list)
    last_line: int = 1


class _LostError(Exception):
    """The text cannot be followed any more."""


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._breaks = [match.start() for match in re.finditer("\n", text)]
        self._items: dict[KeyPath, int] = {}  # [[arrays of tables]] and how many tables each has so far
        self.result = Scan()

    def run(self) -> Scan:
        table: KeyPath = ()
        try:
            while self._skip(_BLANK_LINES) < len(self._text):
                if self._text[self._at] == "[":
                    table = self._header()
                else:
                    self._assignment(table)
                self._skip(_BLANK)
                if self._peek() not in ("\n", "\r", "#", ""):
                    raise _LostError
        except (_LostError, RecursionError):  # nested too deeply, as tomli says too if it gets as far
            self.result.lost = (self._line(), self._column())
        return self.result

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _skip(self, pattern: re.Pattern[str]) -> int:
        match = pattern.match(self._text, self._at)
        if match is not None:
            self._at = match.end()
        return self._at

    def _line(self) -> int:
        return bisect_left(self._breaks, self._at) + 1

    def _column(self) -> int:
        return self._at - self._text.rfind("\n", 0, self._at)

    def _expect(self, character: str) -> None:
        if self._peek() != character:
            raise _LostError
        self._at += 1

    def _header(self) -> KeyPath:
        line = self._line()
        double = self._text.startswith("[[", self._at)
        self._at += 2 if double else 1
        names = self._read_dotted_key()
        self._expect("]")
        if double:
            self._expect("]")
        where = self._inside_arrays(names[:-1]) + names[-1:]
        if double:
            index = self._items.get(where, -1) + 1
            self._items[where] = index
            self.result.lines.setdefault(where, line)
            where = (*where, index)
        elif where in self._items:
            where = (*where, self._items[where])
        self._note(where, line)
        self.result.set_on[line] = where
        return where

    def _inside_arrays(self, names: KeyPath) -> KeyPath:
        """`[a.b]` below `[[a]]` means the last table of `a`."""
        where: KeyPath = ()
        for name in names:
            where = (*where, name)
            if where in self._items:
                where = (*where, self._items[where])
        return where

    def _note(self, where: KeyPath, line: int) -> None:
        for length in range(1, len(where) + 1):
            self.result.lines.setdefault(where[:length], line)

    def _assignment(self, table: KeyPath) -> None:
        line = self._line()
        where = table + self._read_dotted_key()
        self._expect("=")
        self._note(where, line)
        self.result.set_on.setdefault(line, where)
        self._skip(_BLANK)
        self._value(where)

    def _read_dotted_key(self) -> KeyPath:
        names: list[str] = []
        while True:
            self._skip(_BLANK)
            start = self._at
            if self._peek() in ('"', "'"):
                self._string()
                names.append(_unquote(self._text[start : self._at]))
            elif self._skip(_BARE_KEY) > start:
                names.append(self._text[start : self._at])
            else:
                raise _LostError
            self._skip(_BLANK)
            if self._peek() != ".":
                return tuple(names)
            self._at += 1

    def _value(self, where: KeyPath) -> None:
        match self._peek():
            case '"' | "'":
                self._string()
            case "[":
                self._array(where)
            case "{":
                self._inline_table(where)
            case _:
                start = self._at
                if self._skip(_SCALAR) == start:
                    raise _LostError
        self.result.last_line = self._line()

    def _string(self) -> None:
        quote = self._peek()
        if self._text.startswith(quote * 3, self._at):
            self._until(
                re.compile(rf"(?s)(?:\\.|(?!{quote * 3}).)*?{quote * 3}+" if quote == '"' else "(?s).*?'''+"), 3
            )
        else:
            self._until(re.compile(r'(?:\\.|[^"\\\n])*"' if quote == '"' else r"[^'\n]*'"), 1)

    def _until(self, rest: re.Pattern[str], opening: int) -> None:
        match = rest.match(self._text, self._at + opening)
        if match is None:
            raise _LostError
        self._at = match.end()

    def _open(self, where: KeyPath) -> None:
        self.result.open.append(Bracket(self._peek(), where, self._line(), self._column(), self.result.last_line))
        self._at += 1

    def _array(self, where: KeyPath) -> None:
        self._open(where)
        index = 0
        while True:
            self._skip(_BLANK_LINES)
            if self._peek() == "]":
                break
            self.result.lines.setdefault((*where, index), self._line())
            self._value((*where, index))
            index += 1
            self._skip(_BLANK_LINES)
            if self._peek() != ",":
                break
            self._at += 1
        self._expect("]")
        self.result.open.pop()

    def _inline_table(self, where: KeyPath) -> None:
        self._open(where)
        while True:
            self._skip(_BLANK_LINES)
            if self._peek() == "}":
                break
            self._assignment(where)
            self._skip(_BLANK_LINES)
            if self._peek() != ",":
                break
            self._at += 1
        self._expect("}")
        self.result.open.pop()


def _unquote(key: str) -> str:
    if "\\" not in key:
        return key[1:-1]
    try:
        return str(tomli.loads(f"key = {key}")["key"])
    except tomli.TOMLDecodeError:
        raise _LostError from None


def scan(text: str) -> Scan:
    """The lines of all values, as far as the text can be followed."""
    return _Scanner(text).run()


def explain(text: str, reason: str, position: int) -> DocumentSyntaxError:
    """tomli's error about `text`: at its place, in words that say what to do."""
    if 0 <= (carriage_return := text.find("\r")) <= position:
        position = carriage_return
    whole = text.rstrip(" \t\n")
    at_end = text.count("\n", 0, position) > whole.count("\n")
    position = min(position, len(whole)) if at_end else position
    line = text.count("\n", 0, position) + 1
    column = position - text.rfind("\n", 0, position)
    if text[position : position + 1] == "\r":
        return DocumentSyntaxError(
            "A carriage return without a line feed stands here; end lines with LF or CR LF.", line=line, column=column
        )
    found = scan(text)
    lines = text.split("\n")
    content = lines[line - 1] if lines else ""
    next_line = line if _NEXT.match(content) else None
    unclosed = _find_unclosed(lines, found, at_end=at_end or not content[column - 1 :].strip(), next_line=next_line)
    if unclosed is not None:
        bracket, last_line = unclosed
        return DocumentSyntaxError(
            _advice(bracket, last_line), line=bracket.line, column=bracket.column, also=[last_line]
        )
    return _explain(reason, content, found, line, column)


def _explain(reason: str, content: str, found: Scan, line: int, column: int) -> DocumentSyntaxError:
    where = found.set_on.get(line)
    if reason.startswith("Cannot") and where is not None:
        first = found.lines[where]
        what = f"The table [{format_key_path(where)}]" if content.lstrip().startswith("[") else f'The key "{where[-1]}"'
        return DocumentSyntaxError(
            f"{what} stands here for the second time; the first time is on line {first}.",
            line=line,
            column=len(content) - len(content.lstrip()) + 1,
            also=[first],
        )
    if found.lost is not None and reason.startswith(_UNCLOSED_TEXT):
        lost_line, lost_column = found.lost
        return DocumentSyntaxError(
            "The text that begins here has no closing quote.", line=lost_line, column=lost_column
        )
    if reason == "Invalid value":
        missing = not content[column - 1 :].strip()
        advice = 'a value is missing after "="' if missing else 'this is not a value; texts stand in quotes: "text"'
        return DocumentSyntaxError(f"Invalid value: {advice}.", line=line, column=column)
    return DocumentSyntaxError(f"{reason}.", line=line, column=column)


def _find_unclosed(lines: list[str], found: Scan, *, at_end: bool, next_line: int | None) -> tuple[Bracket, int] | None:
    """The bracket that was not closed, and the line of its last item; None if that is not what is wrong.

    `at_end`: the text ended. `next_line`: on that line something began that cannot stand in a bracket.
    """
    brackets = list(found.open)
    last_line = found.last_line
    # What looks like a bracket inside an array is the header of the next table, if it stands alone at a line's start.
    while brackets and brackets[-1].column == 1 and _HEADER_LINE.match(lines[brackets[-1].line - 1]):
        last_line = brackets.pop().last_line
    if not brackets:
        return None
    stopped = next_line is not None and next_line > brackets[-1].line
    return (brackets[-1], last_line) if at_end or stopped or len(brackets) < len(found.open) else None


def _advice(bracket: Bracket, last_line: int) -> str:
    name = next((str(part) for part in reversed(bracket.key) if isinstance(part, str)), "")
    kind, closing = ("array", "]") if bracket.character == "[" else ("inline table", "}")
    text = (
        f'The {kind} "{name}" that begins on line {bracket.line} is never closed. '
        f'Add a "{closing}" after its last item (line {last_line}).'
    )
    if name == "kv-namespaces":
        text += '\nThe name with a hyphen is from wrangler 1; wrangler reads "kv_namespaces" today.'
    return text
