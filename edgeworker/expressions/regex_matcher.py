"""Answers whether a regular expression matches anywhere in some bytes, in time that no input makes exponential. Pure.

A rule's pattern meets what strangers send, so Python's backtracking `re` is not used. The pattern becomes a program of
states (Thompson); sets of states are followed byte by byte, and each step is remembered (a DFA, built as needed).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from edgeworker.expressions import regex_classes as classes
from edgeworker.expressions.regex_parser import parse_regex
from edgeworker.expressions.regex_reader import RegexError
from edgeworker.expressions.regex_tree import Alternation, Concatenation, Look, LookAround, Node, OneOf, Repeat

MAX_STATES: Final = 2_000  # the crate allows ten megabytes, which is more
_MAX_REMEMBERED: Final = 20_000
_TEXT_END: Final = 256  # where the next byte would stand
_MATCHED: Final[frozenset[int]] = frozenset([-1])

# What stands before a position, as far as a look-around can tell.
_START, _NEWLINE, _WORD, _OTHER = range(4)


@dataclass(frozen=True, slots=True)
class _Consume:
    """Consumes one byte of `members`."""

    members: int
    then: int


@dataclass(frozen=True, slots=True)
class _Fork:
    then: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Condition:
    look: Look
    then: int


@dataclass(frozen=True, slots=True)
class _Accept:
    pass


_State = _Consume | _Fork | _Condition | _Accept


class Regex:
    """A compiled pattern. Raises RegexError for one that is refused or too large."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        builder = _Builder()
        self._start = builder.build(parse_regex(pattern), builder.add(_Accept()))
        self._states: Sequence[_State] = builder.states
        self._remembered: dict[tuple[frozenset[int], int, int], frozenset[int]] = {}

    def matches(self, value: bytes) -> bool:
        current: frozenset[int] = frozenset()
        before = _START
        remembered = self._remembered
        for byte in (*value, _TEXT_END):
            key = (current, before, byte)
            following = remembered.get(key)
            if following is None:
                following = self._advance(current, before, byte)
                if len(remembered) >= _MAX_REMEMBERED:
                    remembered.clear()
                remembered[key] = following
            if following is _MATCHED:
                return True
            current = following
            before = _kind_of(byte)
        return False

    def _advance(self, current: frozenset[int], before: int, byte: int) -> frozenset[int]:
        """The states after `byte`, or _MATCHED where one matches before it. A match may begin at every position."""
        after: set[int] = set()
        seen: set[int] = set()
        pending = [self._start, *current]
        while pending:
            index = pending.pop()
            if index in seen:
                continue
            seen.add(index)
            match self._states[index]:
                case _Consume(members, then):
                    if members >> byte & 1:
                        after.add(then)
                case _Fork(then):
                    pending.extend(then)
                case _Condition(look, then):
                    if _holds(look, before, byte):
                        pending.append(then)
                case _Accept():
                    return _MATCHED
        return frozenset(after)


def _kind_of(byte: int) -> int:
    if byte == 0x0A:
        return _NEWLINE
    return _WORD if classes.WORD >> byte & 1 else _OTHER


def _holds(look: Look, before: int, byte: int) -> bool:
    word_before = before == _WORD
    word_after = bool(classes.WORD >> byte & 1)
    match look:
        case "text start":
            return before == _START
        case "text end":
            return byte == _TEXT_END
        case "line start":
            return before in (_START, _NEWLINE)
        case "line end":
            return byte in (_TEXT_END, 0x0A)
        case "boundary":
            return word_before != word_after
        case "no boundary":
            return word_before == word_after
        case "word start":
            return not word_before and word_after
        case "word end":
            return word_before and not word_after
        case "word start half":
            return not word_before
        case "word end half":
            return not word_after


class _Builder:
    """Makes states from the end to the start, so that each knows what follows it."""

    def __init__(self) -> None:
        self.states: list[_State] = []

    def add(self, state: _State) -> int:
        if len(self.states) >= MAX_STATES:
            raise RegexError(f"Compiled regex exceeds {MAX_STATES} states.")
        self.states.append(state)
        return len(self.states) - 1

    def build(self, node: Node, then: int) -> int:
        """The state at which `node` begins, where `then` is what follows."""
        match node:
            case OneOf(members):
                return self.add(_Consume(members, then))
            case LookAround(look):
                return self.add(_Condition(look, then))
            case Concatenation(nodes):
                for part in reversed(nodes):
                    then = self.build(part, then)
                return then
            case Alternation(nodes):
                return self.add(_Fork(tuple(self.build(part, then) for part in nodes)))
            case Repeat(repeated, least, most):
                if most is None:
                    then = self._loop(repeated, then)
                else:
                    end = then
                    for _ in range(most - least):
                        then = self.add(_Fork((self.build(repeated, then), end)))
                for _ in range(least):
                    before = then
                    then = self.build(repeated, then)
                    if then == before:
                        break  # it is empty, and stays so however often
                return then

    def _loop(self, repeated: Node, then: int) -> int:
        fork = self.add(_Fork(()))
        self.states[fork] = _Fork((self.build(repeated, fork), then))
        return fork
