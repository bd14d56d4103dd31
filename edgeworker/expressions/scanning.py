"""Reading one expression from left to right: the primitives that every part of the parser uses. Pure.

Positions are indices into the text. What is refused raises ExpressionError with the engine's words and its place.
"""

from collections.abc import Sequence
from typing import Final, NoReturn

from edgeworker.expressions.syntax_error import ExpressionError

_HEX_DIGITS: Final = frozenset("0123456789abcdefABCDEF")
_IDENTIFIER: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")
IDENTIFIER_START: Final = _IDENTIFIER - frozenset("0123456789")
# Around an expression all of Unicode's white space may stand, within it only these.
_SPACES: Final = frozenset(" \r\n")
_AROUND: Final = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f"
    "\u205f\u3000"
)
MAX_INT: Final = 2**63 - 1
MIN_INT: Final = -(2**63)


class Scanner:
    """`text` ends where the white space after the expression begins; `start` is where the one before it ends."""

    def __init__(self, expression: str) -> None:
        self.expression = expression
        self.text = expression.rstrip(_AROUND)
        self.start = len(self.text) - len(self.text.lstrip(_AROUND))

    def fail(self, reason: str, start: int, end: int | None = None) -> NoReturn:
        """Without `end`, everything that follows."""
        raise ExpressionError(reason, self.expression, start, len(self.text) if end is None else end)

    def skip_space(self, at: int) -> int:
        text = self.text
        while at < len(text) and text[at] in _SPACES:
            at += 1
        return at

    def expect(self, at: int, literal: str) -> int:
        if not self.text.startswith(literal, at):
            self.fail(f'expected literal "{literal}"', at)
        return at + len(literal)

    def match_one(self, at: int, words: Sequence[tuple[str, str]]) -> tuple[str, int] | None:
        """The name of the first of (spelling, name) that stands here, and where it ends. A spelling ends where it ends:
        the engine reads "orssl" as "or ssl"."""
        for spelling, name in words:
            if self.text.startswith(spelling, at):
                return name, at + len(spelling)
        return None

    def take(self, at: int, count: int) -> tuple[str, int]:
        taken = self.text[at : at + count]
        if len(taken) < count:
            self.fail(f"expected {count} characters, but found {len(taken)}", at)
        return taken, at + count

    def identifier(self, at: int) -> tuple[str, int]:
        """A dotted name."""
        text, begun = self.text, at
        while True:
            word = at
            while at < len(text) and text[at] in _IDENTIFIER:
                at += 1
            if at == word:
                self.fail("expected identifier character", at)
            if at < len(text) and text[at] == ".":
                at += 1
                continue
            return text[begun:at], at

    def integer(self, at: int) -> tuple[int, int]:
        """A whole number of 64 bits: decimal, octal after "0", hexadecimal after "0x"."""
        if self.text.startswith("0x", at):
            digits, end = self._digits(at + 2)
            return self._number(digits, 16, at + 2, end), end
        if self.text.startswith("0", at):
            digits, end = self._digits(at)
            return self._number(digits, 8, at, end), end
        signed = self.text.startswith("-", at)
        _, end = self._digits(at + signed)
        return self._number(self.text[at:end], 10, at, end), end

    def _digits(self, at: int) -> tuple[str, int]:
        end = at
        while end < len(self.text) and self.text[end] in _HEX_DIGITS:
            end += 1
        if end == at:
            self.fail("expected digit", at)
        return self.text[at:end], end

    def _number(self, digits: str, radix: int, start: int, end: int) -> int:
        # Twenty digits are more than 64 bits in each radix but eight, where it takes twenty-two.
        if len(digits) > 64:
            self.fail("number too large to fit in target type", start, end)
        try:
            number = int(digits, radix)
        except ValueError:
            self.fail(f"invalid digit found in string while parsing with radix {radix}", start, end)
        if not MIN_INT <= number <= MAX_INT:
            self.fail("number too large to fit in target type", start, end)
        return number
