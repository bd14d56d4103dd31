"""The right side of a comparison. Pure."""

from collections.abc import Callable
from typing import Final, TypeVar

from edgeworker.expressions import literals
from edgeworker.expressions.ip_ranges import read_address, read_range
from edgeworker.expressions.regex_matcher import Regex
from edgeworker.expressions.regex_reader import RegexError
from edgeworker.expressions.scanning import Scanner
from edgeworker.expressions.tree import AddressSet, BytesSet, IntSet, ListName, LiteralValue
from edgeworker.expressions.value_types import BYTES, INT, IP, Type
from edgeworker.expressions.wildcards import Wildcard, read_wildcard

_T = TypeVar("_T")

COMPARABLE: Final = frozenset({BYTES, INT, IP})


def read_literal(scanner: Scanner, at: int, type_: Type) -> tuple[LiteralValue, int]:
    """A constant of one of the comparable types."""
    match type_.kind:
        case "Bytes":
            text, end = literals.read_bytes(scanner, at)
            return LiteralValue(text, BYTES), end
        case "Int":
            number, end = scanner.integer(at)
            return LiteralValue(number, INT), end
        case _:
            address, end = read_address(scanner, at)
            return LiteralValue(address, IP), end


def read_set(scanner: Scanner, at: int, type_: Type) -> tuple[BytesSet | IntSet | AddressSet | ListName, int]:
    """What stands after `in`: "{...}" or "$name"."""
    if scanner.text.startswith("$", at):
        name, end = literals.read_list_name(scanner, at)
        return ListName(name), end
    match type_.kind:
        case "Bytes":
            texts, end = _read_members(scanner, at, literals.read_bytes)
            return BytesSet(frozenset(texts)), end
        case "Int":
            numbers, end = _read_members(scanner, at, _read_int_range)
            return IntSet(tuple(numbers)), end
        case _:
            ranges, end = _read_members(scanner, at, read_range)
            return AddressSet(tuple(ranges)), end


def _read_members(scanner: Scanner, at: int, read: Callable[[Scanner, int], tuple[_T, int]]) -> tuple[list[_T], int]:
    at = scanner.expect(at, "{")
    members: list[_T] = []
    while True:
        at = scanner.skip_space(at)
        if scanner.text.startswith("}", at):
            return members, at + 1
        member, at = read(scanner, at)
        members.append(member)


def _read_int_range(scanner: Scanner, begun: int) -> tuple[tuple[int, int], int]:
    first, at = scanner.integer(begun)
    last = first
    if scanner.text.startswith("..", at):
        last, at = scanner.integer(at + 2)
    if last < first:
        scanner.fail("incompatible range bounds", begun, at)
    return (first, last), at


def read_wildcard_operand(scanner: Scanner, at: int, *, strict: bool) -> tuple[Wildcard, int]:
    pattern, end = literals.read_string(scanner, at)
    wildcard = read_wildcard(pattern, strict=strict)
    if isinstance(wildcard, str):
        scanner.fail(wildcard, at)
    return wildcard, end


def read_regex_operand(scanner: Scanner, at: int) -> tuple[Regex, int]:
    """A quoted pattern keeps its backslashes, but for the one before a quote outside of brackets."""
    match scanner.text[at : at + 1]:
        case "":
            scanner.fail("unrecognised input", at)
        case "r":
            pattern, end = literals.read_raw(scanner, at + 1)
            blamed = (end, len(scanner.text))
        case '"':
            pattern, end = _read_quoted_pattern(scanner, at + 1)
            blamed = (at + 1, end - 1)
        case _:
            scanner.fail('expected " or r', at)
    try:
        return Regex(pattern), end
    except RegexError as error:
        scanner.fail(str(error), *blamed)


def _read_quoted_pattern(scanner: Scanner, begun: int) -> tuple[str, int]:
    text, at, pattern, in_brackets = scanner.text, begun, "", False
    while at < len(text):
        char = text[at]
        at += 1
        if char == "\\":
            escaped = text[at : at + 1]
            at += len(escaped)
            if escaped:
                pattern += escaped if escaped == '"' and not in_brackets else char + escaped
            continue
        if char == '"' and not in_brackets:
            return pattern, at
        in_brackets = char == "[" or (in_brackets and char != "]")
        pattern += char
    scanner.fail("could not find an ending quote", begun)
