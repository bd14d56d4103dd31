"""Characters, escapes and flags of a regular expression, as Rust's regex-syntax reads them. Pure."""

from dataclasses import dataclass, replace
from typing import Final, NoReturn

from edgeworker.expressions import regex_classes as classes
from edgeworker.expressions.regex_tree import Look, LookAround, OneOf

_META: Final = frozenset("\\.+*?()|[]{}^$#&-~")
_SPACE: Final = frozenset("\t\n\v\f\r \x85\u200e\u200f\u2028\u2029")  # what the flag x leaves out (Pattern_White_Space)
_SIMPLE_ESCAPES: Final = {"a": 7, "f": 12, "t": 9, "n": 10, "r": 13, "v": 11}
_LOOK_ESCAPES: Final[dict[str, Look]] = {
    "A": "text start",
    "z": "text end",
    "b": "boundary",
    "B": "no boundary",
    "<": "word start",
    ">": "word end",
}
_SPECIAL_BOUNDARIES: Final[dict[str, Look]] = {
    "start": "word start",
    "end": "word end",
    "start-half": "word start half",
    "end-half": "word end half",
}
_HEX_LENGTHS: Final = {"x": 2, "u": 4, "U": 8}


class RegexError(ValueError):
    """A regular expression that is refused; the text says why."""


@dataclass(frozen=True, slots=True)
class Flags:
    ignore_case: bool = False
    multi_line: bool = False
    dot_matches_newline: bool = False
    crlf: bool = False
    verbose: bool = False


@dataclass(frozen=True, slots=True)
class Char:
    """One character as a pattern wrote it. `is_byte`: by "\\xHH", which means a byte where it is above 7F."""

    code: int
    is_byte: bool = False


class RegexReader:
    """One pattern and how far it is read. The parser of bracketed classes is a part of its own (regex_brackets)."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.at = 0
        self.flags = Flags()

    def peek(self, ahead: int = 0) -> str:
        return self.pattern[self.at + ahead : self.at + ahead + 1]

    def skip_space(self) -> None:
        """White space and comments, where the flag x is on."""
        if not self.flags.verbose:
            return
        while (char := self.peek()) and (char in _SPACE or char == "#"):
            if char == "#":
                newline = self.pattern.find("\n", self.at)
                self.at = len(self.pattern) if newline < 0 else newline + 1
            else:
                self.at += 1

    def advance(self) -> None:
        self.at += 1
        self.skip_space()

    def read_escape(self) -> "Char | OneOf | LookAround":
        r"""What stands after a "\"; the reader is at the "\"."""
        self.at += 1
        char = self.peek()
        if not char:
            fail("incomplete escape sequence, reached end of pattern prematurely")
        if char.isdecimal() and char.isascii():
            fail("backreferences are not supported")
        if char in _HEX_LENGTHS:
            return self._read_hex(char)
        if char in "pP":
            fail("Unicode classes are not supported")
        self.at += 1
        if char in classes.PERL:
            return OneOf(classes.PERL[char])
        if char in _LOOK_ESCAPES:
            special = self._special_boundary() if char == "b" else None
            return LookAround(special or _LOOK_ESCAPES[char])
        if char in _SIMPLE_ESCAPES:
            return Char(_SIMPLE_ESCAPES[char])
        if char in _META or (char.isascii() and not char.isalnum()):
            return Char(ord(char))
        fail("unrecognized escape sequence")

    def _special_boundary(self) -> Look | None:
        if self.peek() != "{":
            return None
        begun = self.at
        self.advance()
        first = self.peek()
        if not (first.isascii() and (first.isalpha() or first == "-")):
            if not first:
                fail("special word boundary assertion is either unclosed or contains an invalid character")
            self.at = begun
            return None
        name = ""
        while (char := self.peek()) and char.isascii() and (char.isalpha() or char == "-"):
            name += char
            self.advance()
        if self.peek() != "}":
            fail("special word boundary assertion is either unclosed or contains an invalid character")
        self.at += 1
        if name not in _SPECIAL_BOUNDARIES:
            fail(f'unrecognized special word boundary assertion "{name}"')
        return _SPECIAL_BOUNDARIES[name]

    def _read_hex(self, kind: str) -> Char:
        self.advance()
        if not self.peek():
            fail("incomplete escape sequence, reached end of pattern prematurely")
        digits = ""
        braced = self.peek() == "{"
        if braced:
            self.advance()
            while (char := self.peek()) and char != "}":
                digits += _hex_digit(char)
                self.advance()
            if not self.peek():
                fail("incomplete escape sequence, reached end of pattern prematurely")
            self.at += 1
            if not digits:
                fail("hexadecimal literal empty")
        else:
            for index in range(_HEX_LENGTHS[kind]):
                if index > 0:
                    self.skip_space()
                if not self.peek():
                    fail("incomplete escape sequence, reached end of pattern prematurely")
                digits += _hex_digit(self.peek())
                self.at += 1
        code = int(digits, 16) if len(digits) <= 16 else 0x110000
        if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
            fail("hexadecimal literal is not a Unicode scalar value")
        return Char(code, is_byte=kind == "x" and not braced)


def fail(reason: str) -> NoReturn:
    raise RegexError(f"regex parse error: {reason}")


def _hex_digit(char: str) -> str:
    if not (char.isascii() and (char.isdecimal() or char in "abcdefABCDEF")):
        fail("invalid hexadecimal digit")
    return char


def with_flag(flags: Flags, name: str, *, on: bool) -> Flags:
    match name:
        case "i":
            return replace(flags, ignore_case=on)
        case "m":
            return replace(flags, multi_line=on)
        case "s":
            return replace(flags, dot_matches_newline=on)
        case "R":
            return replace(flags, crlf=on)
        case "x":
            return replace(flags, verbose=on)
        case "U":
            return flags  # greedy or lazy is the same here
        case _:
            if on:
                fail('the flag "u" is not supported: here patterns match bytes')
            return flags
