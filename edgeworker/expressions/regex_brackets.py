"""The bracketed classes of a regular expression: "[a-z&&[^aeiou]]". Pure."""

from dataclasses import dataclass
from typing import Final, Literal

from edgeworker.expressions import regex_classes as classes
from edgeworker.expressions.regex_reader import Char, RegexReader, fail
from edgeworker.expressions.regex_tree import LookAround, OneOf

_UNCLOSED: Final = "unclosed character class"
_MAX_DEPTH: Final = 100

Operator = Literal["&&", "--", "~~"]


@dataclass(slots=True)
class _Brackets:
    """An open class: what was read since the last operator, and the left side of that operator."""

    negated: bool
    members: int = 0
    left: tuple[int, Operator] | None = None

    def combine(self, *, ignore_case: bool) -> int:
        members = classes.fold_case(self.members) if ignore_case else self.members
        match self.left:
            case None:
                return members
            case (left, "&&"):
                return left & members
            case (left, "--"):
                return left & ~members
            case (left, _):
                return left ^ members


def read_brackets(reader: RegexReader) -> OneOf:
    """The class at whose "[" the reader is."""
    stack = [_open(reader)]
    while True:
        reader.skip_space()
        char, following = reader.peek(), reader.peek(1)
        if not char:
            fail(_UNCLOSED)
        if char == "[":
            named = _read_named(reader)
            if named is not None:
                stack[-1].members |= named
            elif len(stack) == _MAX_DEPTH:
                fail("too many nested classes")
            else:
                stack.append(_open(reader))
        elif char == "]":
            reader.at += 1
            closed = stack.pop()
            members = closed.combine(ignore_case=reader.flags.ignore_case)
            members = classes.ALL & ~members if closed.negated else members
            if not stack:
                return OneOf(members)
            stack[-1].members |= members
        elif char == following and char in "&-~":
            reader.at += 2
            current = stack[-1]
            operator: Operator = "&&" if char == "&" else "--" if char == "-" else "~~"
            current.left = (current.combine(ignore_case=reader.flags.ignore_case), operator)
            current.members = 0
        else:
            stack[-1].members |= _read_range(reader)


def _open(reader: RegexReader) -> _Brackets:
    reader.advance()
    negated = reader.peek() == "^"
    if negated:
        reader.advance()
    brackets = _Brackets(negated)
    while reader.peek() == "-":
        brackets.members |= classes.bytes_of(b"-")
        reader.advance()
    if reader.peek() == "]" and not brackets.members:
        brackets.members = classes.bytes_of(b"]")
        reader.advance()
    if not reader.peek():
        fail(_UNCLOSED)
    return brackets


def _read_named(reader: RegexReader) -> int | None:
    """ "[:alpha:]", or None where it is a class like any other."""
    if reader.peek(1) != ":":
        return None
    begun = reader.at
    end = reader.pattern.find(":]", begun + 2)
    name = reader.pattern[begun + 2 : end] if end >= 0 else ""
    members = classes.NAMED.get(name.removeprefix("^"))
    if members is None:
        return None
    reader.at = end + 2
    return classes.ALL & ~members if name.startswith("^") else members


def _read_range(reader: RegexReader) -> int:
    first = _read_item(reader)
    reader.skip_space()
    if not reader.peek():
        fail(_UNCLOSED)
    if reader.peek() != "-" or _peek_past_space(reader) in ("]", "-"):
        return classes.bytes_between(_byte(first), _byte(first)) if isinstance(first, Char) else first.members
    reader.advance()
    if not reader.peek():
        fail(_UNCLOSED)
    last = _read_item(reader)
    if not (isinstance(first, Char) and isinstance(last, Char)):
        fail("invalid range boundary, must be a literal")
    if first.code > last.code:
        fail("invalid character class range, the start must be <= the end")
    return classes.bytes_between(_byte(first), _byte(last))


def _read_item(reader: RegexReader) -> Char | OneOf:
    if reader.peek() != "\\":
        char = Char(ord(reader.peek()))
        reader.at += 1
        return char
    item = reader.read_escape()
    if isinstance(item, LookAround):
        fail("invalid escape sequence found in character class")
    return item


def _byte(char: Char) -> int:
    if char.code > 0x7F and not (char.is_byte and char.code <= 0xFF):
        fail("Unicode not allowed here")
    return char.code


def _peek_past_space(reader: RegexReader) -> str:
    begun = reader.at
    reader.advance()
    char = reader.peek()
    reader.at = begun
    return char
