"""JSON text as JavaScript reads it: its numbers, and the text of its SyntaxErrors. Pure.

Texts: JsonParser of V8, recorded from workerd in tests/conformance/cases/kv.json.
"""

import json
import math
import re
from decimal import Decimal
from typing import Final, NoReturn

from edgeworker.runtime.webapi.ffi import JsDict, JsException

MAX_SAFE_INTEGER: Final = 2**53 - 1

TOO_DEEP: Final = "Maximum call stack size exceeded"
_CONTEXT: Final = 10  # characters of the text that an error shows on each side
_SPECIAL: Final = frozenset({"NaN", "Infinity", "undefined", "[object Object]"})
_SPACE: Final = re.compile(r"[ \t\n\r]*")
_DIGITS: Final = re.compile(r"[0-9]*")
_PLAIN: Final = re.compile(r'[^"\\\x00-\x1f]*')
_DECIMAL: Final = frozenset("0123456789")
_HEX: Final = frozenset("0123456789abcdefABCDEF")
_WORDS: Final = {"t": "true", "f": "false", "n": "null"}


def parse(text: str) -> object:
    """Objects are JsDict; numbers are JavaScript's: 1.0 is 1, and what is beyond 2**53 is a float.

    Raises:
        JsException: a SyntaxError with V8's text; a RangeError for nesting that Python cannot follow.
    """
    try:
        parsed: object = json.loads(
            text, object_hook=JsDict, parse_int=_number, parse_float=_number, parse_constant=_refuse
        )
    except ValueError:
        _JsonScanner(text).explain()
    except RecursionError:
        raise JsException("RangeError", TOO_DEEP) from None
    return parsed


def number(value: float) -> int | float:
    """A JavaScript number as Python gets it: an int where it is a whole number that a double holds exactly."""
    return int(value) if value.is_integer() and abs(value) <= MAX_SAFE_INTEGER else value


def numeral(value: float) -> str:
    """A number as JavaScript's String() writes it: 5, 1.5, 1e+21, 1e-7, NaN."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    shortest = Decimal(repr(value)).normalize()
    if -6 <= shortest.adjusted() < 21:
        return "0" if not value else f"{shortest:f}"
    mantissa, _, exponent = repr(value).partition("e")
    return f"{mantissa}e{int(exponent):+}"


def _number(text: str) -> int | float:
    return number(float(text))


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


class _JsonScanner:
    """Walk over text that is not JSON as V8 does, up to where V8 stops, and raise V8's error for that place."""

    def __init__(self, text: str) -> None:
        self._text = _utf16(text)
        self._at = 0

    def explain(self) -> NoReturn:
        open_brackets: list[str] = []
        while True:
            self._value(open_brackets)
            while self._after_value(open_brackets):
                pass

    def _value(self, open_brackets: list[str]) -> None:
        """One value, or as far as the first one inside of it."""
        while True:
            match self._skip_space():
                case "{":
                    self._at += 1
                    if self._skip_space() == "}":
                        self._at += 1
                        return
                    self._property("Expected property name or '}'")
                    open_brackets.append("}")
                case "[":
                    self._at += 1
                    if self._skip_space() == "]":
                        self._at += 1
                        return
                    open_brackets.append("]")
                case '"':
                    return self._string()
                case "-" | "0" | "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9":
                    return self._numeral()
                case "t" | "f" | "n" as first:
                    return self._read_word(_WORDS[first])
                case _:
                    self._raise_unexpected()

    def _after_value(self, open_brackets: list[str]) -> bool:
        """Whether another value ended here; otherwise the next one is expected."""
        found = self._skip_space()
        if not open_brackets:
            self._fail("Unexpected non-whitespace character after JSON", where="")
        bracket = open_brackets[-1]
        if found == bracket:
            self._at += 1
            open_brackets.pop()
            return True
        if found != ",":
            where = "property value" if bracket == "}" else "array element"
            self._fail(f"Expected ',' or '{bracket}' after {where}")
        self._at += 1
        if bracket == "}":
            self._property("Expected double-quoted property name")
        return False

    def _property(self, otherwise: str) -> None:
        if self._skip_space() != '"':
            self._fail(otherwise)
        self._string()
        if self._skip_space() != ":":
            self._fail("Expected ':' after property name")
        self._at += 1

    def _string(self) -> None:
        self._at += 1
        while True:
            self._skip(_PLAIN)
            match self._peek():
                case '"':
                    self._at += 1
                    return
                case "":
                    self._fail("Unterminated string")
                case "\\":
                    self._escape()
                case _:
                    self._fail("Bad control character in string literal")

    def _escape(self) -> None:
        self._at += 1
        match self._peek():
            case "u":
                for _ in range(4):
                    self._at += 1
                    if self._peek() not in _HEX:
                        self._fail("Bad Unicode escape")
                self._at += 1
            case '"' | "\\" | "/" | "b" | "f" | "n" | "r" | "t":
                self._at += 1
            case "":
                self._raise_unexpected()
            case _:
                self._fail("Bad escaped character")

    def _numeral(self) -> None:
        if self._peek() == "-":
            self._at += 1
            if self._peek() not in _DECIMAL:
                self._fail("No number after minus sign")
        if self._peek() == "0":
            self._at += 1
            if self._peek() in _DECIMAL:
                self._fail("Unexpected number")
        self._skip(_DIGITS)
        if self._peek() == ".":
            self._at += 1
            self._digits("Unterminated fractional number")
        if self._peek() in ("e", "E"):
            self._at += 1
            if self._peek() in ("+", "-"):
                self._at += 1
            self._digits("Exponent part is missing a number")

    def _digits(self, otherwise: str) -> None:
        before = self._at
        self._skip(_DIGITS)
        if self._at == before:
            self._fail(otherwise)

    def _read_word(self, word: str) -> None:
        for character in word:
            if self._peek() != character:
                self._raise_unexpected()
            self._at += 1

    def _peek(self) -> str:
        """The character here, or "" at the end."""
        return self._text[self._at : self._at + 1]

    def _skip_space(self) -> str:
        self._skip(_SPACE)
        return self._peek()

    def _skip(self, pattern: re.Pattern[str]) -> None:
        match = pattern.match(self._text, self._at)
        assert match is not None  # the patterns match nothing, too
        self._at = match.end()

    def _fail(self, reason: str, *, where: str = " in JSON") -> NoReturn:
        before = self._text[: self._at]
        line = before.count("\n") + 1
        column = self._at - (before.rfind("\n") + 1) + 1
        raise JsException("SyntaxError", f"{reason}{where} at position {self._at} (line {line} column {column})")

    def _raise_unexpected(self) -> NoReturn:
        text, at, found = self._text, self._at, self._peek()
        if not found:
            raise JsException("SyntaxError", "Unexpected end of JSON input")
        if text in _SPECIAL:
            raise JsException("SyntaxError", f'"{text}" is not valid JSON')
        if found == '"':
            self._fail("Unexpected string")
        if found in _DECIMAL:
            self._fail("Unexpected number")
        shown = f'"{text}"'
        if len(text) > 2 * _CONTEXT:
            start, end = max(at - _CONTEXT, 0), at + _CONTEXT
            shown = f'"{text[start:end]}"'
            shown = shown if at < _CONTEXT else f"...{shown}"
            shown = shown if at >= len(text) - _CONTEXT else f"{shown}..."
        raise JsException("SyntaxError", _utf8(f"Unexpected token '{found}', {shown} is not valid JSON"))


def _utf16(text: str) -> str:
    """One character for each UTF-16 unit, which is what JavaScript's positions count."""
    if text.isascii():
        return text
    units = text.encode("utf-16-le", "surrogatepass")
    return "".join(chr(units[at] | units[at + 1] << 8) for at in range(0, len(units), 2))


def _utf8(text: str) -> str:
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
