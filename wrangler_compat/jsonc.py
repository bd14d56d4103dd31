"""JSON with comments and trailing commas, as values and the line of each of them. Pure.

What is allowed beyond JSON is what wrangler allows: `//` and `/* */` comments, and a comma after the last item.
"""

import math
import re
from bisect import bisect_left
from json import JSONDecodeError, JSONDecoder
from typing import Final

from edgeworker.schema.diagnostics import KeyPath
from wrangler_compat.syntax_error import DocumentSyntaxError

_BLANK: Final = re.compile(r"(?s)(?:[ \t\r\n]|//[^\n]*|/\*.*?\*/)*")
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_SURROGATE: Final = re.compile(r"[\ud800-\udfff]")
_WORD: Final = re.compile(r"[A-Za-z]+")
_WORDS: Final[dict[str, object]] = {"true": True, "false": False, "null": None}
_DECODER: Final = JSONDecoder()
_MAX_DEPTH: Final = 100
_MAX_DIGITS: Final = 1000


class _JSONCParser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._breaks = [match.start() for match in re.finditer("\n", text)]
        self.lines: dict[KeyPath, int] = {}

    def document(self) -> dict[str, object]:
        self._blank()
        if self._peek() != "{":
            raise self._fault('The file must be one object: "{" is expected')
        values = self._object(())
        self._blank()
        if self._peek():
            raise self._fault("Nothing may follow the closing brace of the file's object")
        return values

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _blank(self) -> None:
        match = _BLANK.match(self._text, self._at)
        if match is not None:
            self._at = match.end()
        if self._text.startswith("/*", self._at):
            raise self._fault('A comment that begins here has no "*/"')

    def _line(self) -> int:
        return bisect_left(self._breaks, self._at) + 1

    def _fault(self, text: str, at: int | None = None) -> DocumentSyntaxError:
        position = self._at if at is None else at
        line = self._text.count("\n", 0, position) + 1
        return DocumentSyntaxError(f"{text}.", line=line, column=position - self._text.rfind("\n", 0, position))

    def _describe_next(self) -> str:
        return f'not "{self._peek()}"' if self._peek() else "but the file ends"

    def _string(self) -> str:
        if self._peek() != '"':
            raise self._fault(f"A name in double quotes is expected here, {self._describe_next()}")
        try:
            scanned: tuple[str, int] = _DECODER.raw_decode(self._text, self._at)
        except JSONDecodeError as error:
            raise self._fault(error.msg, error.pos) from None
        value, end = scanned
        if _SURROGATE.search(value):
            raise self._fault("Half of a surrogate pair stands in this text; write the character itself")
        self._at = end
        return value

    def _value(self, where: KeyPath) -> object:
        if len(where) > _MAX_DEPTH:
            raise self._fault(f"Nested deeper than {_MAX_DEPTH} levels")
        match self._peek():
            case "{":
                return self._object(where)
            case "[":
                return self._array(where)
            case '"':
                return self._string()
            case _:
                return self._scalar()

    def _scalar(self) -> object:
        if number := _NUMBER.match(self._text, self._at):
            if len(number[0]) > _MAX_DIGITS:
                raise self._fault("A number has too many digits")
            self._at = number.end()
            value = float(number[0]) if number[1] or number[2] else int(number[0])
            if value in (math.inf, -math.inf):
                raise self._fault("A number is too large", number.start())
            return value
        word = _WORD.match(self._text, self._at)
        if word is not None and word[0] in _WORDS:
            self._at = word.end()
            return _WORDS[word[0]]
        raise self._fault(f"A value is expected here, {self._describe_next()}")

    def _object(self, where: KeyPath) -> dict[str, object]:
        values: dict[str, object] = {}
        self._at += 1
        self._blank()
        while self._peek() != "}":
            start = self._at
            name = self._string()
            if name in values:
                raise self._fault(f'The name "{name}" stands twice in the same object', start)
            self.lines[*where, name] = self._line()
            self._blank()
            if self._peek() != ":":
                raise self._fault(f'":" is expected after "{name}", {self._describe_next()}')
            self._at += 1
            self._blank()
            values[name] = self._value((*where, name))
            self._separator("}")
        self._at += 1
        return values

    def _array(self, where: KeyPath) -> list[object]:
        values: list[object] = []
        self._at += 1
        self._blank()
        while self._peek() != "]":
            self.lines[*where, len(values)] = self._line()
            values.append(self._value((*where, len(values))))
            self._separator("]")
        self._at += 1
        return values

    def _separator(self, closing: str) -> None:
        self._blank()
        if self._peek() == ",":
            self._at += 1
            self._blank()
        elif self._peek() != closing:
            raise self._fault(f'"," or "{closing}" is expected here, {self._describe_next()}')


def parse_jsonc(text: str) -> tuple[dict[str, object], dict[KeyPath, int]]:
    """The values and the line of each path.

    Raises:
        DocumentSyntaxError: the text is not an object in this syntax, or a name stands twice in one object.
    """
    parser = _JSONCParser(text.removeprefix("\ufeff"))
    return parser.document(), parser.lines
