"""On which line of a TOML text each value stands, and what a syntax error in it means. Pure.

`tomllib` gives values without lines. The scanner here gives lines without values; it is lenient, because tomllib has
already accepted the text, or has refused it and we look for the reason.
"""

import re
from bisect import bisect_left
from dataclasses import dataclass, field
from typing import Final

from wrangler_compat.diagnostics import Where
from wrangler_compat.fault import Fault

_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")
_BLANK: Final = re.compile(r"[ \t]*")
_BLANK_LINES: Final = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SCALAR: Final = re.compile(r"[^,\[\]{}#\n=\"']+")
_AT: Final = re.compile(r"\(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)$")
_HEADER_LINE: Final = re.compile(r"\s*\[\[?\s*[\w\"'.\- ]+\]?\]?\s*(?:#.*)?$")


@dataclass(frozen=True, slots=True)
class Bracket:
    """A bracket that was opened. `key` is the value it belongs to; line and column count from 1."""

    character: str
    key: Where
    line: int
    column: int


@dataclass(slots=True)
class Scan:
    """`lines` of all values; `open` are the brackets that stood open where the text could not be followed any more,
    and `last_line` is the line of the last thing that was understood there.
    """

    lines: dict[Where, int] = field(default_factory=dict)
    open: list[Bracket] = field(default_factory=list)
    last_line: int = 1


class _LostError(Exception):
    """The text cannot be followed any more."""


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._breaks = [match.start() for match in re.finditer("\n", text)]
        self._items: dict[Where, int] = {}  # [[arrays of tables]] and how many tables each has so far
        self.result = Scan()

    def run(self) -> Scan:
        table: Where = ()
        try:
            while self._skip(_BLANK_LINES) < len(self._text):
                if self._text[self._at] == "[":
                    table = self._header()
                else:
                    self._assignment(table)
                self._skip(_BLANK)
                if self._peek() not in ("\n", "\r", "#", ""):
                    raise _LostError
        except _LostError:
            return self.result
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

    def _header(self) -> Where:
        line = self._line()
        double = self._text.startswith("[[", self._at)
        self._at += 2 if double else 1
        names = self._dotted()
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
        return where

    def _inside_arrays(self, names: Where) -> Where:
        """`[a.b]` below `[[a]]` means the last table of `a`."""
        where: Where = ()
        for name in names:
            where = (*where, name)
            if where in self._items:
                where = (*where, self._items[where])
        return where

    def _note(self, where: Where, line: int) -> None:
        for length in range(1, len(where) + 1):
            self.result.lines.setdefault(where[:length], line)
        self.result.last_line = line

    def _assignment(self, table: Where) -> None:
        line = self._line()
        where = table + self._dotted()
        self._expect("=")
        self._note(where, line)
        self._skip(_BLANK)
        self._value(where)

    def _dotted(self) -> Where:
        names: list[str] = []
        while True:
            self._skip(_BLANK)
            start = self._at
            if self._peek() in ('"', "'"):
                self._string()
                names.append(self._text[start + 1 : self._at - 1])
            elif self._skip(_BARE_KEY) > start:
                names.append(self._text[start : self._at])
            else:
                raise _LostError
            self._skip(_BLANK)
            if self._peek() != ".":
                return tuple(names)
            self._at += 1

    def _value(self, where: Where) -> None:
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

    def _open(self, where: Where) -> None:
        self.result.open.append(Bracket(self._peek(), where, self._line(), self._column()))
        self._at += 1

    def _array(self, where: Where) -> None:
        self._open(where)
        index = 0
        while True:
            self._skip(_BLANK_LINES)
            if self._peek() == "]":
                break
            self._note((*where, index), self._line())
            self._value((*where, index))
            index += 1
            self._skip(_BLANK_LINES)
            if self._peek() != ",":
                break
            self._at += 1
        self._expect("]")
        self.result.open.pop()

    def _inline_table(self, where: Where) -> None:
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


def scan(text: str) -> Scan:
    """The lines of all values, as far as the text can be followed."""
    return _Scanner(text).run()


def explain(text: str, error: str) -> Fault:
    """tomllib's `error` about `text`, with its place, and with what an open bracket has to do with it."""
    at = _AT.search(error)
    reason = error[: at.start()].rstrip() if at else error
    if at is not None and at["line"]:
        line, column = int(at["line"]), int(at["column"])
    else:
        line = text.count("\n") + 1
        column = len(text) - text.rfind("\n")
    found = scan(text)
    culprit = _unclosed(text, found, line)
    if culprit is None:
        return Fault(f"{reason}.", line=line, column=column)
    return Fault(_advice(culprit, found.last_line), line=culprit.line, column=culprit.column, also=[found.last_line])


def _unclosed(text: str, found: Scan, line: int) -> Bracket | None:
    """The bracket that was not closed. What looks like one inside it may be the header of the next table."""
    lines = text.splitlines()
    brackets = [
        bracket
        for bracket in found.open
        if not (bracket.character == "[" and bracket.column == 1 and _HEADER_LINE.match(lines[bracket.line - 1]))
    ]
    if not brackets:
        return None
    at_end = line > len(lines) or not "\n".join(lines[line - 1 :]).strip()
    before_header = line <= len(lines) and _HEADER_LINE.match(lines[line - 1]) is not None
    before_key = line <= len(lines) and re.match(r"\s*[\w.-]+\s*=", lines[line - 1]) is not None
    return brackets[-1] if at_end or before_header or before_key or len(brackets) < len(found.open) else None


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
